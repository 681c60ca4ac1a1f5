"""C16: phrases that most captions of a dataset share: between commas, or runs of words inside sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.model.lint_rules import Finding

_WORDS = re.compile(r"[\w'’-]+")
_ENDS = re.compile(r"[,.;:!?()]")
_RUN = 3  # words: shorter runs are idioms
_LONG = 4  # letters of a word that says something
_MOST_PHRASES = 5
_MOST_CHARACTERS = 2_000  # of a caption that is searched for runs of words


def shared_phrase(subject: Subject) -> Iterator[Finding]:
    """Only information; for characters Scenario recommends a shared phrase."""
    captions = [p.caption for p in subject.pictures if p.caption and p.raw != ""]
    if len(captions) < 5 or subject.spec.is_pairs or len(set(captions)) == 1:
        return
    needed = subject.number("shared-share") * len(captions)
    trigger = (subject.spec.trigger or "").casefold()
    folded = [caption.casefold() for caption in captions]
    phrases = {part: n for part, n in _between_commas(folded, needed).items() if part != trigger}
    for run, count in _runs_of_words(folded, needed).items():
        if not any(run in " ".join(_WORDS.findall(part)) for part in phrases) and (not trigger or trigger not in run):
            phrases[run] = count
    for part, count in list(phrases.items())[:_MOST_PHRASES]:
        shown = part if len(part) <= 60 else f"{part[:57]}..."
        yield Finding("C16", f"{count} of {len(captions)} captions contain {shown!r}")


def _between_commas(captions: Sequence[str], needed: float) -> dict[str, int]:
    # A phrase that so many share is in one of the first captions: only their phrases are counted in the others.
    first = captions[: len(captions) - int(needed) + 1]
    counts = dict.fromkeys((piece.strip() for caption in first for piece in caption.split(",")), 0)
    for caption in captions:
        for part in {piece.strip() for piece in caption.split(",")}:
            if part in counts:
                counts[part] += 1
    return {part: count for part, count in counts.items() if part and count >= needed}


def _runs_of_words(captions: Sequence[str], needed: float) -> dict[str, int]:
    """The longest runs of at least _RUN words that so many captions have, with two that are more than little words."""
    listed = [_clauses(caption[:_MOST_CHARACTERS]) for caption in captions]
    first = listed[: len(captions) - int(needed) + 1]
    known = {run for clauses in first for words in clauses for run in _runs(words)}
    counts = Counter(run for clauses in listed for run in {run for words in clauses for run in _runs(words)} & known)
    found: dict[str, int] = {}
    for words in (words for clauses in first for words in clauses):
        at = 0
        runs = _runs(words)
        while at < len(runs):
            end = at
            while end < len(runs) and counts[runs[end]] >= needed:
                end += 1
            phrase = words[at : end + _RUN - 1] if end > at else []
            if sum(len(word) >= _LONG for word in phrase) > 1:
                found.setdefault(" ".join(phrase), min(counts[run] for run in runs[at:end]))
            at = end + 1
    return {p: n for p, n in found.items() if not any(p != other and p in other for other in found)}


def _clauses(caption: str) -> list[list[str]]:
    return [_WORDS.findall(clause) for clause in _ENDS.split(caption)]


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)]

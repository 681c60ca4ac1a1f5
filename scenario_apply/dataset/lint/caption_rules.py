"""C rules: captions that are missing, empty, too long or too similar. wording_rules.py has C12 to C15."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import NamedTuple

from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.dataset.lint.word_count import word_count
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_LONGEST_COMPARED = 20_000  # characters
_MOST_COMPARISONS = 4_000_000
_MOST_GROUPS = 5  # of similar captions that are reported
_MOST_LETTER_PAIRS = 40_000_000
_MASK_BITS = 1024


def missing(subject: Subject) -> Iterator[Finding]:
    """C01, C02."""
    spec = subject.spec
    if spec.is_pairs or spec.captions.kind == "auto" or not subject.pictures:
        return
    without = [p for p in subject.pictures if p.raw is None and p.path not in subject.unread]
    if len(without) == len(subject.pictures) and spec.captions.kind == "recognise":
        if spec.missing != "auto" and "C21" not in subject.reported:
            tail = f", without the trigger {spec.trigger}" if spec.trigger else ""
            what = f"no captions found: Scenario writes its own{tail}"
            yield Finding("C02", what, hint="add a .txt file beside each image, or write `captions: auto`")
        return
    if spec.missing == "auto":
        return
    captioned = len(subject.pictures) - len(without)
    for picture in without:
        what = f"{name_of(picture.path)} has no caption; {captioned} of {len(subject.pictures)} images have one"
        hint = f"{_where_to_write(picture, spec)}, or `captions: {{ missing: auto }}` to let Scenario write it"
        finding = picture.finding("C01", what, hint)
        yield finding._replace(severity="warning") if spec.missing == "warn" else finding


def _where_to_write(picture: Picture, spec: DatasetSpec) -> str:
    """Where captions of this dataset are read from."""
    if spec.captions.kind == "map":
        return "add it to `captions:`"
    if spec.captions.kind == "file" and spec.captions.path:
        return f"add it to {spec.captions.path}"
    stem = name_of(picture.path).rpartition(".")[0]
    return f"write {stem}{spec.captions.suffix or '.txt'}"


def empty(subject: Subject) -> Iterator[Finding]:
    """C03."""
    for picture in subject.pictures:
        if picture.raw == "":
            what = f"the caption of {name_of(picture.path)} is empty"
            yield picture.finding(
                "C03", what, "write a caption with letters or digits, or delete the file", about_caption=True
            )


def lines(subject: Subject) -> Iterator[Finding]:
    """C07."""
    for picture in subject.pictures:
        if picture.line_count > 1 and subject.spec.captions.lines == "join":
            signs = "commas" if picture.separator == ", " else "spaces"
            what = f"{picture.line_count} lines, which are joined with {signs}"
            hint = "write one line, or `captions: { lines: first }`; also: comma, space"
            yield picture.finding("C07", what, hint, about_caption=True)


def lengths(subject: Subject) -> Iterator[Finding]:
    """C08, C09. Words approximate tokens: 77 tokens of CLIP are about 55 words, 512 of T5 and Qwen about 350."""
    clip_only = any(kind.startswith("sd-xl") for kind in subject.types)
    most = subject.number("max-words-clip" if clip_only else "max-words")
    least, trigger = subject.number("min-words"), subject.spec.trigger or ""
    for picture in _captioned(subject):
        words = len((picture.caption or "").split())
        if words > most:
            what = f"{words} words: text after about {most:g} words is cut off"
            yield picture.finding("C08", what, "shorten it", about_caption=True)
        elif words < least + 2 and not subject.spec.is_pairs and picture.raw:
            besides = word_count(picture.raw.replace(trigger, "") if trigger else picture.raw)
            if besides < least:
                some = "1 word" if besides == 1 else f"{besides} words"
                what = f"only {some} besides the trigger" if trigger else f"only {some}"
                finding = picture.finding("C09", what, "describe what the image shows", about_caption=True)
                yield finding._replace(severity="info") if subject.is_style else finding


def identical(subject: Subject) -> Iterator[Finding]:
    """C10: one finding per caption that several pictures share."""
    if subject.spec.is_pairs:
        return
    by_text: dict[str, list[Picture]] = {}
    for picture in _captioned(subject):
        by_text.setdefault((picture.caption or "").strip(), []).append(picture)
    for text, owners in by_text.items():
        if len(owners) > 1 and text:
            some = ", ".join(name_of(p.path) for p in owners[:5]) + (", ..." if len(owners) > 5 else "")
            whose = f"all {len(owners)}" if len(owners) == len(subject.pictures) else f"{len(owners)}"
            what = f"{whose} images have the same caption ({some}): {_shortened(text)!r}"
            yield owners[1].finding("C10", what, "describe what differs between the images", about_caption=True)


def too_close(subject: Subject) -> Iterator[Finding]:
    """C11: one finding per group of similar captions, by the Dice coefficient of letter pairs, as Scenario scores it.

    Letter pairs are compared only where three words of five are shared, which bit masks of words show in a tenth of a
    microsecond. The number of comparisons and the length of compared captions are limited.
    """
    if subject.spec.is_pairs:
        return
    limit = subject.number("dice")
    bits: dict[str, int] = {}
    masked: list[tuple[Picture, int, int]] = []
    for text, picture in {p.caption: p for p in _captioned(subject)}.items():
        if len(text or "") > _LONGEST_COMPARED:
            continue
        if len(masked) ** 2 * (1 + len(bits) // 1024) > _MOST_COMPARISONS:
            break
        mask = 0
        for word in (text or "").casefold().split():
            mask |= 1 << bits.setdefault(word, len(bits))
        masked.append((picture, mask, 3 * mask.bit_count()))
    alike: dict[str, list[Picture]] = {}  # by the path of the first picture with such a caption
    grouped: set[str] = set()
    letters = _LetterPairSets()
    for (one, mask, least), (other, its_mask, its_least) in combinations(masked, 2):
        shared = 5 * (mask & its_mask).bit_count()
        if shared < least or shared < its_least or (one.path in grouped and other.path in grouped):
            continue
        first, second = letters.of(one.caption or ""), letters.of(other.caption or "")
        least_shared = limit * (len(first.pairs) + len(second.pairs)) / 2
        if (first.mask & second.mask).bit_count() + min(first.hidden, second.hidden) < least_shared:
            continue
        letters.work += len(first.pairs) + len(second.pairs)
        if letters.work > _MOST_LETTER_PAIRS:
            break
        if len(first.pairs & second.pairs) >= least_shared:
            alike.setdefault(one.path, []).append(other)
            grouped |= {one.path, other.path}
    for path, others in list(alike.items())[:_MOST_GROUPS]:
        are = "1 caption is" if len(others) == 1 else f"{len(others)} captions are"
        what = f"{are} nearly identical to the caption of {path}"
        yield others[0].finding("C11", what, "describe what differs between the images", about_caption=True)


class _LetterPairs(NamedTuple):
    """The letter pairs of a caption, numbered. mask: a bit for each, which some share. hidden: pairs less bits."""

    pairs: set[int]
    mask: int
    hidden: int


class _LetterPairSets:
    """The letter pairs of captions that were compared. work: letters read and pairs compared so far.

    Two captions share at most the bits that both masks have and the pairs that one of them hides: a comparison of
    two short integers, after which hardly a set is compared.
    """

    def __init__(self) -> None:
        self.work = 0
        self._known: dict[str, _LetterPairs] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def of(self, text: str) -> _LetterPairs:
        """Those of one caption, kept for the next comparison."""
        held = self._known.get(text)
        if held is None:
            self.work += len(text)
            numbers, mask = self._numbers, 0
            pairs = {numbers.setdefault(pair, len(numbers)) for pair in pairwise(text.casefold())}
            for number in pairs:
                mask |= 1 << number % _MASK_BITS
            held = self._known[text] = _LetterPairs(pairs, mask, len(pairs) - mask.bit_count())
        return held


def _captioned(subject: Subject) -> list[Picture]:
    return [picture for picture in subject.pictures if picture.caption is not None and picture.raw != ""]


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."

"""C rules: captions missing, empty, too long, too much alike, or left as a model wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, pairwise

from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_BOILERPLATE = re.compile(
    r"(?i)(?:^|, )(?:(?:the|this) (?:image|photo|picture) (?:shows|features|captures|depicts)|arafed|araffe"
    r"|there is an? |caption:|a photo of an? |here is )|\b(?:beautiful|stunning|possible caption)\b"
)
_DEBRIS = re.compile(r"<MORE_DETAILED_CAPTION>|</?s>|<loc_\d{1,9}>|\*\*[^*]{1,200}\*\*|```|<\|[a-z_]{1,200}\|>|<pad>")
# What stands in brackets is short: unclosed ones, ten thousand times over, would each be looked for to the end.
_SYNTAX = re.compile(r"\|\|\||;;;|\{[^{}|]{0,200}\|[^{}]{0,200}\}|\([^()]{1,200}:\d(?:\.\d+)?\)|<lora:[^<>]{0,200}>")
_LONGEST_COMPARED = 20_000  # characters
_MOST_COMPARISONS = 4_000_000
_MOST_LETTER_PAIRS = 40_000_000
# What the three of them cannot match without: looked for in all captions at once before any is searched.
_SINGLE_HINTS = "image photo picture araf caption: beautiful stunning possible < ** ``` ||| ;;; { ("
_HINTS = (*_SINGLE_HINTS.split(), "there is a", "here is ")


def missing(subject: Subject) -> Iterator[Finding]:
    """C01, C02."""
    spec = subject.spec
    if spec.is_pairs or spec.captions.kind == "auto" or not subject.pictures:
        return
    without = [p for p in subject.pictures if p.raw is None and p.path not in subject.unread]
    if len(without) == len(subject.pictures) and spec.captions.kind == "recognise":
        if spec.missing != "auto":
            tail = f"; the trigger {spec.trigger} is in none of them" if spec.trigger else ""
            what = f"no captions found: the service writes its own{tail}"
            yield Finding("C02", what, hint="add a .txt beside each image, or say `captions: auto`")
        return
    if spec.missing == "auto":
        return
    captioned = len(subject.pictures) - len(without)
    for picture in without:
        stem = name_of(picture.path).rpartition(".")[0]
        what = f"{name_of(picture.path)} has no caption, {captioned} of {len(subject.pictures)} images have one"
        hint = f"write {stem}.txt, or `captions: {{ missing: auto }}` to leave it to the service"
        finding = picture.finding("C01", what, hint)
        yield finding._replace(severity="warning") if spec.missing == "warn" else finding


def empty(subject: Subject) -> Iterator[Finding]:
    """C03."""
    for picture in subject.pictures:
        if picture.raw == "":
            what = f"the caption of {name_of(picture.path)} is empty"
            yield picture.finding("C03", what, "write it, or delete the file", about_caption=True)


def lines(subject: Subject) -> Iterator[Finding]:
    """C07."""
    for picture in subject.pictures:
        if picture.line_count > 1 and subject.spec.captions.lines == "join":
            what = f"{picture.line_count} lines: joined with spaces"
            hint = "write one line, or `captions: { lines: first }`"
            yield picture.finding("C07", what, hint, about_caption=True)


def lengths(subject: Subject) -> Iterator[Finding]:
    """C08, C09. Words stand for tokens: 77 of CLIP are about 55 words, 512 of T5 and Qwen about 350."""
    clip_only = any(kind.startswith("sd-xl") for kind in subject.types)
    most = subject.number("max-words-clip" if clip_only else "max-words")
    least, trigger = subject.number("min-words"), subject.spec.trigger or ""
    for picture in _captioned(subject):
        words = len((picture.caption or "").split())
        if words > most:
            what = f"{words} words: what comes after about {most:g} is cut off"
            yield picture.finding("C08", what, "shorten it", about_caption=True)
        elif words < least + 2 and not subject.spec.is_pairs and picture.raw:
            besides = len((picture.raw.replace(trigger, "") if trigger else picture.raw).split())
            if besides < least:
                what = f"only {besides} words besides the trigger" if trigger else f"only {besides} words"
                yield picture.finding("C09", what, "say what is to be seen", about_caption=True)


def identical(subject: Subject) -> Iterator[Finding]:
    """C10: once for each caption that several pictures share."""
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
            yield owners[1].finding("C10", what, "say what differs", about_caption=True)


def too_close(subject: Subject) -> Iterator[Finding]:
    """C11: Dice over letter pairs, as the service scores it.

    Letter pairs are compared only where three words of five are shared: word sets as bit masks compare in a tenth of
    a microsecond, and twenty captions make two hundred comparisons. Of thousands of captions, which no training takes,
    the first are compared, and no caption of many pages is.
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
    reported = work = 0
    letter_pairs: dict[str, set[tuple[str, str]]] = {}
    for (one, mask, least), (other, its_mask, its_least) in combinations(masked, 2):
        shared = 5 * (mask & its_mask).bit_count()
        if shared < least or shared < its_least:
            continue
        first, second = (_letter_pairs(p.caption or "", letter_pairs) for p in (one, other))
        work += len(first) + len(second)
        if work > _MOST_LETTER_PAIRS:
            return
        if 2 * len(first & second) >= limit * (len(first) + len(second)):
            reported += 1
            if reported > 5:
                return
            what = f"the caption is nearly that of {one.path}"
            yield other.finding("C11", what, "say what differs", about_caption=True)


def _letter_pairs(text: str, known: dict[str, set[tuple[str, str]]]) -> set[tuple[str, str]]:
    held = known.get(text)
    if held is None:
        held = known[text] = set(pairwise(text.casefold()))
    return held


def wording(subject: Subject) -> Iterator[Finding]:
    """C12 to C15."""
    tags_matter = any(not kind.startswith("sd-xl") for kind in subject.types)
    captioned = _captioned(subject)
    together = "\n".join([picture.caption or "" for picture in captioned]).casefold()
    if not (any(hint in together for hint in _HINTS) or (tags_matter and together.count("_") > len(captioned))):
        return
    for picture in captioned:
        text = picture.caption or ""
        if found := _DEBRIS.search(text):
            yield picture.finding("C13", f"holds {found[0]!r}, left by a model", "delete it", about_caption=True)
        elif found := _BOILERPLATE.search(text):
            what = f"{found[0].strip(', ')!r} says nothing about the picture"
            yield picture.finding("C12", what, "leave it out", about_caption=True)
        if found := _SYNTAX.search(text):
            what = f"{found[0]!r} is training syntax of other tools; here it is taken literally"
            yield picture.finding("C14", what, "write plain text", about_caption=True)
        if tags_matter and "_" in text:
            yield from _tags(subject, picture, text)


def _tags(subject: Subject, picture: Picture, text: str) -> Iterator[Finding]:
    parts = [part.strip() for part in text.split(",") if part.strip() and part.strip() != subject.spec.trigger]
    tags = sum("_" in part and " " not in part for part in parts)
    if len(parts) > 2 and tags > subject.number("underscore-share") * len(parts):
        yield picture.finding("C15", "tags with underscores: this type reads sentences", about_caption=True)


def shared_phrase(subject: Subject) -> Iterator[Finding]:
    """C16: only a note; for characters it is what the service advises."""
    captions = [p.caption for p in _captioned(subject) if p.caption]
    if len(captions) < 5 or subject.spec.is_pairs or len(set(captions)) == 1:
        return
    needed = subject.number("shared-share") * len(captions)
    trigger = (subject.spec.trigger or "").casefold()
    folded = [caption.casefold() for caption in captions]
    # What so many share is in one of the first captions already: of the others only those pieces are counted.
    first = folded[: len(folded) - int(needed) + 1]
    counts = dict.fromkeys((piece.strip() for caption in first for piece in caption.split(",")), 0)
    for caption in folded:
        for part in {piece.strip() for piece in caption.split(",")}:
            if part in counts:
                counts[part] += 1
    for part, count in counts.items():
        if count >= needed and part and part != trigger:
            yield Finding("C16", f"{count} of {len(captions)} captions say {_shortened(part)!r}")


def _captioned(subject: Subject) -> list[Picture]:
    return [picture for picture in subject.pictures if picture.caption is not None and picture.raw != ""]


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."

"""D rules: the same picture twice, exactly or nearly.

Pictures are compared by difference hashes of 128 bits (right and down neighbours of a 9x9 Lanczos thumbnail) and by
32x32 RGB thumbnails. On real photos re-encoded and resized, and on flat icons, distances up to 12 with a colour
difference up to 12 gave no false pair; 64-bit hashes gave several on icons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import compress, product
from typing import NamedTuple, Protocol

from scenario_apply.dataset.lint.hash_distances import close_pairs
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_MOST_COMPARED = 1000  # pictures: half a million comparisons
_CLEARLY = 32  # levels of a channel
_COARSE = bytes(level // _CLEARLY for level in range(256))
_SHARPENED = 0.75  # re-encoding changes the sharpness of an edge by up to 15 %
_MOST_ALIKE = 300  # similar pairs of a dataset whose colours are compared, at a millisecond each, and that are reported


class ColourGap(NamedTuple):
    """How far two 32x32 RGB thumbnails are apart, per channel, 0 to 255: on average, and where it is most.

    new_colours: of the places that differ clearly, the share with a colour that the first does not have anywhere: near
    0 for a crop, 0.3 and more for a palette swap, which on a white ground changes little on average.
    """

    mean: float
    largest: int
    new_colours: float = 0.0


def colour_gap(first: bytes, other: bytes, differences: bytes) -> ColourGap:
    """first, other: RGB of equally many places. differences: of their channels, absolute."""
    # by whole bytes objects, and each colour once: a scan makes hundreds of thousands of comparisons
    clear = [most > _CLEARLY for most in map(max, differences[0::3], differences[1::3], differences[2::3])]
    changed = Counter(compress(_coarse(other), clear))
    known = set(_coarse(first)) if changed else set()
    new = sum(count for colour, count in changed.items() if not _has_near(known, colour))
    mean = sum(differences) / len(differences)
    return ColourGap(mean, max(differences), new / changed.total() if changed else 0.0)


def _coarse(colours: bytes) -> Iterator[tuple[int, int, int]]:
    steps = colours.translate(_COARSE)
    return zip(steps[0::3], steps[1::3], steps[2::3], strict=True)


def _has_near(known: set[tuple[int, int, int]], colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return colour in known or any((red + r, green + g, blue + b) in known for r, g, b in product((-1, 0, 1), repeat=3))


class ColourDifference(Protocol):
    """Compares two files, the first mirrored if so said; None when one was not decoded."""

    def __call__(self, one: str, other: str, *, mirrored: bool = False) -> ColourGap | None: ...


def exact(subject: Subject) -> Iterator[Finding]:
    """D01 for two identical files. For edit pairs, which may share pictures, D05 when both sides are the same file."""
    if subject.spec.is_pairs:
        by_path = {picture.path: picture for picture in subject.pictures}
        for pair in subject.pairs:
            before, after = by_path[pair.before], by_path[pair.after]
            if before.facts.sha256 == after.facts.sha256 and after.facts.size:
                yield after.finding("D05", f"is the same file as {before.path}, so there is no edit to learn")
        return
    first: dict[str, Picture] = {}
    for picture in subject.pictures:
        if not picture.facts.size:
            continue
        if (twin := first.setdefault(picture.facts.sha256, picture)) is not picture:
            what = f"{name_of(picture.path)} is the same file as {twin.path}"
            yield picture.finding("D01", what, "delete one of them and its caption")


def near(subject: Subject, colour_difference: ColourDifference) -> Iterator[Finding]:
    """D02, D03, D04 for pictures whose hashes are known. Only the first 1,000 pictures are compared."""
    if subject.spec.is_pairs:
        yield from _unedited(subject, colour_difference)
        return
    hashed = [p for p in subject.sound if p.facts.hashes][:_MOST_COMPARED]
    alike = 0
    farthest = max(subject.number("near-distance"), subject.number("same-distance"))
    pairs = close_pairs([split_hashes(p.facts.hashes) for p in hashed], farthest, subject.number("mirror-distance"))
    for first, second, distance in pairs:
        one, other = hashed[first], hashed[second]
        if one.facts.sha256 == other.facts.sha256:
            continue
        alike += 1
        if alike > _MOST_ALIKE:
            return
        if distance <= farthest:
            yield from _alike(subject, one, other, distance, colour_difference(one.file, other.file))
        else:
            gap = colour_difference(one.file, other.file, mirrored=True)
            if gap is not None and gap.mean <= subject.number("mirror-colour"):
                hint = "mirrored text and asymmetric details train badly"
                yield other.finding("D04", f"looks like a mirrored copy of {one.path}", hint)


def _alike(subject: Subject, one: Picture, other: Picture, distance: int, gap: ColourGap | None) -> Iterator[Finding]:
    hint, colour = "keep the better one", None if gap is None else gap.mean
    if distance <= subject.number("same-distance"):
        if colour is None:
            what = f"near-duplicate of {one.path} (colours not compared)"
            yield Finding("D02", what, other.file, severity="info")
        elif colour <= subject.number("same-colour"):
            yield other.finding("D02", f"looks like a re-saved or resized copy of {one.path}", hint)
        else:
            what = f"near-duplicate of {one.path} (different colours)"
            yield Finding("D02", what, other.file, severity="info")
    elif gap is not None and distance <= subject.number("near-distance") and _has_its_colours(subject, gap):
        yield other.finding("D03", f"near-duplicate of {one.path}", hint)


def _has_its_colours(subject: Subject, gap: ColourGap) -> bool:
    return gap.mean <= subject.number("near-colour") and gap.new_colours <= subject.number("new-colours")


def _unedited(subject: Subject, colour_difference: ColourDifference) -> Iterator[Finding]:
    """D05: both sides of a pair show the same picture."""
    by_path = {picture.path: picture for picture in subject.sound}
    for pair in subject.pairs:
        before, after = by_path.get(pair.before), by_path.get(pair.after)
        if before is None or after is None:
            continue
        if before.facts.sha256 != after.facts.sha256 and _same(subject, before, after, colour_difference):
            yield after.finding("D05", f"shows the same picture as {before.path}, so there is no edit to learn")


def _same(subject: Subject, before: Picture, after: Picture, colour_difference: ColourDifference) -> bool:
    if not before.facts.hashes or not after.facts.hashes:
        return False
    distance = (split_hashes(before.facts.hashes)[0] ^ split_hashes(after.facts.hashes)[0]).bit_count()
    if distance > subject.number("edit-distance") or _is_sharpened(before, after):
        return False
    # A subtle edit is still an edit: what is small everywhere, as a re-encoding makes it, counts as none.
    gap = colour_difference(before.file, after.file)
    return gap is not None and gap.mean <= subject.number("edit-colour") and gap.largest <= subject.number("edit-most")


def _is_sharpened(before: Picture, after: Picture) -> bool:
    """Whether one side is clearly sharper, as in pairs that teach to sharpen or to restore."""
    if before.facts.statistics is None or after.facts.statistics is None:
        return False
    low, high = sorted((before.facts.statistics.sharpness, after.facts.statistics.sharpness))
    return low < _SHARPENED * high


def split_hashes(hashes: str) -> tuple[int, int]:
    """The hash of the picture, and the hash of its mirror image."""
    return int(hashes[:32], 16), int(hashes[32:], 16)

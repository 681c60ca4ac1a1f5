"""D rules: the same picture twice, exactly or nearly.

Looks are difference hashes of 128 bits (right and down neighbours of a 9x9 Lanczos thumbnail) and 32x32 RGB
thumbnails: on real photos re-encoded and resized, and on flat icons, distances up to 12 with a colour difference up to
12 made no false pair; 64-bit hashes made several on icons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_MOST_COMPARED = 1000  # pictures: half a million comparisons
_MOST_ALIKE = 1000  # whose colours are compared, which takes a millisecond each
# Mean difference a channel (0..255) of the 32x32 thumbnails of two pictures, given by their files; None: not known,
# because one of them was not decoded.
ColourDifference = Callable[[str, str], float | None]


def exact(subject: Subject) -> Iterator[Finding]:
    """D01; in pairs, where a picture may stand in several of them, D05 for two sides that are one file."""
    if subject.spec.is_pairs:
        by_path = {picture.path: picture for picture in subject.pictures}
        for pair in subject.pairs:
            before, after = by_path[pair.before], by_path[pair.after]
            if before.facts.sha256 == after.facts.sha256 and after.facts.size:
                yield after.finding("D05", f"is the same file as {before.path}: no edit to learn")
        return
    first: dict[str, Picture] = {}
    for picture in subject.pictures:
        if not picture.facts.size:
            continue
        if (twin := first.setdefault(picture.facts.sha256, picture)) is not picture:
            what = f"{name_of(picture.path)} is the same file as {twin.path}"
            yield picture.finding("D01", what, "delete one, with its caption")


def near(subject: Subject, colour_difference: ColourDifference) -> Iterator[Finding]:
    """D02, D03, D04 for the pictures whose look is known: of thousands, which no training takes, for the first."""
    if subject.spec.is_pairs:
        yield from _unedited(subject, colour_difference)
        return
    looks = [(p, *split_look(p.facts.look)) for p in subject.sound if p.facts.look][:_MOST_COMPARED]
    alike = 0
    same, close = subject.number("same-distance"), subject.number("near-distance")
    for (one, look, _), (other, its_look, its_mirror) in combinations(looks, 2):
        if one.facts.sha256 == other.facts.sha256:
            continue
        distance = (look ^ its_look).bit_count()
        if distance <= max(close, same):
            alike += 1
            if alike > _MOST_ALIKE:
                return
            yield from _alike(subject, one, other, distance, colour_difference(one.file, other.file))
        elif (look ^ its_mirror).bit_count() <= subject.number("mirror-distance"):
            yield other.finding("D04", f"looks like {one.path} mirrored", "text and asymmetric details suffer")


def _alike(subject: Subject, one: Picture, other: Picture, distance: int, colour: float | None) -> Iterator[Finding]:
    hint = "keep the better one"
    if distance <= subject.number("same-distance"):
        if colour is None:
            what = f"has the shapes of {one.path}; their colours were not compared"
            yield Finding("D02", what, other.file, severity="info")
        elif colour <= subject.number("same-colour"):
            yield other.finding("D02", f"is {one.path} saved again or resized", hint)
        else:
            what = f"has the shapes of {one.path} in other colours or light"
            yield Finding("D02", what, other.file, severity="info")
    elif colour is not None and distance <= subject.number("near-distance") and colour <= subject.number("near-colour"):
        yield other.finding("D03", f"is nearly the same picture as {one.path}", hint)


def _unedited(subject: Subject, colour_difference: ColourDifference) -> Iterator[Finding]:
    """D05: both sides of a pair are the same picture."""
    by_path = {picture.path: picture for picture in subject.sound}
    for pair in subject.pairs:
        before, after = by_path.get(pair.before), by_path.get(pair.after)
        if before is None or after is None:
            continue
        if before.facts.sha256 != after.facts.sha256 and _same(subject, before, after, colour_difference):
            yield after.finding("D05", f"is the same picture as {before.path}: no edit to learn")


def _same(subject: Subject, before: Picture, after: Picture, colour_difference: ColourDifference) -> bool:
    if not before.facts.look or not after.facts.look:
        return False
    distance = (split_look(before.facts.look)[0] ^ split_look(after.facts.look)[0]).bit_count()
    # A subtle edit is still an edit: only what a re-encoding does counts as the same here.
    if distance > subject.number("edit-distance"):
        return False
    colour = colour_difference(before.file, after.file)
    return colour is not None and colour <= subject.number("edit-colour")


def split_look(look: str) -> tuple[int, int]:
    """The hash of the picture and that of its mirror image."""
    return int(look[:32], 16), int(look[32:], 16)

"""review.pair_lines: before, after and instruction of each pair stand together."""

from __future__ import annotations

from scenario_apply.dataset.types import Contents, Image, Pair
from scenario_apply.model.address import parse_address
from scenario_apply.planning.changes import Action, Change, ImageChange, ImageDiff, PairChange, PairDiff
from scenario_apply.review.change_view import Beside, ChangeView, change_view
from scenario_apply.review.image_lines import image_lines
from scenario_apply.review.pair_lines import pair_lines, pairs_shown
from scenario_apply.review.screen import Screen

SCREEN = Screen(width=80)


def change(pairs: PairDiff, images: ImageDiff = ImageDiff()) -> ChangeView:  # noqa: B008  # frozen
    made = Change(address=parse_address("model.paint"), action=Action.RETRAIN, pairs=pairs, images=images)
    return change_view(made, Beside())


def pair(name: str, text: str, previous: str | None = None) -> PairChange:
    return PairChange(before=f"before/{name}.png", after=f"after/{name}.jpg", instruction=text, previous=previous)


def test_a_changed_instruction_is_shown_word_by_word_beside_both_pictures() -> None:
    lines = pair_lines(change(PairDiff(change=(pair("01", "paint it red", "paint it blue"),))), SCREEN)
    assert lines == ['      ~ before/01.png -> after/01.jpg  "paint it [-blue-] {+red+}"']


def test_pairs_that_come_and_go_show_their_instruction() -> None:
    diff = PairDiff(add=(pair("02", "draw it"),), remove=(pair("03", "paint it"),))
    assert pair_lines(change(diff), SCREEN) == [
        '      + before/02.png -> after/02.jpg  "draw it"',
        '      - before/03.png -> after/03.jpg  "paint it"',
    ]


def test_long_names_leave_the_instruction_a_line_of_its_own() -> None:
    lines = pair_lines(change(PairDiff(add=(pair("a-name-of-many-letters", "draw it"),))), SCREEN)
    assert lines[1:] == ['          "draw it"']
    assert all(len(line) <= 80 for line in lines)


def test_pictures_of_listed_pairs_are_not_listed_again() -> None:
    images = ImageDiff(add=(ImageChange(path="before/02.png"), ImageChange(path="loose.png")))
    lines = image_lines(change(PairDiff(add=(pair("02", "draw it"),)), images), SCREEN)
    assert lines == ["      + loose.png  (captioned by Scenario)"]


def test_pairs_of_a_dataset_are_shown_with_the_sizes_of_both_pictures() -> None:
    images = tuple(
        Image(path=p, file=p, sha256=p, size_bytes=n, mime="image/png", width=1024, height=n, caption=None)
        for p, n in (("after/1.jpg", 768), ("before/1.png", 1024))
    )
    shown = Contents(images=images, pairs=(Pair(before="before/1.png", after="after/1.jpg", instruction="draw it"),))
    assert pairs_shown(shown, {"after/1.jpg": "P05"}, SCREEN) == [
        "before/1.png (1024x1024, 1 kB) -> after/1.jpg (1024x768, 768 B, P05)",
        '  "draw it"',
    ]

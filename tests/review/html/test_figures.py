"""Figures of a change: which pictures stand side by side, what their captions were, and what they repeat."""

from __future__ import annotations

from scenario_apply.errors import Diagnostic
from scenario_apply.planning.changes import (
    Action,
    CaptionChange,
    CaptionDiff,
    Change,
    ImageChange,
    ImageDiff,
    PairChange,
    PairDiff,
)
from scenario_apply.review.change_view import Beside, change_view
from scenario_apply.review.html.figures import Figure, PictureFacts, Sheet, digests_of, sheets_of
from scenario_apply.review.word_diff import Stretch
from tests.cli.plans import KAEL

FACTS = {
    "new.png": PictureFacts(
        sha256="n" * 64,
        width=900,
        height=600,
        size_bytes=76_000,
        findings=(Diagnostic(code="D02", message="looks like a copy", severity="warning"),) * 2,
        twins=("kept.png",),
    ),
    "kept.png": PictureFacts(sha256="k" * 64, width=10, height=10, size_bytes=500),
    "other.png": PictureFacts(sha256="o" * 64),
}


def change(**parts: object) -> Change:
    return Change(address=KAEL, action=Action.REPLACE, **parts)  # type: ignore[arg-type]  # fields by name


def sheets(one: Change) -> tuple[Sheet, ...]:
    return sheets_of(change_view(one, Beside()), FACTS, 3)


def only(one: Change) -> Figure:
    ((figure,),) = (sheet.figures for sheet in sheets(one))
    return figure


def test_an_added_picture_has_its_findings_and_the_picture_it_repeats() -> None:
    figure = only(change(images=ImageDiff(add=(ImageChange(path="new.png", caption="a hat", sha256="n" * 64),))))
    assert (figure.id, figure.kind, figure.sign, figure.text) == ("p3-0", "added", "+", "a hat")
    assert [(side.sha256, side.measures) for side in figure.sides] == [("n" * 64, "900 x 600, 76 kB")]
    assert [(twin.path, twin.sha256) for twin in figure.twins] == [("kept.png", "k" * 64)]
    assert figure.codes == "D02"


def test_a_replaced_picture_stands_beside_the_one_it_was() -> None:
    image = ImageChange(path="other.png", caption="a cap", sha256="o" * 64, previous_sha256="p" * 64)
    captions = CaptionDiff(change=(CaptionChange(path="other.png", before="a hat", after="a cap"),))
    figure = only(change(images=ImageDiff(change=(image,)), captions=captions))
    assert [(side.label, side.sha256) for side in figure.sides] == [("before", "p" * 64), ("after", "o" * 64)]
    assert figure.words == (Stretch(same="a "), Stretch(gone="hat", new="cap"))


def test_the_same_file_sent_in_another_form_is_shown_once() -> None:
    image = ImageChange(path="other.png", sha256="o" * 64, previous_sha256="o" * 64, same_file=True, recipe="strip")
    figure = only(change(images=ImageDiff(change=(image,))))
    assert len(figure.sides) == 1
    assert figure.note.startswith("the same file, now sent altered: ")


def test_a_changed_caption_stands_beside_its_picture() -> None:
    one = change(captions=CaptionDiff(change=(CaptionChange(path="kept.png", before="red cape", after="red cloak"),)))
    figure = only(one)
    assert (figure.kind, figure.sides[0].sha256) == ("caption", "k" * 64)
    assert figure.words == (Stretch(same="red "), Stretch(gone="cape", new="cloak"))


def test_a_caption_that_scenario_writes_again_is_shown_as_it_was() -> None:
    one = change(captions=CaptionDiff(remove=(CaptionChange(path="kept.png", before="red cape", after=None),)))
    assert only(one).caption_note == "will be captioned by Scenario; the caption was"
    assert only(one).text == "red cape"


def test_the_pictures_of_a_pair_are_shown_once_with_their_instruction() -> None:
    pair = PairChange(
        before="kept.png", after="other.png", instruction="as ink", previous="as oil", replaced=("after",)
    )
    images = ImageDiff(change=(ImageChange(path="other.png", sha256="o" * 64, previous_sha256="p" * 64),))
    figure = only(change(pairs=PairDiff(change=(pair,)), images=images))
    assert [(side.label, side.sha256) for side in figure.sides] == [("before", "k" * 64), ("after", "o" * 64)]
    assert figure.words == (Stretch(same="as "), Stretch(gone="oil", new="ink"))
    assert figure.note == "after picture replaced"


def test_every_picture_counts_as_often_as_it_is_shown() -> None:
    image = ImageChange(path="new.png", sha256="n" * 64)
    captions = CaptionDiff(change=(CaptionChange(path="kept.png", before="a", after="b"),))
    found = digests_of(sheets(change(images=ImageDiff(add=(image,)), captions=captions)))
    assert list(found) == ["n" * 64, "k" * 64, "k" * 64]


def test_the_pictures_of_a_twin_are_not_shown_again() -> None:
    one = change(images=ImageDiff(add=(ImageChange(path="new.png", sha256="n" * 64),)))
    assert sheets_of(change_view(one, Beside(), twin=KAEL), FACTS, 1) == ()

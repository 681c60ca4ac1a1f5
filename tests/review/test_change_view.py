"""A change as every writer shows it: attributes before and after, pictures, captions, pairs."""

from __future__ import annotations

from msgspec.structs import replace

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
from scenario_apply.planning.reasons import DeleteNeedsConsent, DestroyAskedFor
from scenario_apply.review.change_view import AttributeView, Beside, change_view, twins_of
from scenario_apply.review.word_diff import Stretch
from tests.cli.plans import CREATED, KAEL, REPLACED

NOTHING_BESIDE = Beside()


def test_each_parameter_is_an_attribute_of_its_own_with_both_values() -> None:
    view = change_view(REPLACED, NOTHING_BESIDE)
    assert view.changed_attributes == (AttributeView(name="nbEpochs", before="10", after="12", is_parameter=True),)
    assert AttributeView(name="id", before="model_1", after="model_1") in view.attributes
    created = change_view(CREATED, NOTHING_BESIDE).attributes
    assert AttributeView(name="learningRate", before=None, after="0.0002", is_parameter=True) in created


def test_a_replaced_picture_has_both_digests_and_both_captions() -> None:
    change = replace(
        REPLACED,
        images=ImageDiff(
            change=(ImageChange(path="a.png", caption="new", sha256="22", previous_sha256="11", file="kael/a.png"),)
        ),
        captions=CaptionDiff(change=(CaptionChange(path="a.png", before="old", after="new"),)),
    )
    (picture,) = change_view(change, NOTHING_BESIDE).pictures
    assert (picture.kind, picture.sha256, picture.previous_sha256) == ("replaced", "22", "11")
    assert (picture.previous_caption, picture.caption) == ("old", "new")
    assert change_view(change, NOTHING_BESIDE).captions[0].file == "kael/a.png"


def test_a_removed_picture_is_where_its_dataset_is_as_far_as_that_is_known() -> None:
    """Its file is gone; in the history of Git it lies in the folder of the others."""
    change = replace(REPLACED, images=ImageDiff(remove=(ImageChange(path="poses/02.png"),)))
    assert change_view(change, NOTHING_BESIDE).of_kind("removed")[0].file is None
    assert change_view(change, Beside(folder="kael")).of_kind("removed")[0].file == "kael/poses/02.png"
    assert change_view(change, Beside(folder="")).of_kind("removed")[0].file == "poses/02.png"


def test_captions_and_instructions_are_compared_word_by_word() -> None:
    diff = CaptionDiff(
        change=(CaptionChange(path="a", before="a red cape", after="a red cloak"),),
        add=(CaptionChange(path="b", before=None, after="b"),),
    )
    pairs = PairDiff(change=(PairChange(before="1", after="2", instruction="as oil", previous="as ink"),))
    view = change_view(replace(REPLACED, captions=diff, pairs=pairs), NOTHING_BESIDE)
    assert view.captions[0].words == (Stretch(same="a red "), Stretch(gone="cape", new="cloak"))
    assert view.captions[1].words == ()
    assert view.pairs[0].words == (Stretch(same="as "), Stretch(gone="ink", new="oil"))


def test_what_a_title_says_is_no_reason_and_consent_is_marked() -> None:
    change = Change(address=KAEL, action=Action.DELETE, reasons=(DestroyAskedFor(),), notes=(DeleteNeedsConsent(),))
    assert change_view(change, NOTHING_BESIDE).reasons[0].code == "destroy"
    assert change_view(change, NOTHING_BESIDE, destroy=True).reasons == ()
    assert change_view(change, NOTHING_BESIDE).notes[0].needs_consent


def test_changes_with_the_same_pictures_name_the_first_of_them() -> None:
    other = replace(REPLACED, address=CREATED.address)
    assert twins_of((REPLACED, other, CREATED)) == {CREATED.address: KAEL}

"""Captions of the service that were written into files ask for no training; any other text does."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.types import Contents
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.remote import AssetId, TrainingImage
from scenario_apply.planning import reasons as why
from scenario_apply.planning.as_sent import as_sent
from scenario_apply.planning.caption_comparison import compare_captions
from scenario_apply.planning.decision import Decision, Keep, Replace
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.own_captions import says_the_same
from tests.planning.decisions import MANIFEST, decided, declared, recorded, seen, version
from tests.planning.manifests import picture

SENT = (picture("01.png", "ash"), picture("02.png", "elm"))
OTHER_EPOCHS = declared(parameters={"nbEpochs": 12})
OWN = ("a fox, in snow.", "an elm")


def shown(*, descriptions: tuple[str, str] = ("", ""), own: tuple[str, str] = OWN) -> Observed:
    """m1, whose images were sent without captions, as the service shows it."""
    images = tuple(
        TrainingImage(id=AssetId(f"a{n}"), name=image.path, description=description, automatic_caption=caption)
        for n, (image, description, caption) in enumerate(zip(SENT, descriptions, own, strict=True), start=1)
    )
    return as_sent(seen(images=images), recorded(version(images=SENT)))


def planned(captions: tuple[str | None, str | None], observed: Observed, made: Manifest = MANIFEST) -> Decision:
    images = tuple(picture(i.path, name, c) for i, name, c in zip(SENT, ("ash", "elm"), captions, strict=True))
    return decided(made, recorded(version(images=SENT)), observed, images)


@pytest.mark.parametrize("captions", [OWN, (OWN[0], None), ("a  fox, in\tsnow.", OWN[1])])
def test_the_services_own_caption_written_down_is_no_change(captions: tuple[str | None, str | None]) -> None:
    assert isinstance(planned(captions, shown()), Keep)


def test_a_service_that_shows_its_caption_as_the_description_is_understood() -> None:
    assert isinstance(planned(OWN, shown(descriptions=OWN, own=("", ""))), Keep)


def test_another_text_is_a_change_and_only_that() -> None:
    decision = planned((OWN[0], "KAEL, an elm"), shown())
    assert isinstance(decision, Replace)
    assert [(change.path, change.after) for change in decision.content.captions.add] == [("02.png", "KAEL, an elm")]


def test_without_a_refresh_nobody_knows_what_the_service_says() -> None:
    decision = planned(OWN, Observed())
    assert isinstance(decision, Replace)
    assert why.OwnCaptionsUnknown() in decision.notes
    assert why.OwnCaptionsUnknown() not in planned(("another", None), shown()).notes


def test_a_caption_that_a_person_wrote_on_the_service_is_not_its_own() -> None:
    decision = planned(("by hand", OWN[1]), shown(descriptions=("by hand", "")))
    assert isinstance(decision, Replace)
    assert [(change.path, change.after) for change in decision.content.captions.add] == [("01.png", "by hand")]


def test_a_training_for_another_reason_does_not_send_them_and_is_not_repeated() -> None:
    """What is recorded of it is what was sent: the next plan finds it as it is."""
    decision = planned(OWN, shown(), OTHER_EPOCHS)
    assert isinstance(decision, Replace)
    assert [image.caption for image in decision.contents.images] == [None, None]
    assert decision.dataset_digest is not None
    again = version(images=SENT, parameters={"nbEpochs": 12})
    assert isinstance(decided(OTHER_EPOCHS, recorded(again), shown(), images=SENT), Keep)


@pytest.mark.parametrize(
    ("sent", "own", "is_same"),
    [("a fox, red", "a fox,, red,", True), ("a fox red", "a fox\nred", True), ("a fox", "A fox", False)],
)
def test_the_form_of_a_text_does_not_count_but_its_words_do(sent: str, own: str, is_same: bool) -> None:
    assert says_the_same(sent, own) is is_same


def test_a_comparison_says_which_side_moved() -> None:
    images = (picture("01.png", "ash", "here"), picture("02.png", "elm", "elm"), picture("03.png", "oak", "new"))
    sent = version(images=(picture("01.png", "ash", "sent"), picture("02.png", "elm", "elm")))
    held = (
        TrainingImage(id=AssetId("a1"), name="", description="sent", automatic_caption="x"),
        TrainingImage(id=AssetId("a2"), name="", description="edited", automatic_caption="x"),
    )
    compared = compare_captions(Contents(images=images), sent, seen(images=held).models[sent.id])
    assert [(one.status, one.scenario) for one in compared] == [
        ("changed-here", "sent"),
        ("changed-on-scenario", "edited"),
        ("not-sent", None),
    ]

"""planning/promotion.py: what a manifest is to say so that a version or an epoch is used."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.errors import StateError
from scenario_apply.manifest.spec import BestVersion, Lifecycle, ModelSpec
from scenario_apply.model.remote import RemoteEpoch
from scenario_apply.model.secret import Secret
from scenario_apply.planning import reasons as why
from scenario_apply.planning.decide import decide
from scenario_apply.planning.decision import Relabel
from scenario_apply.planning.desired import desire
from scenario_apply.planning.promotion import Choice, Promotion, promotion
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.state.state import State
from tests.planning.decisions import IMAGES, KAEL, SPEC, recorded, seen, version
from tests.planning.manifests import dataset, manifest, picture

OLD = version(1, parameters={"nbEpochs": 4, "rank": 8}, epoch="3")
STATE = recorded(version(2), previous=(OLD,))


def inputs(spec: ModelSpec, state: State) -> Inputs:
    desired = desire(manifest(spec), {"set": dataset("set", IMAGES)})
    epochs = tuple(RemoteEpoch(name=str(number), assets=()) for number in range(1, 11))
    return Inputs(desired=desired, state=state, observed=seen(id="m2", epochs=epochs), asked=PlanRequestOptions())


def promoted(
    number: int | None = None,
    epoch: str | None = None,
    why: str | None = None,
    *,
    spec: ModelSpec = SPEC,
    state: State = STATE,
) -> Promotion:
    choice = Choice(number=number, epoch=epoch, by="Ada", at="2026-11-27", why=why)
    return promotion(inputs(spec, state), spec, state.records[KAEL], choice)


BY: dict[str, Any] = {"by": "Ada", "at": "2026-11-27"}


def test_an_epoch_is_declared_with_who_chose_it_and_when() -> None:
    found = promoted(epoch="8", why="the cloak")
    assert found.values == {"best": {"version": 2, "epoch": 8, **BY, "why": "the cloak"}, "epoch": 8}
    again = promoted(epoch="8", spec=found.spec)
    assert (again.values, again.removed) == ({}, ())
    assert promoted(epoch="8", why="the hood", spec=found.spec).values["best"] == {
        "version": 2,
        "epoch": 8,
        **BY,
        "why": "the hood",
    }


def test_a_previous_version_is_asked_for_by_its_parameters_and_its_epoch() -> None:
    """A plan of it brings that version back without a training."""
    spec = replace(SPEC, epoch="8", parameters={"nbEpochs": 10, "learningRate": 1.0, "wandbKey": Secret("k")})
    state = recorded(version(2, parameters={"nbEpochs": 10, "learningRate": 1.0}), previous=(OLD,))
    found = promoted(1, spec=spec, state=state)
    assert found.values == {
        "best": {"version": 1, "epoch": 3, **BY},
        "epoch": 3,
        "parameters.nbEpochs": 4,
        "parameters.rank": 8,
    }
    assert (found.removed, found.obstacle) == (("parameters.learningRate",), None)
    decision = decide(inputs(found.spec, state))[KAEL]
    assert isinstance(decision, Relabel)
    assert why.VersionRestored(1) in decision.reasons


def test_the_epoch_of_another_version_is_not_left_to_one_that_had_none() -> None:
    state = recorded(version(2), previous=(replace(OLD, epoch=None),))
    found = promoted(1, spec=replace(SPEC, epoch="8"), state=state)
    assert found.removed == ("epoch",)
    assert promoted(2, spec=replace(SPEC, epoch="8")).removed == (), "of the current one it is what is wanted"


def test_an_epoch_of_a_version_that_the_manifest_no_longer_asks_for() -> None:
    """It can be written, and the next plan trains another version: what differs is kept, to be said."""
    assert promoted(epoch="8").left == ()
    found = promoted(epoch="8", spec=replace(SPEC, parameters={"nbEpochs": 9}))
    assert [one.code for one in found.left] == ["parameter-changed"]
    assert found.values["epoch"] == 8


def test_a_version_of_other_images_cannot_be_asked_for() -> None:
    other = version(1, (*IMAGES, picture("03.png", "oak")), parameters={"nbEpochs": 4})
    found = promoted(1, state=recorded(version(2), previous=(other,)))
    assert (found.obstacle, found.left) == ("content", (why.ImagesChanged(0, 0, 1),))


def test_of_versions_that_are_alike_and_of_models_that_are_not_replaced_none_is_brought_back() -> None:
    assert promoted(1, state=recorded(version(2), previous=(version(1),))).obstacle == "same"
    spec = replace(SPEC, lifecycle=Lifecycle(on_change="keep"))
    assert promoted(1, spec=spec).obstacle == "kept"


@pytest.mark.parametrize(
    ("number", "epoch", "words"),
    [
        (7, None, "has no version 7"),
        (None, "12", "version 2 of model.kael has no epoch 12"),
        (3, None, "version 3 of model.kael is not trained"),
    ],
)
def test_what_does_not_exist_is_refused(number: int | None, epoch: str | None, words: str) -> None:
    state = recorded(version(2), previous=(OLD,), pending=version(3, phase="building"))
    with pytest.raises(StateError, match=words):
        promoted(number, epoch, state=state)


def test_the_best_version_is_named_also_where_nothing_else_changes() -> None:
    found = promoted(2)
    assert found.values == {"best": {"version": 2, **BY}}
    assert found.spec.best == BestVersion(version=2, **BY)

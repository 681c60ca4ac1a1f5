"""planning/epochs.py: which epoch is chosen, what is left alone, and epochs that do not exist."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.manifest.spec import Concept, Lifecycle
from scenario_apply.model.remote import ModelId, RemoteEpoch
from scenario_apply.model.samples import SampleRequest
from scenario_apply.model.steps import AwaitTraining, StartTraining, UpdateModel
from scenario_apply.planning import reasons as why
from scenario_apply.planning.changes import Cost, Drift
from scenario_apply.planning.decision import Decision, Keep, Relabel
from scenario_apply.planning.describe import changes_of
from scenario_apply.planning.observed import Observed, content_drift
from scenario_apply.planning.state_edit import edited
from scenario_apply.planning.steps_builder import make_steps
from scenario_apply.state.state import ConceptRecord, Record, SampleRecord, State, Version
from tests.planning.decisions import (
    INK,
    KAEL,
    SPEC,
    decided,
    decisions,
    declared,
    ink,
    recorded,
    seen,
    version,
)
from tests.planning.manifests import HERE, composition, manifest

TEN = tuple(RemoteEpoch(name=str(number), assets=()) for number in range(1, 11))
EIGHT = declared(epoch="8")


@pytest.mark.parametrize(
    ("held", "shown", "old", "drifted"),
    [
        (None, "10", "10", False),
        ("8", "10", "10", True),
        ("6", "6", "6", False),
        ("6", None, "6", False),
        (None, None, None, False),
    ],
)
def test_a_trained_model_is_given_the_declared_epoch(
    held: str | None, shown: str | None, old: str | None, drifted: bool
) -> None:
    """Where the record or the service has another one: one free update, and no training."""
    decision = decided(EIGHT, recorded(version(epoch=held)), seen(epoch=shown, epochs=TEN))
    assert isinstance(decision, Relabel)
    assert decision.reasons == (why.EpochChanged(old, "8", drifted),)
    steps = make_steps({KAEL: decision}, State(), Observed())
    assert [planned.step for planned in steps] == [UpdateModel(address=KAEL, epoch="8")]
    (change,) = changes_of({KAEL: decision}, steps, {KAEL: Cost()})
    assert (change.change_class, (change.before or {}).get("epoch"), (change.after or {})["epoch"]) == (
        "metadata",
        old,
        "8",
    )


@pytest.mark.parametrize(("held", "epochs"), [(None, ["8", "8"]), ("6", [None, "8"])])
def test_an_epoch_that_the_service_uses_already_is_only_recorded(held: str | None, epochs: list[str | None]) -> None:
    """Samples that were drawn with the service's choice are of it: none of them is paid for again."""
    drawn = tuple(
        SampleRecord(
            request=SampleRequest(name="1", prompt="p", seed=seed, base=ModelId("b")),
            phase="drawn",
            at="x",
            epoch=epoch,
        )
        for seed, epoch in enumerate((None, "8"))
    )
    state = recorded(version(epoch=held, samples=drawn))
    decision = decided(EIGHT, state, seen(epoch="8", epochs=TEN))
    assert isinstance(decision, Relabel)
    assert not make_steps({KAEL: decision}, State(), Observed())
    current = edited(state, {KAEL: decision.edit}).records[KAEL].current
    assert (current.epoch, [sample.epoch for sample in current.samples]) == ("8", epochs)
    assert decision.record is not None
    assert decision.record.current == current


def test_a_chosen_epoch_that_is_in_use_is_no_change() -> None:
    decision = decided(EIGHT, recorded(version(epoch="8")), seen(epoch="8", epochs=TEN))
    assert isinstance(decision, Keep)
    assert not decision.notes


def test_an_epoch_that_is_removed_from_the_manifest_stays_in_use_and_is_said_to() -> None:
    decision = decided(declared(), recorded(version(epoch="8")), seen(epoch="10"))
    assert isinstance(decision, Keep)
    assert decision.notes == (why.EpochLeft("8"),)
    assert not decision.resource.drift, "the choice is the service's own now"
    assert not decided(declared(), recorded(), seen(epoch="10")).notes


def test_another_epoch_on_the_service_is_drift() -> None:
    observed = seen(epoch="10", epochs=TEN)
    decision = decided(EIGHT, recorded(version(epoch="8")), observed)
    found = Drift(address=KAEL, what="epoch", recorded="8", observed="10")
    assert decision.resource.drift == (found,)
    assert content_drift(KAEL, Record(current=version(epoch="8")), observed.models[ModelId("m1")]) == [found]


def test_what_is_composed_of_a_model_waits_for_its_epoch() -> None:
    """It would be made of another one, and paid for."""
    made = manifest(replace(SPEC, epoch="8"), composition("ink", [Concept(model=KAEL, scale=0.5, place=HERE)]))
    update, create, *_ = make_steps(decisions(made, recorded(version(epoch="10"))), recorded(), Observed())
    assert (update.step, create.address) == (UpdateModel(address=KAEL, epoch="8"), INK)
    assert create.after == (update.id,)


@pytest.mark.parametrize("current", [None, version(), version(phase="failed"), version(phase="training")])
def test_the_epoch_is_chosen_after_the_training_and_before_what_uses_it(current: Version | None) -> None:
    """Of a new model, a replacement, a failed training and one that runs."""
    kael = replace(SPEC, epoch="8", parameters={"nbEpochs": 12})
    made = manifest(kael, composition("ink", [Concept(model=KAEL, scale=0.5, place=HERE)]))
    state = State() if current is None else recorded(current)
    steps = make_steps(decisions(made, state), state, Observed())
    of_kael = [planned for planned in steps if planned.address == KAEL]
    wait, chosen = of_kael[-2:]
    assert isinstance(wait.step, AwaitTraining)
    assert (chosen.step, chosen.after) == (UpdateModel(address=KAEL, epoch="8"), (wait.id,))
    create = next(planned for planned in steps if planned.address == INK)
    assert create.after == (chosen.id,)


def test_a_plan_that_waits_says_which_epoch_is_chosen_then() -> None:
    assert why.EpochChanged(None, "8") in decided(EIGHT, recorded(version(phase="training"))).notes


def test_a_version_that_is_trained_again_is_given_its_epoch_after_that() -> None:
    spec = replace(SPEC, epoch="8", parameters={"nbEpochs": 12}, lifecycle=Lifecycle(on_change="retrain"))
    state = recorded(version(epoch="10"))
    steps = [planned.step for planned in make_steps(decisions(manifest(spec), state), state, Observed())]
    assert [type(step) for step in steps] == [StartTraining, AwaitTraining, UpdateModel]


def test_an_ignored_epoch_is_left_as_it_is() -> None:
    ignoring = declared(epoch="8", lifecycle=Lifecycle(ignore_changes=("epoch",)))
    assert isinstance(decided(ignoring, recorded(version(epoch="6")), seen(epoch="6", epochs=TEN)), Keep)


def test_a_rollback_brings_back_the_epoch_of_its_version() -> None:
    """The manifest's is meant for the version that was left."""
    held = recorded(version(epoch="6"), held=version().fingerprint)
    assert isinstance(decided(EIGHT, held, seen(epoch="6", epochs=TEN)), Keep)


def problems(decision: Decision) -> list[str]:
    return [f"{one.code}: {one.message}" for one in decision.resource.problems]


def test_an_epoch_that_a_trained_model_does_not_have_is_an_error_of_the_plan() -> None:
    missing = decided(declared(epoch="12"), recorded(), seen(epoch="10", epochs=TEN[7:]))
    assert problems(missing) == ["epoch-unknown: model.kael asks for epoch 12, and the training has epochs 8, 9 and 10"]
    assert problems(decided(declared(epoch="12"), recorded(), seen(epoch="10"))) == [], "its epochs are not known"


def pinning(epoch: str | None) -> Concept:
    return Concept(model=KAEL, scale=0.5, epoch=epoch, place=HERE)


def test_a_part_pinned_to_an_epoch_that_does_not_exist_is_an_error_of_the_plan() -> None:
    """Where the epochs are known, and unless the composition was made of it already."""
    observed = seen(epoch="10", epochs=TEN)
    made = manifest(SPEC, composition("ink", [pinning("12")]))
    (problem,) = decisions(made, recorded(), observed)[INK].resource.problems
    assert problem.message.startswith("composition.ink uses model.kael at epoch 12, and the training has epochs 1, 2")
    part = ConceptRecord(ModelId("m1"), 0.5, "12")
    with_part = replace(ink(), current=replace(ink().current, concepts=(part,)))
    composed = State(records={**recorded().records, INK: with_part})
    assert not decisions(made, composed, observed)[INK].resource.problems


@pytest.mark.parametrize(
    ("parameters", "is_wrong"),
    [({"nbEpochs": 10}, True), ({"nbEpochs": 12}, False), ({}, False), ({"nbEpochs": 5, "maxTrainSteps": 900}, False)],
)
def test_a_part_pinned_beyond_the_epochs_of_its_training_is_an_error_before_that_is_paid_for(
    parameters: dict[str, object], is_wrong: bool
) -> None:
    made = manifest(replace(SPEC, parameters=parameters), composition("ink", [pinning("12")]))
    words = "epoch-unknown: composition.ink uses model.kael at epoch 12, and the training has 10 (nbEpochs)"
    assert problems(decisions(made, State())[INK]) == [words] * is_wrong


def test_a_part_that_is_given_another_epoch_is_no_reason_to_compose_again() -> None:
    """Only a composition that pins another one is trained again."""
    made = Record(current=replace(ink("m1").current, type="flux.1-composition"))
    state = State(records={**recorded(version(epoch="10")).records, INK: made})
    unpinned = manifest(replace(SPEC, epoch="8"), composition("ink", [pinning(None)]))
    assert isinstance(decisions(unpinned, state)[INK], Keep)
    pinned = manifest(SPEC, composition("ink", [pinning("8")]))
    assert why.ConceptChanged("m1", "epoch", None, "8") in decisions(pinned, state)[INK].reasons

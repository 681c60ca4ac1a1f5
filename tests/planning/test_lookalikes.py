"""A plan says what it would make though it seems to exist, with the line that saves the training."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.planning import lookalikes as lookalikes_module
from scenario_apply.planning.decide import decide
from scenario_apply.planning.desired import desire
from scenario_apply.planning.lookalikes import lookalikes
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.state.state import Record, State
from tests.planning.decisions import IMAGES, KAEL, gone, version
from tests.planning.manifests import dataset, manifest, model


def notes(
    made: Manifest, state: State, on_service: Sequence[RemoteModel] = (), observed: Observed | None = None
) -> list[Diagnostic]:
    given = Inputs(
        desired=desire(made, {"set": dataset("set", IMAGES)}),
        state=state,
        observed=observed or Observed(),
        asked=PlanRequestOptions(),
    )
    return list(lookalikes(given, decide(given), on_service))


def state_of(**records: Record) -> State:
    """Names with two underscores are children: lr__slow is model.lr/slow."""
    return State(records={Address("model", *name.split("__")): record for name, record in records.items()})


TRAINED = Record(current=version())


def test_a_renamed_key_is_recognised_and_the_line_is_printed() -> None:
    (note,) = notes(manifest(model("ranger")), state_of(kael=TRAINED))
    assert (note.code, note.severity) == ("looks-renamed", "info")
    assert "moved: [{ from: model.kael, to: model.ranger }]" in (note.hint or "")
    assert note.location is not None


@pytest.mark.parametrize(
    ("made", "record"),
    [
        (manifest(model("ranger", parameters={"nbEpochs": 11})), TRAINED),
        (manifest(model("ranger", type="sd-xl-lora")), TRAINED),
        (manifest(model("ranger")), Record(current=version(fingerprint=None, phase="building"))),
        (manifest(model("ranger")), Record(current=version(phase="failed"))),
        (manifest(model("kael"), model("ranger", parameters={"nbEpochs": 11})), TRAINED),
    ],
)
def test_what_was_trained_otherwise_or_not_at_all_is_not_renamed(made: Manifest, record: Record) -> None:
    assert notes(made, state_of(kael=record)) == []


def test_a_model_that_is_gone_on_the_service_saves_nothing() -> None:
    assert notes(manifest(model("ranger")), state_of(kael=TRAINED), observed=gone("m1")) == []


def test_a_matrix_that_was_renamed_takes_one_line() -> None:
    records = {}
    specs = []
    for number, (label, epochs) in enumerate({"slow": 5, "fast": 20}.items(), 1):
        parameters = {"nbEpochs": epochs}
        records[f"lr__{label}"] = Record(current=version(id=ModelId(f"m{number}"), parameters=parameters))
        specs.append(model("grid", label=label, parameters=parameters))
    (note,) = notes(manifest(*specs), state_of(**records))
    assert "{ from: model.lr, to: model.grid }" in (note.hint or "")


def test_each_old_resource_is_named_once() -> None:
    """Two alike were trained; the name on the service says which is which."""
    records = {
        "one": Record(current=version(id=ModelId("m1"), name="first")),
        "two": Record(current=version(id=ModelId("m2"), name="second")),
    }
    made = manifest(replace(model("a"), name="second"), replace(model("b"), name="first"))
    found = {note.message.split()[0]: note.hint or "" for note in notes(made, state_of(**records))}
    assert "from: model.two, to: model.a" in found["model.a"]
    assert "from: model.one, to: model.b" in found["model.b"]


def test_thousands_of_models_that_were_trained_alike_are_not_all_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    records = {f"old{n}": Record(current=version(id=ModelId(f"m{n}"))) for n in range(6)}
    made = manifest(*(model(f"new{n}") for n in range(6)))
    monkeypatch.setattr(lookalikes_module, "_MOST_COMPARED", 15)
    found = notes(made, state_of(**records))
    assert [note.code for note in found] == ["looks-renamed", "looks-renamed", "same-training"]


def test_an_unrecorded_model_of_the_same_name_and_type_is_mentioned() -> None:
    there = RemoteModel(id=ModelId("m7"), type="flux.1-lora", status="trained", name="kael")
    other = replace(there, id=ModelId("m8"), name="other")
    (note,) = notes(manifest(model("kael")), State(), [other, there])
    assert (note.code, note.severity) == ("unrecorded-model", "info")
    assert "m7 (trained)" in note.message
    assert "import: [{ to: model.kael, id: m7 }]" in (note.hint or "")


def test_a_recorded_model_is_not_mentioned() -> None:
    there = RemoteModel(id=ModelId("m1"), type="flux.1-lora", status="trained", name="props")
    assert (
        notes(manifest(model("kael"), model("props", parameters={"nbEpochs": 3})), state_of(kael=TRAINED), [there])
        == []
    )


def test_identical_trainings_are_said_to_be() -> None:
    (note,) = notes(manifest(model("a"), model("b"), model("c", parameters={"nbEpochs": 3})), State())
    assert (note.code, note.severity) == ("same-training", "info")
    assert note.message.startswith("model.a and model.b are trained on the same")


def test_a_new_resource_that_is_like_an_existing_one_is_said_to_be() -> None:
    (note,) = notes(manifest(model("kael"), model("twin")), State(records={KAEL: TRAINED}))
    assert note.message.startswith("model.kael and model.twin are trained on the same")


def test_a_plan_that_trains_nothing_has_no_notes() -> None:
    assert notes(manifest(model("kael")), State(records={KAEL: TRAINED})) == []

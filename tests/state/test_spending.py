"""state/spending.py: an entry for each launch, which outlives its model, in a bounded account."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, JobId, ModelId
from scenario_apply.model.steps import AwaitTraining, DeleteModel, PlannedStep, StartTraining
from scenario_apply.planning.state_edit import StateEdit, edited
from scenario_apply.state.merging import Side, merged
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.spending import months_of, resources_of, runs_of, sum_of, trainings_of
from scenario_apply.state.state import (
    TRAININGS_KEPT,
    HistoryEntry,
    ImageRecord,
    Quote,
    Record,
    State,
    TrainingEntry,
    Version,
)
from scenario_apply.state.state_file import state_from_json, state_to_json

SCHEMA = Path(__file__).parents[2] / "schema" / "state.schema.json"
KAEL, INK = Address("model", "kael"), Address("composition", "ink")
TRAIN = PlannedStep(id="s1", step=StartTraining(address=KAEL, parameters={"nbEpochs": 2}))
WAIT = PlannedStep(id="s2", step=AwaitTraining(address=KAEL, type="flux.1-lora"))
IMAGES = tuple(ImageRecord(f"{n}.png", f"{n:064}", AssetId(f"asset_{n}"), "") for n in range(3))


def built(**more: object) -> State:
    version = Version(number=1, id=ModelId("model_1"), phase="building", name="K", type="flux.1-lora", images=IMAGES)
    return State(lineage="l", serial=1, records={KAEL: Record(current=replace(version, **more))})


def launched(state: State, at: str = "2026-11-01T10:00:00Z", cu: float | None = 10.75, **more: object) -> State:
    outcome = Outcome(at=at, job_id=JobId(f"job_{at}"[:40].replace(":", "")), cu=cu)
    return after(state, TRAIN, replace(outcome, **more))


def entry(at: str, cu: float | None = 10, address: Address = KAEL, **more: object) -> TrainingEntry:
    made = TrainingEntry(
        at=at, address=address, version=1, model_id=ModelId("model_1"), type="flux.1-lora", phase="trained", charged=cu
    )
    return replace(made, **more)


def test_a_launch_is_accounted_with_what_it_was_quoted_and_charged() -> None:
    parts = {"custom-generation": 9.0, "quality-gate": 1.75}
    [one] = launched(built(), quoted=10.75, discount=0.25, details=parts).trainings
    assert (one.steps, one.images, one.quoted, one.charged, one.discount) == (6, 3, 10.75, 10.75, 0.25)
    assert one.details == parts
    assert (one.phase, one.ended_at) == ("training", None)


def test_its_end_changes_the_same_entry_and_replaying_changes_nothing() -> None:
    """A journal may be replayed on a state that holds part of it."""
    state = launched(built())
    ended = after(state, WAIT, Outcome(at="2026-11-01T12:00:00Z", phase="failed", cu=0))
    [one] = ended.trainings
    assert (one.phase, one.charged, one.ended_at) == ("failed", 0, "2026-11-01T12:00:00Z")
    again = after(launched(ended), WAIT, Outcome(at="2026-11-01T12:00:00Z", phase="failed", cu=0))
    assert again == ended


def test_a_retraining_is_an_entry_of_its_own() -> None:
    state = launched(launched(built()), at="2026-11-02T10:00:00Z", cu=12)
    assert [one.charged for one in state.trainings] == [10.75, 12]


def test_the_account_outlives_delete_rollback_and_a_rename() -> None:
    state = launched(built())
    gone = after(state, PlannedStep(id="d", step=DeleteModel(address=KAEL, model_id=ModelId("model_1"), number=1)),
                 Outcome(at="2026-11-03T00:00:00Z"))  # fmt: skip
    assert not gone.records
    assert gone.trainings == state.trainings
    elf = Address("model", "elf")
    moved = edited(state, {elf: StateEdit(moved_from=KAEL)})
    assert [one.address for one in moved.trainings] == [elf]
    record = state.records[KAEL]
    newer = replace(record.current, id=ModelId("model_2"), number=2)
    revived = replace(state, records={KAEL: Record(current=newer, previous=(record.current,)).revived(1)})
    assert trainings_of(revived)[0] == state.trainings[0]


def test_versions_that_an_older_release_recorded_count() -> None:
    state = built(launched_at="2026-10-01T00:00:00Z", charged=7.5, phase="trained")
    assert not state.trainings
    assert [one.charged for one in trainings_of(state)] == [7.5]


def test_the_account_is_bounded() -> None:
    state = State(trainings=tuple(entry(f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z") for n in range(TRAININGS_KEPT)))
    state = launched(replace(state, records=built().records))
    assert len(state.trainings) == TRAININGS_KEPT
    assert state.trainings[-1].at == "2026-11-01T10:00:00Z"


def test_a_quote_of_another_training_is_dropped_at_the_launch() -> None:
    quote = Quote(cu=99, terms="of-other-images")
    assert launched(built(quote=quote)).records[KAEL].current.quote is None
    assert launched(built(quote=quote), quoted=99).trainings[0].quoted == 99


def test_two_sides_of_a_merge_have_every_training_once_and_as_it_ended() -> None:
    first, second = entry("2026-11-01T10:00:00Z"), entry("2026-11-02T10:00:00Z", cu=5)
    running = replace(first, phase="training", charged=None)
    ours = Side(state=State(lineage="l", trainings=(running,)), name="ours")
    theirs = Side(
        state=State(lineage="l", trainings=(replace(first, ended_at="2026-11-01T11:00:00Z"), second)), name="t"
    )
    joined = merged(ours, theirs).trainings
    assert [(one.at, one.charged) for one in joined] == [(first.at, 10), (second.at, 5)]


def test_sums_are_exact_and_name_what_is_not_known() -> None:
    entries = [
        entry("2026-10-31T23:59:59Z", 0.1),
        entry("2026-11-01T00:00:00Z", 0.2),
        entry("2026-11-02T00:00:00Z", None),
    ]
    entries.append(entry("2026-11-03T00:00:00Z", 0, INK, phase="failed", quoted=4))
    whole = sum_of(entries)
    assert (whole.charged, whole.trainings, whole.unknown, whole.refunded, whole.quoted) == (0.3, 4, 1, 1, 4)
    assert {month: list(of) for month, of in months_of(entries).items()} == {"2026-10": [KAEL], "2026-11": [INK, KAEL]}
    assert resources_of(entries)[KAEL].charged == 0.3


def test_a_run_has_the_trainings_since_the_run_before() -> None:
    lines = tuple(HistoryEntry(n, f"2026-11-0{n}T12:00:00Z", who, "apply", "x") for n, who in ((1, "ada"), (2, "bo")))
    entries = tuple(entry(f"2026-11-0{day}T10:00:00Z", day) for day in (1, 2, 3))
    runs = runs_of(State(history=lines, trainings=entries))
    assert [(run.serial, run.who, run.sum.charged) for run in runs] == [(1, "ada", 1), (2, "bo", 2), (None, None, 3)]


@pytest.mark.parametrize("cu", [None, 0.0, 10.75])
def test_the_account_is_stored_and_valid(cu: float | None) -> None:
    state = launched(built(), cu=cu, quoted=10.75, details={"train-model": 10.75})
    plain = state_to_json(state, tool_version="1")
    jsonschema.validate(plain, json.loads(SCHEMA.read_text()))
    assert state_from_json(plain, source="s") == state

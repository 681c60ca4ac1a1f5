"""Two states of one lineage become one that knows every model of both, or the addresses are named that contradict."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.errors import StateError, StateForeign
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.samples import SampleRequest
from scenario_apply.state.merging import Side, common_base, merged
from scenario_apply.state.state import (
    AssetRecord,
    HistoryEntry,
    Phase,
    Record,
    SamplePhase,
    SampleRecord,
    State,
    Version,
)

KAEL, PROPS = parse_address("model.kael"), parse_address("model.props")


def version(id: str, phase: Phase = "trained", number: int = 1, name: str = "a") -> Version:
    return Version(number=number, id=ModelId(id), phase=phase, name=name, type="flux.1-lora")


def record(*ids: str, phase: Phase = "trained", name: str = "a") -> Record:
    """The current version first; phase and name are its own."""
    older = tuple(version(id, number=len(ids) - at) for at, id in enumerate(ids) if at)
    return Record(current=version(ids[0], phase, len(ids), name), previous=older)


def entry(serial: int) -> HistoryEntry:
    return HistoryEntry(serial=serial, at=f"2026-01-{serial:02}T00:00:00Z", who="w", command="c", what="x")


def state(records: dict[Address, Record], serial: int = 3, history: tuple[int, ...] = (), **more: object) -> State:
    values = {"lineage": "one", "serial": serial, "endpoint": "here", "records": records}
    return State(**{**values, "history": tuple(map(entry, history)), **more})  # type: ignore[arg-type]  # by name


def joined(ours: State, theirs: State, base: State | None = None) -> State:
    return merged(Side(state=ours, name="ours.json"), Side(state=theirs, name="theirs.json"), base)


def problems(ours: State, theirs: State, base: State | None = None) -> list[str]:
    with pytest.raises(StateError) as caught:
        joined(ours, theirs, base)
    assert all(p.code == "state-contradiction" and p.hint for p in caught.value.problems)
    return [problem.message for problem in caught.value.problems]


def test_each_side_keeps_what_only_it_made() -> None:
    found = joined(state({KAEL: record("k")}, 5, (1, 5)), state({PROPS: record("p")}, 7, (1, 6, 7)))
    assert found.records == {KAEL: record("k"), PROPS: record("p")}
    assert (found.serial, [line.serial for line in found.history]) == (7, [1, 5, 6, 7])


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (record("k1"), record("k2", "k1")),
        (record("k1", phase="training"), record("k1")),
        (record("k1", phase="building"), record("k1", phase="failed")),
        (record("k1"), Record(current=version("k1"), pending=version("k2", "training", 2))),
    ],
)
def test_the_later_record_of_the_same_models_wins(earlier: Record, later: Record) -> None:
    assert joined(state({KAEL: earlier}), state({KAEL: later})).records == {KAEL: later}
    assert joined(state({KAEL: later}), state({KAEL: earlier})).records == {KAEL: later}


def test_what_both_come_from_decides_who_changed_a_record() -> None:
    """One side renamed a label, the other deleted a model: no record says that by itself."""
    base = state({KAEL: record("k"), PROPS: record("p")})
    ours, theirs = state({KAEL: record("k", name="b"), PROPS: record("p")}), state({KAEL: record("k")})
    assert joined(ours, theirs, base).records == {KAEL: record("k", name="b")}
    assert joined(theirs, ours, base).records == {KAEL: record("k", name="b")}


def test_samples_that_each_side_drew_are_all_kept() -> None:
    """Of one that both know, the side on which it is drawn."""
    one, two = sample("a knight", "drawing"), sample("a castle", "drawn")
    drawn = replace(one, phase="drawn", ended_at="2026-01-02T00:00:00Z")
    ours, theirs = (state({KAEL: drawing(*samples)}) for samples in ((drawn,), (one, two)))
    assert joined(ours, theirs).records[KAEL].current.samples == (drawn, two)
    assert joined(theirs, ours).records[KAEL].current.samples == (drawn, two)


def sample(prompt: str, phase: SamplePhase) -> SampleRecord:
    request = SampleRequest(name="1", prompt=prompt, seed=7, base=ModelId("base"))
    return SampleRecord(request=request, phase=phase, at="2026-01-01T00:00:00Z")


def drawing(*samples: SampleRecord) -> Record:
    return Record(current=replace(version("k"), samples=samples))


def test_a_moved_record_is_one_record_where_the_base_is_known() -> None:
    base, moved = state({KAEL: record("k")}), state({PROPS: record("k")})
    assert joined(base, moved, base).records == {PROPS: record("k")}
    assert problems(base, moved) == ["k is recorded as model.kael on one side and as model.props on the other"]


def test_every_address_that_contradicts_is_named() -> None:
    ours = state({KAEL: record("k2", "k1"), PROPS: record("p")})
    theirs = state({KAEL: record("k3", "k1"), PROPS: record("p", name="b")})
    assert problems(ours, theirs) == [
        "model.kael was changed on both sides: ours.json records k2 and theirs.json records k3",
        "model.props was changed on both sides: ours.json and theirs.json record different content of p",
    ]


@pytest.mark.parametrize("more", [{"lineage": "two"}, {"endpoint": "there"}])
def test_states_of_different_things_are_not_merged(more: dict[str, Any]) -> None:
    with pytest.raises(StateForeign, match="is of"):
        joined(state({KAEL: record("k")}), state({PROPS: record("p")}, **more))


def test_an_asset_that_the_sides_describe_differently_is_forgotten() -> None:
    """It is uploaded again; a wrong caption would never be corrected."""
    one, two, three = (AssetId(f"a{n}") for n in range(3))
    ours = {one: AssetRecord("s", "a"), two: AssetRecord("s", "b")}
    theirs = {one: AssetRecord("s", "c"), three: AssetRecord("t", "d")}
    found = joined(state({}, loose=ours), state({}, loose=theirs))
    assert found.loose == {two: AssetRecord("s", "b"), three: AssetRecord("t", "d")}


def test_the_base_is_the_state_that_the_last_common_line_of_history_was_written_with() -> None:
    base = state({}, 4, (1, 4))
    ours, theirs = state({}, 6, (1, 4, 6)), state({}, 5, (1, 4, 5))
    written_since = replace(base, serial=5)
    assert common_base(ours, theirs, [ours, written_since, base, state({}, 1, (1,))]) == base
    assert common_base(ours, theirs, [replace(base, lineage="two"), written_since]) is None
    assert common_base(state({}, 1), state({}, 1), [base]) is None

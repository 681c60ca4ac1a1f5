"""Two states of one lineage as one: of each resource the record that is the later one. Pure.

Which of two records is later is taken from what both come from, where that is known, else from the records themselves:
one that holds all models of the other and more, or the same models further on. Where neither says so, the address is
named and nothing is decided: a record that is dropped is a model that is made and paid for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic, StateError, StateForeign
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.state.sample_account import merged_samples
from scenario_apply.state.sample_records import with_samples_of_both
from scenario_apply.state.spending import both
from scenario_apply.state.state import HISTORY_KEPT, AssetRecord, HistoryEntry, Phase, Record, State

_RANK: Mapping[Phase, int] = {"building": 0, "training": 1, "failed": 2, "canceled": 2, "trained": 3}


class Side(Struct, frozen=True, kw_only=True):
    """A state, and what to call it in messages."""

    state: State
    name: str


def merged(ours: Side, theirs: Side, base: State | None = None) -> State:
    """What both record; the serial is the higher of the two. base: a state that both come from.

    Raises StateForeign for states of two lineages, endpoints or projects, StateError with every address on which they
    contradict each other.
    """
    _refuse_strangers(ours, theirs)
    records: dict[Address, Record] = {}
    problems: list[Diagnostic] = []
    before = {} if base is None else base.records
    for address in sorted({*ours.state.records, *theirs.state.records}):
        mine, other = ours.state.records.get(address), theirs.state.records.get(address)
        found = _later(mine, other, before.get(address), is_known=base is not None)
        if isinstance(found, Record):
            records[address] = found
        elif found is not None and mine is not None and other is not None:
            problems.append(_contradiction(address, (ours, mine), (theirs, other)))
    problems += _twice(records)
    if problems:
        raise StateError(problems[0].message, problems=problems)
    return replace(
        ours.state,
        serial=max(ours.state.serial, theirs.state.serial),
        project=ours.state.project or theirs.state.project,
        endpoint=ours.state.endpoint or theirs.state.endpoint,
        records=records,
        loose=_assets(ours.state, theirs.state),
        history=_history(ours.state.history, theirs.state.history),
        trainings=both(ours.state.trainings, theirs.state.trainings),
        samples=merged_samples(ours.state.samples, theirs.state.samples),
    )


def common_base(ours: State, theirs: State, earlier: Iterable[State]) -> State | None:
    """Of earlier states the one that both come from: that the last line of their common history was written with."""
    common = set(ours.history) & set(theirs.history)
    if not common:
        return None
    last = max(common, key=lambda entry: (entry.serial, entry.at))
    for state in earlier:
        if state.lineage == ours.lineage and state.history and state.history[-1] == last == _of_serial(state):
            return state
    return None


def _of_serial(state: State) -> HistoryEntry | None:
    """The line of history that the state was written with; None when it was written again since."""
    last = state.history[-1]
    return last if last.serial == state.serial else None


def _refuse_strangers(ours: Side, theirs: Side) -> None:
    for what in ("lineage", "endpoint", "project"):
        mine, other = getattr(ours.state, what), getattr(theirs.state, what)
        if mine != other and (what == "lineage" or (mine is not None and other is not None)):
            raise StateForeign(
                f"{ours.name} is of {what} {mine}, {theirs.name} of {other}",
                hint="they record different resources: keep them as two states, with --state",
            )


class _Undecided:
    """Neither record is the later one."""


def _later(
    mine: Record | None, other: Record | None, before: Record | None, *, is_known: bool
) -> Record | _Undecided | None:
    """The later record; None: it was deleted. is_known: before is what both come from."""
    if mine == other:
        return mine
    if is_known and mine == before:
        return other
    if is_known and other == before:
        return mine
    if mine is None or other is None:
        # deleted by one and changed by the other, or it is unknown: the models may exist, so they stay recorded
        return mine or other
    if (both_drawn := with_samples_of_both(mine, other)) is not None:
        return both_drawn
    for one, two in ((mine, other), (other, mine)):
        if _follows(one, two):
            return two
    return _Undecided()


def _follows(one: Record, two: Record) -> bool:
    """Whether two surely is the later of the two."""
    ids, later = _phases(one), _phases(two)
    if not ids.keys() <= later.keys() or any(later[key] < rank for key, rank in ids.items()):
        return False
    return len(later) > len(ids) or later != ids


def _phases(record: Record) -> dict[ModelId, int]:
    return {version.id: _RANK[version.phase] for version in record.versions()}


def _contradiction(address: Address, ours: tuple[Side, Record], theirs: tuple[Side, Record]) -> Diagnostic:
    told = " and ".join(f"{side.name} records {record.working.id}" for side, record in (ours, theirs))
    if ours[1].working.id == theirs[1].working.id:
        told = f"{ours[0].name} and {theirs[0].name} record different content of {ours[1].working.id}"
    return Diagnostic(
        code="state-contradiction",
        message=f"{address} was changed on both sides: {told}",
        hint=f"decide for one: state rm {address} --state FILE on a copy of the other side, then merge the two files",
    )


def _twice(records: Mapping[Address, Record]) -> list[Diagnostic]:
    """One model under two addresses: one side moved it, and nothing says which side."""
    owners: dict[ModelId, Address] = {}
    found: list[Diagnostic] = []
    for address, record in records.items():
        for version in record.versions():
            other = owners.setdefault(version.id, address)
            if other != address:
                what = f"{version.id} is recorded as {other} on one side and as {address} on the other"
                way = f"forget it where it is no longer declared: state rm {other} --state FILE, then merge again"
                found.append(Diagnostic(code="state-contradiction", message=what, hint=way))
    return found


def _assets(ours: State, theirs: State) -> dict[AssetId, AssetRecord]:
    """Assets that hang on no model. One that the sides describe differently is left out: it is uploaded again."""
    both = {**theirs.loose, **ours.loose}
    return {key: asset for key, asset in both.items() if theirs.loose.get(key, asset) == ours.loose.get(key, asset)}


def _history(ours: tuple[HistoryEntry, ...], theirs: tuple[HistoryEntry, ...]) -> tuple[HistoryEntry, ...]:
    lines = dict.fromkeys((*ours, *theirs))
    return tuple(sorted(lines, key=lambda entry: (entry.at, entry.serial)))[-HISTORY_KEPT:]

"""The account of what samples cost: an entry for each launch, which outlives its version. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.state.sample_records import version_of
from scenario_apply.state.state import SAMPLES_KEPT, SampleEntry, SampleRecord, State, Version

SampleKey = tuple[str, str, str]


def sample_launched(state: State, address: Address, number: int, sample: SampleRecord, quoted: float | None) -> State:
    """The state with the entry of a sample that was launched. Doing it twice changes nothing."""
    version = version_of(state, address, number)
    return state if version is None else _with_entry(state, _entry_of(address, version, sample, quoted))


def sample_ended(state: State, address: Address, number: int, key: str) -> State:
    """The state with the entries of that sample as it has ended. key: of its request."""
    version = version_of(state, address, number)
    if version is None:
        return state
    quoted = {entry.job_id: entry.quoted for entry in state.samples}
    for sample in version.samples:
        if sample.key == key:
            state = _with_entry(state, _entry_of(address, version, sample, quoted.get(sample.job_id)))
    return state


def _with_entry(state: State, entry: SampleEntry) -> State:
    known = {_key(one): one for one in state.samples}
    earlier = known.get(_key(entry))
    known[_key(entry)] = entry if earlier is None else replace(entry, address=earlier.address)
    return replace(state, samples=_in_order(known.values()))


def _entry_of(address: Address, version: Version, sample: SampleRecord, quoted: float | None) -> SampleEntry:
    return SampleEntry(
        at=sample.at,
        address=address,
        version=version.number,
        model_id=version.id,
        name=sample.request.name,
        pictures=sample.request.settings.count,
        phase=sample.phase,
        job_id=sample.job_id,
        ended_at=sample.ended_at,
        quoted=quoted,
        charged=sample.charged,
        discount=sample.discount,
        details=sample.details,
    )


def with_renamed_samples(state: State, names: Mapping[Address, Address]) -> State:
    """The state with the entries of resources that were renamed under their new address."""
    if not names or not state.samples:
        return state
    entries = tuple(replace(one, address=names.get(one.address, one.address)) for one in state.samples)
    return replace(state, samples=entries)


def merged_samples(ours: Iterable[SampleEntry], theirs: Iterable[SampleEntry]) -> tuple[SampleEntry, ...]:
    """The entries of two states; of the same sample the one that has ended, or whose charge is known."""
    known: dict[SampleKey, SampleEntry] = {}
    for entry in (*ours, *theirs):
        held = known.setdefault(_key(entry), entry)
        if (held.ended_at is None, held.charged is None) > (entry.ended_at is None, entry.charged is None):
            known[_key(entry)] = entry
    return _in_order(known.values())


def _in_order(entries: Iterable[SampleEntry]) -> tuple[SampleEntry, ...]:
    """By time, the newest SAMPLES_KEPT."""
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.model_id, entry.name)))[-SAMPLES_KEPT:]


def _key(entry: SampleEntry) -> SampleKey:
    return entry.model_id, entry.at, entry.job_id or entry.name

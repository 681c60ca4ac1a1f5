"""Samples of a version as recorded: launched, ended, found by the weights that drew them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, JobId
from scenario_apply.state.state import DrawnPicture, Record, SampleRecord, State, Version


def with_version(state: State, address: Address, number: int, change: Callable[[Version], Version]) -> State:
    """The state with one version changed, whichever of the record it is."""
    record = state.records.get(address)
    if record is None:
        return state

    def changed(version: Version) -> Version:
        return change(version) if version.number == number else version

    return state.with_record(address, _each_version(record, changed))


def version_of(state: State, address: Address, number: int) -> Version | None:
    """One version of a resource, whichever it is; None when it is not recorded (any more)."""
    record = state.records.get(address)
    return None if record is None else next((one for one in record.versions() if one.number == number), None)


def sample_jobs(state: State) -> Iterator[JobId]:
    """The jobs of all recorded samples, and of those that the account knows."""
    for record in state.records.values():
        for version in record.versions():
            yield from (sample.job_id for sample in version.samples if sample.job_id is not None)
    yield from (entry.job_id for entry in state.samples if entry.job_id is not None)


def drawing(version: Version, key: str) -> SampleRecord | None:
    """The sample of that key that is being drawn."""
    return next((one for one in version.samples if one.key == key and one.phase == "drawing"), None)


def undecided(state: State) -> Iterator[tuple[Address, int, SampleRecord]]:
    """Samples, with the number of their version, whose launch got no response and whose job is not known so far."""
    for address, record in state.records.items():
        for version in record.versions():
            for sample in version.samples:
                if sample.phase == "drawing" and sample.job_id is None:
                    yield address, version.number, sample


def with_launched(version: Version, launched: SampleRecord) -> Version:
    """A sample that is being drawn with the weights in use; it replaces a failed one of the same identity."""
    record = replace(launched, training=version.launched_at, epoch=version.epoch)
    others = tuple(s for s in version.samples if identity(s) != identity(record))
    return replace(version, samples=(*others, record))


def with_ended(version: Version, key: str, change: Callable[[SampleRecord], SampleRecord]) -> Version:
    """The sample of that key that is being drawn has ended."""
    samples = tuple(change(s) if s.key == key and s.phase == "drawing" else s for s in version.samples)
    return replace(version, samples=samples)


def with_samples_of_both(ours: Record, theirs: Record) -> Record | None:
    """The record with the samples of two that are the same but for their samples; None where they differ otherwise.

    Of a sample that both know, the one that has ended.
    """
    if _without_samples(ours) != _without_samples(theirs):
        return None
    other = {version.number: version for version in theirs.versions()}
    return _each_version(ours, lambda version: replace(version, samples=_joined(version, other[version.number])))


def _joined(ours: Version, theirs: Version) -> tuple[SampleRecord, ...]:
    known: dict[tuple[str, str | None, str | None], SampleRecord] = {}
    for sample in (*ours.samples, *theirs.samples):
        held = known.setdefault(identity(sample), sample)
        if (held.phase == "drawn", held.ended_at or "") < (sample.phase == "drawn", sample.ended_at or ""):
            known[identity(sample)] = sample
    return tuple(sorted(known.values(), key=lambda sample: sample.at))


def _without_samples(record: Record) -> Record:
    return _each_version(record, lambda version: replace(version, samples=()))


def _each_version(record: Record, change: Callable[[Version], Version]) -> Record:
    return replace(
        record,
        current=change(record.current),
        pending=None if record.pending is None else change(record.pending),
        previous=tuple(map(change, record.previous)),
    )


def with_epoch_in_use(version: Version, epoch: str) -> Version:
    """The version with the epoch that it uses already recorded as chosen: samples of the service's choice are of it."""
    samples = tuple(
        replace(sample, epoch=epoch) if (sample.training, sample.epoch) == (version.launched_at, None) else sample
        for sample in version.samples
    )
    return replace(version, epoch=epoch, samples=version.samples if version.epoch is not None else samples)


def identity(sample: SampleRecord) -> tuple[str, str | None, str | None]:
    """By what a sample is known among those of a version: its key, and the weights that drew it."""
    return sample.key, sample.training, sample.epoch


def unseen_pictures(state: State) -> list[AssetId]:
    """Drawn pictures that were not looked at yet: they have no digest, no hash and no small copy."""
    samples = (sample for record in state.records.values() for one in record.versions() for sample in one.samples)
    return [picture.asset_id for sample in samples for picture in sample.pictures if picture.thumbnail is None]


def with_pictures(state: State, seen: Mapping[AssetId, DrawnPicture]) -> State:
    """The state with what was seen of its drawn pictures."""

    def looked_at(version: Version) -> Version:
        samples = (
            replace(sample, pictures=tuple(seen.get(picture.asset_id, picture) for picture in sample.pictures))
            for sample in version.samples
        )
        return replace(version, samples=tuple(samples))

    for address, record in state.records.items():
        for version in record.versions():
            if any(picture.asset_id in seen for sample in version.samples for picture in sample.pictures):
                state = with_version(state, address, version.number, looked_at)
    return state

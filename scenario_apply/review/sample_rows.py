"""The samples of a state and a manifest, one row each: drawn, being drawn, failed, missing, or not yet possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.manifest.spec import Manifest, SampleSpec
from scenario_apply.model.address import Address
from scenario_apply.model.samples import SampleSettings
from scenario_apply.planning.changes import Change
from scenario_apply.state.state import Record, SampleRecord, State, Version

RowStatus = Literal["drawn", "drawing", "failed", "missing", "untrained"]
"""missing: the version in use does not have it; untrained: there is no trained version to draw it with."""


class RowPicture(Struct, frozen=True, kw_only=True):
    """file: the path of the small copy, None where there is none on this machine."""

    asset_id: str
    sha256: str | None
    dhash: str | None
    file: str | None


class SampleRow(Struct, frozen=True, kw_only=True):
    """One sample. version None: of no version yet. is_current: of the version and the weights in use.

    declared: whether the manifest asks for it. cu: what was charged; of one that is missing, what it would cost.
    cost_source: charged, or where a price comes from: quoted, history, estimate or unknown.
    """

    address: Address
    name: str
    status: RowStatus
    prompt: str
    seed: int
    settings: SampleSettings
    base: str | None
    version: int | None = None
    model_id: str | None = None
    epoch: str | None = None
    is_current: bool = True
    declared: bool = True
    cu: float | None = None
    cost_source: str = "unknown"
    reason: str | None = None
    at: str | None = None
    pictures: tuple[RowPicture, ...] = ()


def sample_rows(
    manifest: Manifest,
    state: State,
    changes: Iterable[Change],
    files: Mapping[str, str],
    asked: frozenset[Address] | None = None,
) -> list[SampleRow]:
    """In the order of addresses, newest version first. changes: of a plan that draws what is missing.

    files: where small copies are, by digest. asked: only these; None: all.
    """
    declared = {address: spec.samples.samples for address, spec in manifest.models.items()}
    declared |= {address: spec.samples.samples for address, spec in manifest.compositions.items()}
    missing = {change.address: change for change in changes if change.samples.draw}
    rows: list[SampleRow] = []
    for address in sorted(declared.keys() | state.records.keys()):
        if asked is None or address in asked:
            order = {one.name: number for number, one in enumerate(declared.get(address, ()))}
            found = _of_resource(address, declared.get(address, ()), state.records.get(address), missing, files)
            rows += sorted(found, key=partial(_place, order))
    return rows


def _place(order: Mapping[str, int], row: SampleRow) -> tuple[bool, int, int]:
    """What is in use first, newest versions first, then as declared."""
    return not row.is_current, -(row.version or 0), order.get(row.name, len(order))


def _of_resource(
    address: Address,
    declared: Iterable[SampleSpec],
    record: Record | None,
    missing: Mapping[Address, Change],
    files: Mapping[str, str],
) -> Iterator[SampleRow]:
    change = missing.get(address)
    version = None if record is None else record.current
    if change is not None:
        yield from _missing(change, version)
    elif version is None or not version.is_usable:
        yield from (_untrained(address, one) for one in declared)
    prompts = {one.prompt for one in declared}
    again = set() if change is None else {(one.name, one.seed) for one in change.samples.draw}
    for known in () if record is None else sorted(record.versions(), key=lambda one: -one.number):
        for sample in known.samples:
            row = _recorded(address, known, sample, prompts, files)
            is_current = known is version and sample in known.current_samples
            if not (is_current and row.status == "failed" and (row.name, row.seed) in again):
                yield replace(row, is_current=is_current)


def _missing(change: Change, version: Version | None) -> Iterator[SampleRow]:
    samples = change.samples
    for one in samples.draw:
        yield SampleRow(
            address=change.address,
            name=one.name,
            status="failed" if one.news == "again" else "missing",
            prompt=one.prompt,
            seed=one.seed,
            settings=one.settings,
            base=one.base,
            version=None if version is None else version.number,
            model_id=None if version is None else version.id,
            epoch=None if version is None else version.epoch,
            cu=samples.each if samples.each is not None or len(samples.draw) > 1 else samples.cost.cu,
            cost_source=samples.cost.source,
            reason=one.reason,
        )


def _untrained(address: Address, one: SampleSpec) -> SampleRow:
    return SampleRow(
        address=address,
        name=one.name,
        status="untrained",
        prompt=one.prompt,
        seed=one.seed,
        settings=one.settings,
        base=one.base,
    )


def _recorded(
    address: Address, version: Version, sample: SampleRecord, prompts: set[str], files: Mapping[str, str]
) -> SampleRow:
    request = sample.request
    return SampleRow(
        address=address,
        name=request.name,
        status=sample.phase,
        prompt=request.prompt,
        seed=request.seed,
        settings=request.settings,
        base=request.base,
        version=version.number,
        model_id=version.id,
        epoch=sample.epoch,
        declared=request.prompt in prompts,
        cu=sample.charged,
        cost_source="unknown" if sample.charged is None else "charged",
        reason=sample.reason,
        at=sample.at,
        pictures=tuple(
            RowPicture(
                asset_id=picture.asset_id,
                sha256=picture.sha256,
                dhash=picture.dhash,
                file=files.get(picture.thumbnail or ""),
            )
            for picture in sample.pictures
        ),
    )

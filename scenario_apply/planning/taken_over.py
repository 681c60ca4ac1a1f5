"""Drift, and the state that takes it for recorded: what `--refresh-only` shows and writes. Pure.

Nothing that was paid for is forgotten by it: the assets of images that were detached stay known, and compositions of a
model whose captions were edited afterwards are no reason to train.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from scenario_apply.dataset.digest import digest_of_rows
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, RemoteModel
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.ignore_changes import is_drift_ignored
from scenario_apply.planning.observed import Observed, content_drift
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.state import AssetRecord, ImageRecord, KeptLabels, PairRecord, Record, State, Version


def all_drift(given: Inputs, settled: Iterable[Drift]) -> tuple[Drift, ...]:
    """Whatever differs on the service, also of resources that no plan would touch: undeclared or pinned ones.

    Without what is not selected, is disabled or is ignored. settled: what settling the state found.
    """
    found = list(settled)
    for address, record in given.state.records.items():
        remote = given.observed.models.get(record.working.id)
        if given.is_gone(record):
            found.append(Drift(address=address, what="model", recorded=record.current.id))
        elif remote is not None:
            found += content_drift(address, record, remote)
    return tuple(sorted((one for one in found if _counts(given, one)), key=lambda one: one.address))


def _counts(given: Inputs, drift: Drift) -> bool:
    spec = given.declared_for.get(drift.address)
    return given.is_selected(drift.address) and (spec is None or (spec.enabled and not is_drift_ignored(drift, spec)))


def taken_over(state: State, drift: Iterable[Drift], observed: Observed) -> State:
    """The state with what the service says where it drifted. state: settled."""
    kinds: dict[Address, set[str]] = {}
    for one in drift:
        kinds.setdefault(one.address, set()).add(one.what)
    for address, whats in kinds.items():
        record = state.records.get(address)
        if record is None:
            continue
        if "model" in whats and observed.is_gone(record.current.id):
            state = _without(state, address, record)
        elif (remote := observed.models.get(record.working.id)) is not None:
            state = _with_version(state, address, record, _as_shown(record.working, remote, whats))
    return state


def _without(state: State, address: Address, record: Record) -> State:
    """The record of a deleted model goes, its images stay known. One with other versions stays: it is made again."""
    if record.previous or record.pending is not None:
        return state
    loose: Mapping[AssetId, AssetRecord] = {image.asset_id: image.asset for image in record.current.images}
    gone = state.with_record(address, None)
    held = gone.assets()
    return replace(gone, loose={**gone.loose, **{key: asset for key, asset in loose.items() if key not in held}})


def _with_version(state: State, address: Address, record: Record, version: Version) -> State:
    before = record.working
    kept = {image.asset_id for image in version.images}
    state = state.with_record(address, record.with_working(version))
    detached = {image.asset_id: image.asset for image in before.images if image.asset_id not in kept}
    if detached:
        held = state.assets()
        new = {key: asset for key, asset in detached.items() if key not in held}
        state = replace(state, loose={**state.loose, **new})
    if version.fingerprint == before.fingerprint:
        return state
    records = {key: _composed_of(one, before, version.fingerprint) for key, one in state.records.items()}
    return replace(state, records=records)


def _composed_of(record: Record, part: Version, now: str | None) -> Record:
    """The record of a composition of that part, which is no other training because its captions were edited."""
    concepts = tuple(
        replace(concept, trained_from=now)
        if concept.model_id == part.id and concept.trained_from == part.fingerprint
        else concept
        for concept in record.current.concepts
    )
    if concepts == record.current.concepts:
        return record
    return replace(record, current=replace(record.current, concepts=concepts))


def _as_shown(version: Version, remote: RemoteModel, whats: set[str]) -> Version:
    kept = version.kept or KeptLabels()
    if "name" in whats and remote.name is not None:
        version, kept = replace(version, name=remote.name), replace(kept, name=None)
    if "description" in whats:
        version = replace(version, description=remote.short_description or "")
        kept = replace(kept, description=None)
    if "epoch" in whats and remote.epoch is not None:
        version = replace(version, epoch=remote.epoch)
    if "tags" in whats and remote.tags is not None:
        held = tuple(tag for tag in version.tags if tag in remote.tags)
        version = replace(version, tags=held)
        kept = replace(kept, tags={tag: form for tag, form in kept.tags.items() if tag in held})
    version = replace(version, kept=None if kept == KeptLabels() else kept)
    if whats.isdisjoint(("image", "caption", "pair")):
        return version
    changed = replace(version, images=tuple(_images(version, remote, whats)))
    if "pair" in whats and remote.pairs is not None:
        shown = tuple(PairRecord(pair.source_id, pair.target_id, pair.instruction) for pair in remote.pairs)
        changed = replace(changed, pairs=shown)
    return replace(changed, fingerprint=_fingerprint(version, changed))


def _images(version: Version, remote: RemoteModel, whats: set[str]) -> Iterable[ImageRecord]:
    shown = {image.id: image for image in remote.images or ()}
    for image in version.images:
        held = shown.pop(image.asset_id, None)
        caption = image.caption if held is None else held.caption_beside(image.caption)
        if held is None and "image" in whats:
            continue
        if caption != image.caption and "caption" in whats:
            image = replace(image, caption=caption, kept=None, silent=False)
        yield image
    if "image" in whats:
        for added in shown.values():
            yield ImageRecord(added.name or added.id, "", added.id, added.description)


def _fingerprint(before: Version, after: Version) -> str | None:
    """The fingerprint of the content that is recorded now; None where no record says what was trained.

    Images without a digest, and records that do not lead to the old fingerprint, say nothing certain: then the version
    is compared thing by thing.
    """
    if before.fingerprint is None or _of_record(before) != before.fingerprint:
        return None
    return None if any(not image.sha256 for image in after.images) else _of_record(after)


def _of_record(version: Version) -> str | None:
    contents = {image.asset_id: image.content for image in version.images}
    if any(side not in contents for pair in version.pairs for side in (pair.source_id, pair.target_id)):
        return None
    digest = digest_of_rows(
        [(image.content, image.caption or None) for image in version.images],
        [(contents[pair.source_id], contents[pair.target_id], pair.instruction) for pair in version.pairs],
    )
    return fingerprint(
        type=version.type, parameters=version.parameters, dataset=digest, concepts=(), like=version.fingerprint
    )

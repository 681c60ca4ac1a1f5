"""What the API answered, and what it means for the recorded world: trainings that ended, models that are gone."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.kept_text import is_same_value
from scenario_apply.model.remote import ENDED_STATUSES, AssetId, JobId, ModelId, RemoteModel
from scenario_apply.model.timestamps import from_iso
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.pair_diff import pair_drift
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.spending import accounted
from scenario_apply.state.state import Phase, Record, State, Version


class Observed(Struct, frozen=True, kw_only=True):
    """One refresh. asked: ids that were looked for; own: all own models, when they were listed. listed: the newest
    of them, when a page of them was read for another reason.

    failures: job id -> the service's reason; charges: the CU that those stay charged, None: all of it. owners: ids that
    own models of the project are owned by. parts: models that compositions name by id, as far as they exist; named:
    those ids.
    read_assets: those that a plan would use again, and that were looked for; gone_assets: those that do not exist;
    other_captions: of those whose caption was changed on the service since it was recorded, the one that they have.
    """

    models: Mapping[ModelId, RemoteModel] = field(default_factory=dict)
    asked: frozenset[ModelId] = frozenset()
    own: tuple[RemoteModel, ...] | None = None
    listed: tuple[RemoteModel, ...] | None = None
    failures: Mapping[JobId, str] = field(default_factory=dict)
    charges: Mapping[JobId, float | None] = field(default_factory=dict)
    refreshed: bool = False
    owners: frozenset[str] = frozenset()
    parts: Mapping[ModelId, RemoteModel] = field(default_factory=dict)
    named: frozenset[ModelId] = frozenset()
    read_assets: frozenset[AssetId] = frozenset()
    gone_assets: frozenset[AssetId] = frozenset()
    other_captions: Mapping[AssetId, str] = field(default_factory=dict)

    def is_gone(self, model_id: ModelId) -> bool:
        """Looked for, and not there."""
        return model_id in self.asked and model_id not in self.models


PHASE_OF: Mapping[str, Phase] = {
    "new": "building",
    "training": "training",
    "copying": "training",
    "trained": "trained",
    "failed": "failed",
    "training-canceled": "canceled",
}


SHOWN_LATE_S = 60.0
"""How long after a launch a model may still be shown as it was before."""


def is_shown_late(version: Version, remote: RemoteModel, now: float | None) -> bool:
    """Whether a model is shown as it was before its training was launched. now: seconds since the epoch.

    What it says then is no end of the training that was paid for.
    """
    launched_at = None if version.launched_at is None else from_iso(version.launched_at)
    if version.phase != "training" or now is None or launched_at is None or now - launched_at > SHOWN_LATE_S:
        return False
    if remote.status == "new":
        return True
    is_of_another = remote.job_id is not None and version.job_id not in (None, remote.job_id)
    return is_of_another and remote.status in ENDED_STATUSES


def settle(state: State, observed: Observed, *, now: str) -> tuple[State, tuple[Drift, ...]]:
    """The state with every training that ended, started or broke since it was written, and what of it is drift."""
    records = dict(state.records)
    drift: list[Drift] = []
    ended: list[tuple[Address, Version]] = []
    for address, record in state.records.items():
        settled = record
        if (pending := record.pending) is not None:
            if observed.is_gone(pending.id):
                drift.append(Drift(address=address, what="model", recorded=pending.id, observed=None))
                settled = replace(settled, pending=None)
            else:
                settled = replace(settled, pending=_settled(pending, observed, now))
        current = _settled(record.current, observed, now)
        if current.phase != record.current.phase and record.current.phase != "training":
            drift.append(Drift(address=address, what="status", recorded=record.current.phase, observed=current.phase))
        elif current.is_usable and record.current.is_usable and record.current.job_id not in (None, current.job_id):
            drift.append(
                Drift(address=address, what="training", recorded=record.current.job_id, observed=current.job_id)
            )
        settled = replace(settled, current=current)
        was = {version.id: version.phase for version in (record.current, record.pending) if version is not None}
        ended += [(address, v) for v in (settled.current, settled.pending) if v and was[v.id] != v.phase]
        if settled.pending is not None and settled.pending.is_usable:
            settled = settled.promoted()
        if settled != record:
            records[address] = settled
    settled_state = replace(state, records=records)
    for address, version in ended:
        settled_state = accounted(settled_state, address, version)
    return settled_state, tuple(drift)


def _settled(version: Version, observed: Observed, now: str) -> Version:
    remote = observed.models.get(version.id)
    if remote is None or remote.status is None or is_shown_late(version, remote, from_iso(now)):
        return version
    version = _by_whom(version, remote)
    phase = PHASE_OF.get(remote.status)
    if phase is None or phase == version.phase:
        return version
    if version.phase in ("failed", "canceled") and phase == "building":
        return version  # «new» says nothing that failed does not
    job_id = remote.job_id or version.job_id
    reason = None
    if phase == "failed":
        reason = observed.failures.get(job_id, "training failed") if job_id else "training failed"
    elif phase == "canceled":
        reason = "the training was cancelled on the service"
    elif phase == "building" and version.phase == "training":
        phase, reason = "canceled", "the service knows of no training"
    ended = now if phase in ("trained", "failed", "canceled") else version.ended_at
    if phase == "failed" and version.phase == "training":  # refunded, unless its job says otherwise
        kept = observed.charges.get(job_id, 0.0) if job_id else 0.0
        version = replace(version, charged=version.charged if kept is None else kept)
    return replace(version, phase=phase, job_id=job_id, reason=reason, ended_at=ended)


def _by_whom(version: Version, remote: RemoteModel) -> Version:
    """The version with the job that trained it. If another job trained it since, it is treated as imported.

    Then no fingerprint says what it was trained on, only the service: its parameters, as far as they were recorded,
    so that what the service fills in by itself is no change. While our own training runs, its end says by what id.
    """
    if version.phase in ("building", "training"):
        return version
    if remote.job_id is not None and version.job_id not in (None, remote.job_id):
        version = replace(version, fingerprint=None)
    version = replace(version, job_id=remote.job_id or version.job_id)
    if version.fingerprint is not None or not remote.parameters:
        return version
    reported = {key: shown_parameter(key, value, remote.parameters) for key, value in version.parameters.items()}
    return version if reported == version.parameters else replace(version, parameters=reported)


def shown_parameter(name: str, ours: object, shown: Mapping[str, object]) -> object:
    """A parameter as the service shows it; ours where it says nothing of it, or only writes the same in another way."""
    held = shown.get(name)
    if held is None or name in SECRET_PARAMETERS or is_same_value(plain_parameter(ours), held):
        return plain_parameter(ours)
    return plain_parameter(held)


def content_drift(address: Address, record: Record, remote: RemoteModel) -> list[Drift]:
    """Where a model on the service differs from what was recorded of it: labels, epoch, images, captions, pairs."""
    version = record.working
    found: list[Drift] = []
    if remote.name is not None and remote.name != version.name:
        found.append(Drift(address=address, what="name", recorded=version.name, observed=remote.name))
    if version.description is not None and (remote.short_description or "") != version.description:
        found.append(
            Drift(address=address, what="description", recorded=version.description, observed=remote.short_description)
        )
    if version.epoch is not None and remote.epoch not in (None, version.epoch):
        found.append(Drift(address=address, what="epoch", recorded=version.epoch, observed=remote.epoch))
    if remote.tags is not None and (missing := sorted(set(version.tags) - set(remote.tags))):
        found.append(Drift(address=address, what="tags", recorded=missing, observed=list(remote.tags)))
    if remote.images is not None:
        found += _image_drift(address, version, remote)
    return found + pair_drift(address, version, remote)


def _image_drift(address: Address, version: Version, remote: RemoteModel) -> list[Drift]:
    images = {image.id: image for image in remote.images or ()}
    found: list[Drift] = []
    for recorded in version.images:
        image = images.pop(recorded.asset_id, None)
        if image is None:
            found.append(Drift(address=address, what="image", path=recorded.path, recorded=recorded.asset_id))
        elif image.caption_beside(recorded.caption) != recorded.caption:
            found.append(
                Drift(
                    address=address,
                    what="caption",
                    path=recorded.path,
                    recorded=recorded.caption,
                    observed=image.description,
                )
            )
    for image in images.values():
        found.append(Drift(address=address, what="image", path=image.name or image.id, observed=image.id))
    return found

"""A journal with unanswered calls and the world -> what to adopt. Runs before a plan is made; writes nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from msgspec.structs import replace

from scenario_apply.apply.before_run import earlier_from_details
from scenario_apply.apply.events import Adopted
from scenario_apply.apply.lost_answers import Sent, attached_of, look
from scenario_apply.errors import ApplyError, NotFound, UsageError
from scenario_apply.model.address import Address
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId, UploadId
from scenario_apply.model.steps import AttachImages, CreateModel, PlannedStep, StartTraining, UploadImage
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.composition_parts import as_of_now
from scenario_apply.state.baseline import NO_BASELINE, Baseline
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Unanswered

SERVICE_MAY_STILL_WORK_S = 8.0
"""A call this young, not found, is looked for once more: the service may be carrying it out right now."""

IMPORT_LOOKS = 30
IMPORT_STUCK_S = 900.0
"""A picture that the service has not imported so long after its upload was closed never will be: it goes up anew. The
spare upload, should it ever become an asset, hangs on no model. Until then nothing is planned."""

NONE_NAMED: Mapping[Address, ModelId] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    state: State
    adopted: tuple[Adopted, ...]


def recover(
    api: ScenarioApi,
    clock: Clock,
    state: State,
    unanswered: tuple[Unanswered, ...],
    baseline: Baseline = NO_BASELINE,
    named: Mapping[Address, ModelId] = NONE_NAMED,
) -> Recovered:
    """The state with everything adopted that a killed run had asked for and that is there.

    named: models the user says came of unanswered creations, for those that nobody else could tell apart. Raises
    UsageError for one that cannot have.
    """
    _check_named(api, state, unanswered, named)
    adopted: list[Adopted] = []
    # in the order they were sent: a model comes before its images, they before its training
    for call in sorted(unanswered, key=lambda call: call.sent_at):
        outcome, step = _outcome(api, clock, state, call, baseline, named)
        if outcome is None:
            continue
        state = after(state, step, outcome)
        remote = outcome.model_id or outcome.asset_id or outcome.job_id or ", ".join(outcome.asset_ids)
        adopted.append(Adopted(address=step.address, what=step.kind, remote_id=remote or "", how=outcome.adopted or ""))
    return Recovered(state=state, adopted=tuple(adopted))


def _check_named(
    api: ScenarioApi, state: State, unanswered: tuple[Unanswered, ...], named: Mapping[Address, ModelId]
) -> None:
    """Every named model exists, is of the type that was asked for, and belongs to nobody yet. Raises UsageError."""
    creations = {call.step.address: call.step.step for call in unanswered if isinstance(call.step.step, CreateModel)}
    for address, model_id in named.items():
        step = creations.get(address)
        if step is None:
            raise UsageError(
                f"--adopt {address}={model_id}: no creation of {address} went unanswered",
                hint="`import:` in the manifest takes over a model that exists",
            )
        if model_id in state.model_ids():
            raise UsageError(f"--adopt {address}={model_id}: that model is recorded already")
        try:
            model = api.get_model(model_id)
        except NotFound:
            raise UsageError(f"--adopt {address}={model_id}: the service has no such model") from None
        if model.type != step.type or model.status != "new":
            raise UsageError(
                f"--adopt {address}={model_id}: that is a {model.type}, {model.status}; a new {step.type} was asked for"
            )


def _outcome(
    api: ScenarioApi,
    clock: Clock,
    state: State,
    call: Unanswered,
    baseline: Baseline,
    named: Mapping[Address, ModelId],
) -> tuple[Outcome | None, PlannedStep]:
    step = call.step.step
    if isinstance(step, CreateModel) and step.address in named:
        reason = "gone" if _is_gone(api, state, step) else None
        return Outcome(
            at=iso(call.sent_at), model_id=named[step.address], reason=reason, adopted="named with --adopt"
        ), call.step
    if isinstance(step, AttachImages):
        return _attached(api, state, call)
    if isinstance(step, UploadImage) and "upload_id" in call.details:
        return _imported(api, clock, call), call.step
    earlier = earlier_from_details(call.details)
    sent = Sent(step=call.step, at=call.sent_at, baseline=baseline, earlier=earlier)
    outcome = look(api, state, sent)
    while outcome is None and clock.now() < call.sent_at + SERVICE_MAY_STILL_WORK_S:
        clock.wait(1.0)
        outcome = look(api, state, sent)
    if outcome is not None and isinstance(step, StartTraining):
        outcome = _as_launched(state, step, outcome)
    if outcome is not None and isinstance(step, CreateModel) and _is_gone(api, state, step):
        outcome = replace(outcome, reason="gone")
    return outcome, call.step


def _is_gone(api: ScenarioApi, state: State, step: CreateModel) -> bool:
    """Whether the model was made because the current one had vanished, and takes its place."""
    record = state.records.get(step.address)
    return record is not None and not api.get_models([record.current.id], images=False)


def _as_launched(state: State, step: StartTraining, outcome: Outcome) -> Outcome:
    """The launch with the fingerprint it would have had."""
    version = state.records[step.address].working
    concepts = as_of_now(version.concepts, state)
    made_from = fingerprint(type=version.type, parameters=step.parameters, dataset=step.dataset, concepts=concepts)
    return replace(outcome, fingerprint=made_from, concepts=concepts)


def _attached(api: ScenarioApi, state: State, call: Unanswered) -> tuple[Outcome | None, PlannedStep]:
    """Which of the images hang on the model: the record takes those."""
    step = call.step.step
    assert isinstance(step, AttachImages)
    record = state.records.get(step.address)
    ids = [AssetId(asset_id) for asset_id in call.details.get("asset_ids", "").split(",")]
    if record is None or len(ids) != len(step.images):
        return None, call.step
    try:
        there = attached_of(api, record.working.id, ids)
    except NotFound:
        return None, call.step
    kept = [(image, asset_id) for image, asset_id in zip(step.images, ids, strict=True) if asset_id in there]
    if not kept:
        return None, call.step
    outcome = Outcome(
        at=iso(call.sent_at),
        asset_ids=tuple(asset_id for _, asset_id in kept),
        adopted="they hang on the model",
    )
    return outcome, replace(call.step, step=replace(step, images=tuple(image for image, _ in kept)))


def _imported(api: ScenarioApi, clock: Clock, call: Unanswered) -> Outcome | None:
    """A multipart upload that was closed is an asset, now or soon; None for one that will not be.

    Raises ApplyError when that is not known yet.
    """
    for _ in range(IMPORT_LOOKS):
        try:
            upload = api.get_upload(UploadId(call.details["upload_id"]))
        except NotFound:
            return None
        if upload.asset_id is not None:
            return Outcome(at=iso(call.sent_at), asset_id=upload.asset_id, adopted="its upload was imported")
        if upload.status == "failed":
            return None
        if upload.status == "pending" and clock.now() >= call.sent_at + SERVICE_MAY_STILL_WORK_S:
            return None  # never closed: nothing hangs on it
        if clock.now() >= call.sent_at + IMPORT_STUCK_S:
            return None
        clock.wait(1.0)
    left = max(1, math.ceil((call.sent_at + IMPORT_STUCK_S - clock.now()) / 60))
    raise ApplyError(
        f"{call.step.address}: the service still imports a picture of the last run, {call.details['upload_id']}",
        hint=f"nothing was sent anew; apply again in a minute. An apply in {left} min or later sends it anew",
    )

"""Decides what to adopt for requests of a leftover journal that have no response. Runs before a plan; only reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.apply.before_run import earlier_from_details
from scenario_apply.apply.events import Adopted
from scenario_apply.apply.lost_answers import ALREADY_ATTACHED, BytesSent, Sent, attached_of, find_outcome
from scenario_apply.apply.refresh import read_models
from scenario_apply.apply.sample_lookup import SampleUndecided
from scenario_apply.apply.send_once import LOOKUP_PAUSES_OF_SAMPLE_S
from scenario_apply.errors import ApplyError, NotFound, UsageError
from scenario_apply.model.address import Address
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId, UploadId
from scenario_apply.model.steps import AttachImages, CreateModel, DrawSample, PlannedStep, StartTraining, UploadImage
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.planning.composition_parts import as_of_now
from scenario_apply.state.baseline import NO_BASELINE, Baseline
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.sample_account import sample_launched
from scenario_apply.state.sample_records import undecided, with_ended, with_version
from scenario_apply.state.state import SampleRecord, State
from scenario_apply.state.stores.journal import Unanswered

SERVICE_MAY_STILL_WORK_S = 8.0
SAMPLE_MAY_SHOW_LATE_S = sum(LOOKUP_PAUSES_OF_SAMPLE_S)
"""A request this recent whose result is not found is looked up again: the service may be carrying it out.

How recent a request of another machine is cannot be known: its clock may be wrong. It is waited for as if it had left
just now, by this machine's own clock.
"""

LONGEST_PAUSE_S = 8.0
"""Between reads while a sample is looked for."""

CLOCKS_OF_MACHINES_DIFFER_S = 86_400.0
"""How wrong the recorded time of a launch may be that another machine sent."""

NOT_DRAWN = "its launch got no response, and Scenario has no job of it"

IMPORT_POLLS = 30
IMPORT_LATE_POLL_S = 10.0
"""Between polls for an image of another machine, once there were IMPORT_POLLS."""
IMPORT_STUCK_S = 900.0
"""An image that the service has not imported so long after its upload was completed is uploaded again. Should the first
upload become an asset after all, it is attached to no model. Until then nothing is planned."""

NO_ADOPTIONS: Mapping[Address, ModelId] = MappingProxyType({})


class Recovered(Struct, frozen=True, kw_only=True):
    state: State
    adopted: tuple[Adopted, ...]


def recover(
    api: ScenarioApi,
    clock: Clock,
    state: State,
    unanswered: tuple[Unanswered, ...],
    baseline: Baseline = NO_BASELINE,
    named: Mapping[Address, ModelId] = NO_ADOPTIONS,
) -> Recovered:
    """The state, with everything adopted that a killed run requested and that exists.

    named: the models that the user chose for create requests without a response, where several match. Raises UsageError
    for a model that cannot be the one.
    """
    _check_named(api, state, unanswered, named)
    adopted: list[Adopted] = []
    patience = _Patience(clock)
    for address, number, sample in list(undecided(state)):
        state, found = _decided(api, patience, state, address, number, sample)
        if found is not None:
            adopted.append(found)
    # in the order they were sent: a model comes before its images, they before its training
    for call in sorted(unanswered, key=lambda call: call.sent_at):
        outcome, step = _outcome(api, patience, state, call, baseline, named)
        if outcome is None:
            continue
        state = after(state, step, outcome)
        if outcome.adopted is None:
            continue  # a sample that may have been drawn
        remote = outcome.model_id or outcome.asset_id or outcome.job_id or ", ".join(outcome.asset_ids)
        adopted.append(Adopted(address=step.address, what=step.kind, remote_id=remote or "", how=outcome.adopted or ""))
    return Recovered(state=state, adopted=tuple(adopted))


class _Patience:
    """How long a request is waited for, counted by this machine's clock from the start of the recovery."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._now, self._begun_at = clock.now(), clock.monotonic()

    def left_s(self, call: Unanswered, limit_s: float) -> float:
        """Seconds until the request is older than limit_s; 0 or less once it is."""
        age_s = 0.0 if call.is_foreign else max(0.0, self._now - call.sent_at)
        return limit_s - age_s - (self.clock.monotonic() - self._begun_at)


def _check_named(
    api: ScenarioApi, state: State, unanswered: tuple[Unanswered, ...], named: Mapping[Address, ModelId]
) -> None:
    """Every named model exists, is of the requested type, and is not recorded yet. Raises UsageError."""
    creations = {call.step.address: call.step.step for call in unanswered if isinstance(call.step.step, CreateModel)}
    for address, model_id in named.items():
        step = creations.get(address)
        if step is None:
            raise UsageError(
                f"--adopt {address}={model_id}: no create request of {address} is without a response",
                hint="`import:` in the manifest takes over an existing model",
            )
        if model_id in state.model_ids():
            raise UsageError(f"--adopt {address}={model_id}: that model is already recorded")
        try:
            model = api.get_model(model_id)
        except NotFound:
            raise UsageError(f"--adopt {address}={model_id}: Scenario has no such model") from None
        if model.type != step.type or model.status != "new":
            raise UsageError(
                f"--adopt {address}={model_id}: that is a {model.type}, {model.status}; a new {step.type} was requested"
            )


def _outcome(
    api: ScenarioApi,
    patience: _Patience,
    state: State,
    call: Unanswered,
    baseline: Baseline,
    named: Mapping[Address, ModelId],
) -> tuple[Outcome | None, PlannedStep]:
    step = call.step.step
    if isinstance(step, CreateModel) and step.address in named:
        reason = "vanished" if _has_vanished(api, state, step) else None
        return Outcome(
            at=iso(call.sent_at), model_id=named[step.address], reason=reason, adopted="named with --adopt"
        ), call.step
    if isinstance(step, AttachImages):
        return _attached(api, state, call)
    if isinstance(step, UploadImage) and "upload_id" in call.details:
        return _imported(api, patience, call), call.step
    earlier = earlier_from_details(call.details)
    bytes_sent = BytesSent.from_details(call.details)
    sent = Sent(step=call.step, at=call.sent_at, baseline=baseline, earlier=earlier, bytes_sent=bytes_sent)
    if isinstance(step, DrawSample):
        try:
            return _drawn(api, patience, state, call, sent), call.step
        except SampleUndecided:
            return Outcome(at=iso(call.sent_at)), call.step
    outcome = find_outcome(api, state, sent)
    while outcome is None and patience.left_s(call, SERVICE_MAY_STILL_WORK_S) > 0:
        patience.clock.wait(1.0)
        outcome = find_outcome(api, state, sent)
    if outcome is not None and isinstance(step, StartTraining):
        outcome = _as_launched(state, step, outcome)
    if outcome is not None and isinstance(step, CreateModel) and _has_vanished(api, state, step):
        outcome = replace(outcome, reason="vanished")
    return outcome, call.step


def _drawn(api: ScenarioApi, patience: _Patience, state: State, call: Unanswered, sent: Sent) -> Outcome | None:
    """The launch of a sample, once its job shows. Raises SampleUndecided where that is not known after so long."""
    pause_s = 1.0
    while True:
        is_late = patience.left_s(call, SAMPLE_MAY_SHOW_LATE_S) <= 0
        try:
            outcome = find_outcome(api, state, sent)
        except SampleUndecided:
            if is_late:
                raise
            outcome = None
        if outcome is not None or is_late:
            return outcome
        patience.clock.wait(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _decided(
    api: ScenarioApi, patience: _Patience, state: State, address: Address, number: int, sample: SampleRecord
) -> tuple[State, Adopted | None]:
    """The state with a sample that an earlier run could not decide about, as far as the service tells now.

    One that was not drawn has failed, so that a plan proposes it again.
    """
    at = from_iso(sample.at) or 0.0
    step = PlannedStep(id="", step=DrawSample(address=address, number=number, sample=sample.request))
    call, sent = Unanswered(step=step, sent_at=at, details={}), Sent(step=step, at=at - CLOCKS_OF_MACHINES_DIFFER_S)
    try:
        outcome = _drawn(api, patience, state, call, sent)
    except SampleUndecided:
        return state, None
    changed: dict[str, object] = {"phase": "failed", "reason": NOT_DRAWN, "ended_at": iso(patience.clock.now())}
    if outcome is not None:
        changed = {"job_id": outcome.job_id, "charged": outcome.cu}
        changed |= {"discount": outcome.discount, "details": outcome.details}

    def decided(one: SampleRecord) -> SampleRecord:
        return replace(one, **changed) if one.job_id is None else one

    state = with_version(state, address, number, lambda version: with_ended(version, sample.key, decided))
    if outcome is None or outcome.job_id is None:
        return state, None
    state = sample_launched(state, address, number, decided(sample), None)
    return state, Adopted(address=address, what="sample", remote_id=outcome.job_id, how=outcome.adopted or "")


def _has_vanished(api: ScenarioApi, state: State, step: CreateModel) -> bool:
    """Whether the model was created because the current one had vanished."""
    record = state.records.get(step.address)
    return record is not None and not read_models(api, [record.current.id], images=False)


def _as_launched(state: State, step: StartTraining, outcome: Outcome) -> Outcome:
    """The launch with the fingerprint it would have had."""
    version = state.records[step.address].working
    concepts = as_of_now(version.concepts, state)
    made_from = fingerprint(type=version.type, parameters=step.parameters, dataset=step.dataset, concepts=concepts)
    return replace(outcome, fingerprint=made_from, concepts=concepts)


def _attached(api: ScenarioApi, state: State, call: Unanswered) -> tuple[Outcome | None, PlannedStep]:
    """The images that are attached to the model: those are recorded."""
    step = call.step.step
    assert isinstance(step, AttachImages)
    record = state.records.get(step.address)
    ids = [AssetId(asset_id) for asset_id in call.details.get("asset_ids", "").split(",")]
    if record is None or len(ids) != len(step.images):
        return None, call.step
    try:
        attached = attached_of(api, record.working.id, ids)
    except NotFound:
        return None, call.step
    kept = [(image, asset_id) for image, asset_id in zip(step.images, ids, strict=True) if asset_id in attached]
    if not kept:
        return None, call.step
    outcome = Outcome(
        at=iso(call.sent_at),
        asset_ids=tuple(asset_id for _, asset_id in kept),
        adopted=ALREADY_ATTACHED,
    )
    return outcome, replace(call.step, step=replace(step, images=tuple(image for image, _ in kept)))


def _imported(api: ScenarioApi, patience: _Patience, call: Unanswered) -> Outcome | None:
    """The asset that a completed multipart upload became; None when it will not become one.

    Raises ApplyError when that is not known yet. One of another machine is waited for to the end: the next run would
    not know better how old it is.
    """
    polls = 0
    while call.is_foreign or polls < IMPORT_POLLS:
        polls += 1
        try:
            upload = api.get_upload(UploadId(call.details["upload_id"]))
        except NotFound:
            return None
        if upload.asset_id is not None:
            sha256 = call.details.get("sha256")
            how = "its upload was imported"
            return Outcome(at=iso(call.sent_at), asset_id=upload.asset_id, sha256=sha256, adopted=how)
        if upload.status == "failed":
            return None
        if upload.status == "pending" and patience.left_s(call, SERVICE_MAY_STILL_WORK_S) <= 0:
            return None  # never completed
        if patience.left_s(call, IMPORT_STUCK_S) <= 0:
            return None
        patience.clock.wait(1.0 if polls < IMPORT_POLLS else IMPORT_LATE_POLL_S)
    left = max(1, math.ceil(patience.left_s(call, IMPORT_STUCK_S) / 60))
    raise ApplyError(
        f"{call.step.address}: Scenario is still importing an image of the last run, {call.details['upload_id']}",
        hint=f"nothing was sent again; apply again in a minute. An apply in {left} min or later uploads it again",
    )

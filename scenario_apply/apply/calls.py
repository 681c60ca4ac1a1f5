"""Carries out one step by its request, and after a lost response reads the service before it sends the request again.

Requests that create or spend are journalled as sent right before their bytes leave, and never repeated blindly.
"""

from __future__ import annotations

from typing import assert_never

from msgspec.structs import replace

from scenario_apply.apply.before_run import Earlier, earlier_to_details
from scenario_apply.apply.call_context import CallContext
from scenario_apply.apply.epoch_choice import update_model
from scenario_apply.apply.kept_answers import kept_caption, kept_labels, kept_tags, tags_to_delete
from scenario_apply.apply.lost_answers import (
    ALREADY_ATTACHED,
    Sent,
    attached_of,
    find_outcome,
    recorded_training,
)
from scenario_apply.apply.multipart import body_of, upload_in_parts
from scenario_apply.apply.refresh import bounded
from scenario_apply.apply.sample_calls import draw_sample
from scenario_apply.apply.send_once import LOOKUP_PAUSES_S, MOST_SENDS, NO_DETAILS, once
from scenario_apply.errors import AnswerLost, ApplyError, Interrupted, Refused
from scenario_apply.model.address import Address
from scenario_apply.model.kept_text import is_kept_name, is_same_text
from scenario_apply.model.ports import Sending
from scenario_apply.model.remote import AssetId, ModelId, RemoteConcept, RemotePair
from scenario_apply.model.steps import (
    AttachImages,
    CallStep,
    ConceptRef,
    CreateModel,
    DeleteModel,
    DetachImage,
    DrawSample,
    PlannedStep,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    UpdateModel,
    UploadImage,
)
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.composition_parts import as_of_now
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import ConceptRecord, KeptLabels, PairRecord, Version

SHOWN_CAPTION = 120
"""Characters of a caption in a remark."""


def perform(planned: PlannedStep, step: CallStep, context: CallContext) -> Outcome:
    """Carry out a step by its request. step: the planned one. Raises ApiError or ApplyError."""
    api, now = context.api, iso(context.clock.now())
    match step:
        case CreateModel():
            outcome = once(planned, context, lambda sending: _create(step, context, sending))
            return _created_with_concepts(outcome, step, context)
        case UploadImage():
            if step.way == "multipart":
                return upload_in_parts(planned, step, context)
            return _upload(planned, step, context)
        case AttachImages():
            return _attach(planned, step, context)
        case DetachImage():
            api.detach_image(context.model_id(step.address), step.asset_id)
            return Outcome(at=now)
        case SetCaption():
            return _caption(step, context)
        case SetPairs():
            pairs = [
                RemotePair(
                    source_id=context.asset(pair.source),
                    target_id=context.asset(pair.target),
                    instruction=pair.instruction,
                )
                for pair in step.pairs
            ]
            api.replace_pairs(context.model_id(step.address), pairs)
            recorded = tuple(PairRecord(p.source_id, p.target_id, p.instruction) for p in pairs)
            return Outcome(at=now, pairs=recorded)
        case UpdateModel():
            return _update(step, context)
        case SetTags():
            return Outcome(at=now, labels=_tag(step, context))
        case StartTraining():
            return _train(planned, step, context)
        case DeleteModel():
            api.delete_model(step.model_id)
            return Outcome(at=now)
        case DrawSample():
            return draw_sample(planned, step, context)
        case _:
            assert_never(step)


# -- requests that must happen once


def _create(step: CreateModel, context: CallContext, sending: Sending) -> Outcome:
    concepts = _concepts(step.concepts, context)
    model = context.api.create_model(
        name=step.name,
        type=step.type,
        short_description=step.description,
        concepts=[_remote_concept(concept) for concept in concepts] or None,
        sending=sending,
    )
    context.notes.created(model.id)
    labels = kept_labels(step.name, step.description, model)
    return Outcome(at=iso(context.clock.now()), model_id=model.id, labels=labels)


def _upload(planned: PlannedStep, step: UploadImage, context: CallContext) -> Outcome:
    body, bytes_sent = body_of(step, context)

    def call(sending: Sending) -> Outcome:
        asset_id: AssetId
        if step.way == "data":
            asset_id = context.api.add_image(
                context.model_id(step.address),
                name=step.picture.path,
                mime=step.picture.mime,
                body=body,
                sending=sending,
            ).id
        else:
            asset_id = context.api.upload_asset(name=step.picture.path, body=body, sending=sending).id
        context.notes.created(asset_id)
        sha256 = None if bytes_sent is None else bytes_sent.sha256
        return Outcome(at=iso(context.clock.now()), asset_id=asset_id, sha256=sha256)

    return once(planned, context, call, details=NO_DETAILS if bytes_sent is None else bytes_sent.details)


def _train(planned: PlannedStep, step: StartTraining, context: CallContext) -> Outcome:
    version = context.record(step.address).working
    if context.notes.is_uncertain(step.address):
        _drop_spares(step.address, context)
    concepts = as_of_now(version.concepts, context.state)
    # a training that runs now may come from an earlier request of this step whose response was lost
    is_again = context.notes.is_unanswered(planned.id)
    earlier = recorded_training(version) if is_again else _earlier(version, context)
    details = {} if is_again else earlier_to_details(earlier)

    def call(sending: Sending) -> Outcome:
        launch = context.api.train(version.id, step.parameters, sending=sending)
        return Outcome(
            at=iso(context.clock.now()),
            job_id=launch.job_id,
            cu=launch.cu_cost,
            discount=launch.discount,
            details=launch.details,
        )

    try:
        outcome = once(planned, context, call, earlier=earlier, details=details)
    except Refused as refused:
        # "already training": by a lost request of ours that was carried out late, or by another process
        if not _says_training(refused) or not context.notes.is_unanswered(planned.id):
            raise
        found = find_outcome(context.api, context.state, Sent(step=planned, at=context.clock.now(), earlier=earlier))
        context.notes.response_found(planned.id)
        if found is None:
            raise
        outcome = found
    made_from = fingerprint(type=version.type, parameters=step.parameters, dataset=step.dataset, concepts=concepts)
    return replace(outcome, fingerprint=made_from, concepts=concepts)


def _earlier(version: Version, context: CallContext) -> Earlier:
    """The model's training before this launch. A model that was trained before is read: the plan may be hours old.

    Raises ApplyError when it is training right now, since this run did not launch that training.
    """
    recorded = recorded_training(version)
    if recorded.is_first:
        return recorded
    model = context.api.get_model(version.id)
    if model.is_running:
        job = f", job {model.job_id}" if model.job_id is not None else ""
        raise ApplyError(
            f"{version.id} is already being trained, and not by this run{job}: nothing was launched",
            hint="apply again: it waits for that training, then trains what the manifest declares",
        )
    return Earlier(job_id=model.job_id, started_at=model.training_started_at)


def _says_training(refused: Refused) -> bool:
    """Whether a launch was refused for a training that runs. Source: the API contract, section 15; 409 is a guess."""
    return refused.status in (400, 409) and "already training" in str(refused).lower()


def _drop_spares(address: Address, context: CallContext) -> None:
    """After a lost response an image may be attached twice: one that is not recorded is detached before paying."""
    version = context.record(address).working
    recorded = {image.asset_id for image in version.images}
    names = {image.path for image in version.images}
    for image in context.api.get_model(version.id).images or ():
        if image.id in recorded:
            continue
        if image.name in names or any(is_kept_name(name, image.name) for name in names):
            context.api.detach_image(version.id, image.id)


# -- attaching


def _attach(planned: PlannedStep, step: AttachImages, context: CallContext) -> Outcome:
    """Attach what is not attached yet. The service refuses an id that is attached, so a refusal leads to a read."""
    model_id = context.model_id(step.address)
    asset_ids = tuple(context.asset(image.asset) for image in step.images)
    missing = list(asset_ids)
    adopted: str | None = None

    def sending() -> None:
        context.journal.sending(planned, context.clock.now(), asset_ids=",".join(asset_ids))

    for attempt in range(1, MOST_SENDS + 1):
        try:
            context.api.attach_assets(model_id, missing, sending=sending)
            break
        except (AnswerLost, Refused) as error:
            if isinstance(error, Refused) and error.status != 400:
                raise
            if isinstance(error, AnswerLost):
                context.notes.response_lost(planned.id)
                context.clock.wait(LOOKUP_PAUSES_S[min(attempt, len(LOOKUP_PAUSES_S) - 1)], context.stop)
            attached = attached_of(context.api, model_id, asset_ids)
            left = [asset_id for asset_id in asset_ids if asset_id not in attached]
            if len(left) < len(missing):
                adopted = ALREADY_ATTACHED
            if not left:
                break
            if attempt == MOST_SENDS or (isinstance(error, Refused) and left == missing):
                raise
            if context.stop.is_set():
                raise Interrupted("interrupted while images are attached") from error
            missing = left
    context.notes.response_found(planned.id)
    return Outcome(at=iso(context.clock.now()), asset_ids=asset_ids, adopted=adopted)


# -- labels and parts


def _update(step: UpdateModel, context: CallContext) -> Outcome:
    concepts = None if step.concepts is None else _concepts(step.concepts, context)
    remote = None if concepts is None else [_remote_concept(concept) for concept in concepts]
    model = update_model(step, context.model_id(step.address), remote, context.api)
    labels = kept_labels(step.name, step.description, model)
    return Outcome(at=iso(context.clock.now()), concepts=concepts or (), labels=labels)


def _caption(step: SetCaption, context: CallContext) -> Outcome:
    asset_id = context.asset(step.asset)
    kept = kept_caption(step.caption, context.api.set_caption(asset_id, step.caption))
    if kept is not None and kept.kept is not None and step.caption and not is_same_text(step.caption, kept.kept):
        what = f"Scenario keeps the caption of {step.path} as {bounded(kept.kept, SHOWN_CAPTION)!r}, not as it was sent"
        context.notes.recaptioned(step.address, f"{what}; captions of other images may be changed in the same way")
    return Outcome(at=iso(context.clock.now()), asset_id=asset_id, caption=kept)


def _tag(step: SetTags, context: CallContext) -> KeptLabels | None:
    version = context.record(step.address).working
    delete = tags_to_delete(step, version)
    if not step.add and not delete:
        return None  # another tag is kept under the same name
    return kept_tags(step.add, context.api.update_tags(version.id, add=step.add, delete=delete))


def _concepts(refs: tuple[ConceptRef, ...], context: CallContext) -> tuple[ConceptRecord, ...]:
    """Parts with their present ids. Raises ApplyError for a declared one that is not trained."""
    concepts = []
    for ref in refs:
        if ref.model is None and not ref.model_id:
            raise ApplyError("a part is looked up by name, and this plan was made without a refresh: plan again")
        if ref.model is None:
            concepts.append(ConceptRecord(ModelId(ref.model_id or ""), ref.scale, ref.epoch))
            continue
        part = context.record(ref.model).current
        if not part.is_usable:
            raise ApplyError(f"{ref.model} is not trained ({part.phase})")
        concepts.append(ConceptRecord(part.id, ref.scale, ref.epoch, part.fingerprint))
    return tuple(concepts)


def _remote_concept(concept: ConceptRecord) -> RemoteConcept:
    return RemoteConcept(model_id=concept.model_id, scale=concept.scale, epoch=concept.epoch)


def _created_with_concepts(outcome: Outcome, step: CreateModel, context: CallContext) -> Outcome:
    """The outcome of a create request with the parts it was made of, and whether it replaces a vanished model."""
    reason = "vanished" if step.address in context.vanished else None
    return replace(outcome, concepts=_concepts(step.concepts, context), reason=reason)

"""The rules for a declared resource that nothing prevents: is it made, trained, relabelled or left as it is?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents
from scenario_apply.errors import Diagnostic, Location
from scenario_apply.manifest.spec import CompositionSpec, ModelSpec
from scenario_apply.model.queue_wait import QUEUED_LONG_HINT, is_queued, place_in_queue, queued_too_long
from scenario_apply.planning import reasons as why
from scenario_apply.planning.attributes import LabelChange, Spec
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.composition_parts import renewed_parts
from scenario_apply.planning.content_diff import ContentDiff, compare_contents, content_reasons
from scenario_apply.planning.decision import Complete, Create, Decision, Keep, Relabel, Replace, Resource, Retrain, Wait
from scenario_apply.planning.epochs import declared_epoch, epoch_left, epoch_missing
from scenario_apply.planning.ignore_changes import is_drift_ignored
from scenario_apply.planning.observed import content_drift
from scenario_apply.planning.pair_diff import pair_drift_kind
from scenario_apply.planning.reasons import Reason
from scenario_apply.planning.rule_inputs import Inputs, left_alone
from scenario_apply.planning.state_edit import StateEdit, without_images
from scenario_apply.planning.up_to_date import NO_DIFFERENCE
from scenario_apply.state.sample_records import with_epoch_in_use
from scenario_apply.state.state import Record, Version

Work = TypeVar("Work", Create, Complete, Retrain, Replace)
_NO_LABELS = LabelChange()


def missing(given: Inputs, it: Resource) -> Decision | Resource:
    """There is no model: never made, or deleted on the service."""
    spec, record = _declared(it), it.record
    reason: Reason = why.NotCreated()
    if record is not None:
        if not given.is_gone(record):
            return it
        reason = why.RemotelyDeleted(record.current.id)
        lost = Drift(address=it.address, what="model", recorded=record.current.id)
        it = replace(it, drift=(*it.drift, lost), edit=replace(it.edit, gone=True))
    contents = given.desired.contents_of(spec)
    return _work(Create, given, it, contents, compare_contents(contents, None), [reason])


def rollback(given: Inputs, it: Resource) -> Decision | Resource:
    """A rollback holds a version until the manifest entry changes."""
    spec, record = _recorded(it)
    if record.held is None:
        return it
    if not given.up_to_date.is_held_against(spec, record, it.parts):
        return replace(it, edit=replace(it.edit, unhold=True))
    if isinstance(spec, ModelSpec):
        it = replace(it, spec=replace(spec, epoch=record.current.epoch))  # a rollback brings back its weights
    return _stays(given, it, why.RollbackPinned(it.address, record.current.number))


def running(given: Inputs, it: Resource) -> Decision | Resource:
    """A training that runs is waited for, whatever the manifest asks for by now."""
    spec, record = _recorded(it)
    version = record.working
    if version.phase != "training":
        return it
    changed = version.fingerprint is not None and not given.up_to_date.is_what_is_wanted(spec, version, it.parts)
    labels = given.labels(spec, version)
    remote = given.observed.models.get(version.id)
    reason: Reason = why.TrainingRunning()
    if remote is not None and is_queued(remote.status or "", remote.progress):
        reason = why.TrainingQueued(version.launched_at, place_in_queue(remote.progress))
        it = replace(it, problems=(*it.problems, *_queued_long(given, it, version)))
    return Wait(
        resource=it,
        declared=spec,
        version=version,
        labels=labels,
        reasons=(reason, *labels.reasons),
        notes=(
            *([why.ManifestChangedMeanwhile()] if changed else []),
            *([] if (epoch := declared_epoch(spec)) is None else [why.EpochChanged(None, epoch)]),
        ),
    )


def _queued_long(given: Inputs, it: Resource, version: Version) -> Iterable[Diagnostic]:
    too_long = None if given.now is None else queued_too_long(version.launched_at, given.now)
    if too_long is not None:
        what = f"the training of {it.address} {too_long}"
        place = None if it.spec is None else it.spec.place
        yield Diagnostic(code="queued-long", severity="warning", message=what, location=place, hint=QUEUED_LONG_HINT)


def reverted(given: Inputs, it: Resource) -> Resource:
    """The manifest is back at the current version: its unfinished replacement is given up."""
    spec, record = _recorded(it)
    if record.pending is None or given.observed.is_gone(record.current.id):
        return it
    if not given.up_to_date.is_what_is_wanted(spec, record.current, it.parts):
        return it
    return replace(it, record=record.without_pending(), edit=replace(it.edit, discard_pending=True))


def restored(given: Inputs, it: Resource) -> Resource:
    """A kept version that was trained on exactly what is declared is current again: training it costs money."""
    spec, record = _recorded(it)
    replaces = isinstance(spec, ModelSpec) and spec.lifecycle.on_change in (None, "replace")
    if not replaces or it.address in given.asked.replace:
        return it
    if not record.current.is_usable or given.up_to_date.is_what_is_wanted(spec, record.current, it.parts):
        return it
    for version in record.previous:
        if version.is_usable and given.up_to_date.is_what_is_wanted(spec, version, it.parts):
            if given.observed.is_gone(version.id):
                return it
            # a replacement that was not launched yet is given up for it
            edit = replace(it.edit, revive=version.number, discard_pending=record.pending is not None)
            return replace(it, record=record.revived(version.number).without_pending(), edit=edit)
    return it


def drifted(given: Inputs, it: Resource) -> Resource:
    """Content that was changed on the service; labels are compared elsewhere. An import is recorded as it is now."""
    spec, record = _recorded(it)
    if it.edit.record is not None:
        return it
    remote = given.observed.models.get(record.working.id)
    if remote is None:
        return it
    found = [item for item in content_drift(it.address, record, remote) if not is_drift_ignored(item, spec)]
    return replace(it, drift=(*it.drift, *found))


def unfinished(given: Inputs, it: Resource) -> Decision | Resource:
    """A version that was never trained, or whose training failed: completed in place unless its type changed."""
    spec, record = _recorded(it)
    version = record.working
    if version.is_usable:
        return it
    contents = given.up_to_date.contents_for(spec, version)
    content = compare_contents(contents, version)
    drift, labels = _drift_reasons(it), given.labels(spec, version)
    asked = it.address in given.asked.replace
    fresh = version.type != spec.type or asked
    is_idle = not (given.may_train(it.address, spec) or content or drift or labels or fresh)
    if is_idle and it.edit.record is not None:
        return _stays(given, it, why.ManualTraining(it.address))
    if is_idle and not it.edit:
        return left_alone(it, why.ManualTraining(it.address))
    reasons: list[Reason] = [why.AskedFor("--replace")] if asked else []
    if version.phase in ("failed", "canceled"):
        reasons += [
            why.TrainingEnded(version.phase, version.reason),
            *given.up_to_date.parameters_changed(spec, version),
        ]
    else:
        reasons.append(why.NotTrained())
    if version.type != spec.type:
        reasons.append(why.TypeChanged(version.type, spec.type))
    reasons += [*content_reasons(content), *drift, *labels.reasons]
    if fresh:
        return _work(Replace, given, it, contents, content, reasons)
    return _work(Complete, given, it, contents, content, reasons, labels)


def changed(given: Inputs, it: Resource) -> Decision | Resource:
    """A trained version that is not what is declared is replaced or retrained, unless the manifest forbids it."""
    spec, record = _recorded(it)
    version = record.working
    asked = it.address in given.asked.replace
    reasons, content = _content_changes(given, it, spec, version)
    reasons = [*([why.AskedFor("--replace")] if asked else []), *reasons, *_drift_reasons(it)]
    if not reasons:
        return it
    on_change = spec.lifecycle.on_change or ("retrain" if isinstance(spec, CompositionSpec) else "replace")
    if asked or (version.type != spec.type and on_change != "keep"):
        on_change = "replace"
    if on_change == "keep":
        return _stays(given, it, why.ChangesKept(tuple(reasons)))
    if not given.may_train(it.address, spec):
        return _stays(given, it, why.ManualTraining(it.address, tuple(reasons)))
    contents, labels = given.up_to_date.contents_for(spec, version), given.labels(spec, version)
    reasons += labels.reasons
    if on_change == "replace":
        return _work(Replace, given, it, contents, content, reasons)
    return _work(Retrain, given, it, contents, content, reasons, labels)


def unchanged(given: Inputs, it: Resource) -> Decision:
    """Only labels, protection or the address may differ."""
    return _stays(given, it)


# -- pieces


def _declared(it: Resource) -> Spec:
    assert it.spec is not None
    return it.spec


def _recorded(it: Resource) -> tuple[Spec, Record]:
    assert it.record is not None
    return _declared(it), it.record


def _work(
    kind: type[Work],
    given: Inputs,
    it: Resource,
    contents: Contents,
    content: ContentDiff,
    reasons: Iterable[Reason],
    labels: LabelChange = _NO_LABELS,
) -> Work:
    """A decision that brings content into line and trains, unless training is manual."""
    spec = _declared(it)
    trains = given.may_train(it.address, spec)
    if kind in (Create, Replace) and it.record is not None and it.record.pending is not None:
        it = replace(it, edit=replace(it.edit, discard_pending=True))
    if kind in (Complete, Retrain):
        it = _without_detached(given, it)
    dataset = given.desired.dataset_of(spec)
    digest = None if dataset is None else dataset.digest
    if digest is not None and kind is not Create and contents is not given.desired.contents_of(spec):
        digest = digest_of(contents)
    notes: list[Reason] = [] if trains else [why.ManualTraining(it.address)]
    if trains and content.captions.add and not given.observed.refreshed:
        notes.append(why.OwnCaptionsUnknown())
    return kind(
        resource=it,
        declared=spec,
        contents=contents,
        content=content,
        dataset_digest=digest,
        trains=trains,
        labels=labels,
        picture_options="" if dataset is None else dataset.options.text,
        reasons=tuple(reasons),
        notes=(*notes, *_edit_reasons(it.edit), *_move_reasons(it.edit)),
    )


def _with_problem(it: Resource, problem: Diagnostic | None) -> Resource:
    return it if problem is None else replace(it, problems=(*it.problems, problem))


def _epoch_place(spec: Spec) -> Location:
    return spec.places.get("epoch", spec.place)


def _without_detached(given: Inputs, it: Resource) -> Resource:
    """Images that the service no longer holds leave the record: there is nothing to detach."""
    assert it.record is not None
    version = it.record.working
    remote = given.observed.models.get(version.id)
    if remote is None or remote.images is None:
        return it
    held = {image.id for image in remote.images}
    gone = tuple(image.asset_id for image in version.images if image.asset_id not in held)
    if not gone:
        return it
    return replace(it, record=without_images(it.record, gone), edit=replace(it.edit, detached=gone))


def _stays(given: Inputs, it: Resource, *notes: Reason) -> Keep | Relabel:
    """What is left when nothing is trained: labels, protection, a move. notes: why nothing is."""
    spec, record = _recorded(it)
    version = record.current
    labels = given.labels(spec, version)
    if labels.epoch is not None and labels.epoch.is_in_use:  # only the record lacks it
        version = with_epoch_in_use(version, labels.epoch.new)
        it = replace(it, record=replace(record, current=version), edit=replace(it.edit, epoch=labels.epoch.new))
        labels = replace(labels, epoch=None)
    elif labels.epoch is not None:
        missing = epoch_missing(labels.epoch.new, f"{it.address} asks for", given.remote(version), _epoch_place(spec))
        it = _with_problem(it, missing)
    if (left := epoch_left(spec, version)) is not None:
        notes = (*notes, left)
    reasons: list[Reason] = []
    if it.edit.revive is not None:
        reasons.append(why.VersionRestored(it.edit.revive))
    if it.edit.discard_pending:
        reasons.append(why.ManifestReverted())
    reasons += [*labels.reasons, *_edit_reasons(it.edit)]
    moves = _move_reasons(it.edit)
    if not reasons:
        return Keep(resource=it, version=version, reasons=tuple(moves), notes=notes)
    return Relabel(resource=it, version=version, labels=labels, reasons=(*reasons, *moves), notes=notes)


def _edit_reasons(edit: StateEdit) -> list[Reason]:
    reasons: list[Reason] = []
    if edit.protect is not None:
        reasons.append(why.ProtectionChanged(edit.protect))
    if edit.unhold:
        reasons.append(why.RollbackEnded())
    if edit.discard_pending:
        reasons.append(why.ReplacementDiscarded())
    return reasons


def _move_reasons(edit: StateEdit) -> list[Reason]:
    return [] if edit.moved_from is None else [why.MovedFrom(edit.moved_from)]


def _content_changes(given: Inputs, it: Resource, spec: Spec, version: Version) -> tuple[list[Reason], ContentDiff]:
    """Why a trained version is not what is wanted; no reason when it is."""
    renewed = renewed_parts(spec, version, it.parts, given.decided) if isinstance(spec, CompositionSpec) else []
    if not renewed and given.up_to_date.is_what_is_wanted(spec, version, it.parts):
        return [], NO_DIFFERENCE
    reasons, content = given.up_to_date.differences(spec, version, it.parts)
    if renewed:
        reasons = renewed
    if not reasons and version.fingerprint is not None:
        reasons.append(why.TrainedOnOther())
    return reasons, content


def _drift_reasons(it: Resource) -> list[Reason]:
    """Drift of a version's content, as reasons to train it again or to set it back."""
    reasons: list[Reason] = []
    for item in it.drift:
        if item.what == "caption":
            reasons.append(why.DriftFound("caption-changed", item.path or ""))
        elif item.what == "image":
            reasons.append(why.DriftFound("image-removed" if item.recorded else "image-added", item.path or ""))
        elif item.what == "pair":
            reasons.append(why.DriftFound(pair_drift_kind(item), item.path or ""))
    return reasons

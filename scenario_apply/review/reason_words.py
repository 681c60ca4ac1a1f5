"""Reasons in words: the text after "because", and of notes. Not safe to print before safe()."""

from __future__ import annotations

from typing import assert_never

from scenario_apply.model.queue_wait import queue_text
from scenario_apply.planning import reasons as why
from scenario_apply.planning.reasons import DifferenceReason, HistoryReason, Reason, RestraintReason
from scenario_apply.planning.sample_reasons import (
    SampleFailed,
    SampleReason,
    SamplesChanged,
    SamplesDrawing,
    SamplesMissing,
)
from scenario_apply.review.screen import counted
from scenario_apply.review.step_words import once
from scenario_apply.review.values import change_text

_DEFAULT = "(default)"
_NAMED = 5  # samples in a reason
_PARTS = {
    "created": "is created",
    "replaced": "is replaced",
    "retrained": "is retrained",
    "retrained-before": "was retrained",
}
_DRIFT = {
    "caption-changed": "the caption of {} was changed on Scenario",
    "image-added": "image {} was added on Scenario",
    "image-removed": "image {} was removed on Scenario",
    "pair-added": "the pair {} was added on Scenario",
    "pair-changed": "the instruction of {} was changed on Scenario",
    "pair-removed": "the pair {} was removed on Scenario",
}


def reason_text(reason: Reason) -> str:
    """Such as 'it does not exist yet'."""
    if isinstance(reason, DifferenceReason):
        return _difference_text(reason)
    if isinstance(reason, SampleReason):
        return _sample_text(reason)
    return _history_text(reason) if isinstance(reason, HistoryReason) else _restraint_text(reason)


def _difference_text(reason: DifferenceReason) -> str:
    match reason:
        case why.NotCreated():
            return "it does not exist yet"
        case why.RemotelyDeleted(model_id):
            return f"model {model_id} was deleted on Scenario"
        case why.NoLongerDeclared():
            return "it is no longer declared"
        case why.DestroyAskedFor():
            return "destroy was asked for"
        case why.AlreadyDeleted():
            return "it no longer exists on Scenario"
        case why.RemovedBlock():
            return "a removed: block asks to forget it"
        case why.Imported(model_id):
            return f"{model_id} is imported: its images are matched by file name"
        case why.MovedFrom(source):
            return f"it is renamed from {source}"
        case why.AskedFor(option):
            return f"{option} asks for it"
        case why.TypeChanged(old, new):
            return f"type {old} -> {new}"
        case why.ParameterChanged(name, old, new):
            return f"parameters.{name} {change_text(old, new, _DEFAULT)}"
        case why.ImagesChanged():
            return f"images {_counts(reason)}"
        case why.CaptionsChanged():
            return f"captions {_counts(reason)}"
        case why.PairsChanged():
            return f"pairs {_counts(reason) or 'differ'}"
        case why.TrainedOnOther():
            return "it was trained on something else"
        case why.ConceptAdded(model_id):
            return f"concept {model_id} added"
        case why.ConceptRemoved(model_id):
            return f"concept {model_id} removed"
        case why.ConceptChanged(model_id, attribute, old, new):
            return f"{attribute} of {model_id} {change_text(old, new, _DEFAULT)}"
        case why.PartChanged(part, how, version):
            return f"{part} {_PARTS.get(how) or f'is at version {version} now'}"
        case why.NameChanged(old, new):
            return f'name "{old}" -> "{new}"'
        case why.DescriptionChanged():
            return "description differs"
        case why.TagsChanged(added, removed):
            return "tags " + " ".join([*(f"+{tag}" for tag in added), *(f"-{tag}" for tag in removed)])
        case why.EpochChanged(old, new, drifted):
            changed = f"epoch {new} is chosen" if old in (None, new) else f"epoch {old} -> {new}"
            return f"{changed} (it was changed on Scenario)" if drifted else changed
        case why.LabelDrift("name", observed):
            return f'the name was changed on Scenario to "{observed}"'
        case why.LabelDrift("tags", observed):
            return f"tags were removed on Scenario: {observed}"
        case why.LabelDrift(label):
            return f"the {label} was changed on Scenario"
        case why.DriftFound(what, path):
            return _DRIFT[what].format(path)
        case _:
            assert_never(reason)


def _history_text(reason: HistoryReason) -> str:
    match reason:
        case why.NotTrained():
            return "it was created earlier, but not trained yet"
        case why.TrainingEnded(phase, recorded):
            return once(recorded or f"its training ended as {phase}")
        case why.TrainingRunning():
            return "its training is running"
        case why.TrainingQueued(since, place):
            return f"its training is {queue_text(since, place)}"
        case why.ManifestChangedMeanwhile():
            return "the manifest changed since: apply again when this training has ended"
        case why.ManualTraining(address, changed):
            return _with_changes(f"train: manual, trained only with --train {address}", changed)
        case why.OwnCaptionsUnknown():
            return "captions that say what Scenario's own say need no training; a plan with a refresh compares them"
        case why.ChangesKept(changed):
            return _with_changes("on_change: keep", changed)
        case why.ProtectionChanged(protected):
            return f"deletion protection is {'recorded' if protected else 'lifted'}"
        case why.RollbackEnded():
            return "the rollback no longer applies: its manifest entry changed"
        case why.RollbackPinned(address, version):
            return f"pinned to version {version} by a rollback; scenario-apply rollback --lift {address} unpins it"
        case why.ReplacementDiscarded():
            return "the unfinished replacement is discarded"
        case why.ManifestReverted():
            return "the manifest asks for the trained version again"
        case why.VersionRestored(version):
            return f"version {version} was trained on exactly this: it becomes current again, 0 CU"
        case why.BestNotInUse():
            return _best_text(reason)
        case why.EpochLeft(epoch):
            return f"epoch {epoch} stays in use: removing `epoch:` changes nothing on Scenario"
        case _:
            assert_never(reason)


def _restraint_text(reason: RestraintReason) -> str:
    match reason:
        case why.NotSelected():
            return "not selected"
        case why.Disabled():
            return "enabled: false"
        case why.Protected():
            return "protected by prevent_destroy, as recorded in the state"
        case why.Prevented(_, message):
            return message
        case why.QuoteCovers(images, later):
            return f"the quote covers the {images} images it has now, not the {later} it will have"
        case why.DeleteNeedsConsent():
            return "pass --allow-destroy to delete it"
        case why.OldVersionsDeleted(count, keep):
            return f"{_old_versions(count, keep)} and {'is' if count == 1 else 'are'} deleted"
        case why.OldVersionsKept(count, keep, "protected"):
            return f"{_old_versions(count, keep)}: kept, because the resource is protected"
        case why.OldVersionsKept(count, keep):
            return f"{_old_versions(count, keep)}: pass --allow-destroy to delete {'it' if count == 1 else 'them'}"
        case why.OldVersionsLost(count):
            return f"{counted(count, 'old version')} no longer exist{'s' if count == 1 else ''} on Scenario"
        case why.BestKept(version):
            return f"version {version} is kept, because `best:` names it"
        case why.VersionInUse(version, user):
            return f"version {version} is kept, because {user} uses it"
        case _:
            assert_never(reason)


def _best_text(reason: why.BestNotInUse) -> str:
    said = ", ".join(text for text in (reason.by, reason.at) if text)
    best = _version_text(reason.version, reason.epoch)
    used = _version_text(reason.used_version, reason.used_epoch if reason.epoch else None)
    return f"{best} is marked best{f' ({said})' if said else ''}, {used} is in use"


def _version_text(number: int, epoch: str | None) -> str:
    return f"version {number}" + (f", epoch {epoch}" if epoch else "")


def _old_versions(count: int, keep: int) -> str:
    return f"{counted(count, 'old version')} exceed{'s' if count == 1 else ''} keep_versions ({keep})"


def _sample_text(reason: SampleReason) -> str:
    match reason:
        case SamplesMissing(names):
            return f"{_samples(names, 'is', 'are')} missing: {_listed(names)}"
        case SamplesChanged(names):
            return f"{counted(len(names), 'sample')} changed: {_listed(names)}"
        case SampleFailed(name, recorded):
            return f"sample {name} failed: {once(recorded or 'Scenario gives no reason')}"
        case SamplesDrawing(names):
            return f"{_samples(names, 'is', 'are')} being drawn: {_listed(names)}"
        case _:
            assert_never(reason)


def _samples(names: tuple[str, ...], one: str, several: str) -> str:
    return f"{counted(len(names), 'sample')} {one if len(names) == 1 else several}"


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _with_changes(text: str, changed: tuple[Reason, ...]) -> str:
    return f"{text} (changed: {'; '.join(map(reason_text, changed))})" if changed else text


def _counts(reason: why.ImagesChanged | why.CaptionsChanged | why.PairsChanged) -> str:
    groups = (("+", reason.added), ("~", reason.changed), ("-", reason.removed))
    return " ".join(f"{sign}{count}" for sign, count in groups if count)

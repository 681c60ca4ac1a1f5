"""Reasons in words: the text after "because", and of notes. Not safe to print before safe()."""

from __future__ import annotations

from typing import assert_never

from scenario_apply.model.queue_wait import queue_text
from scenario_apply.planning.reasons import (
    AlreadyDeleted,
    AskedFor,
    CaptionsChanged,
    ChangesKept,
    ConceptAdded,
    ConceptChanged,
    ConceptRemoved,
    DeleteNeedsConsent,
    DescriptionChanged,
    DestroyAskedFor,
    Disabled,
    DriftFound,
    ImagesChanged,
    Imported,
    ManifestChangedMeanwhile,
    ManifestReverted,
    ManualTraining,
    MovedFrom,
    NameChanged,
    NoLongerDeclared,
    NotCreated,
    NotSelected,
    NotTrained,
    OldVersionsDeleted,
    OldVersionsKept,
    PairsChanged,
    ParameterChanged,
    PartChanged,
    Prevented,
    Protected,
    ProtectionChanged,
    QuoteCovers,
    Reason,
    RemotelyDeleted,
    RemovedBlock,
    ReplacementDiscarded,
    RollbackEnded,
    RollbackPinned,
    TagsChanged,
    TrainedOnOther,
    TrainingEnded,
    TrainingQueued,
    TrainingRunning,
    TypeChanged,
    VersionInUse,
    VersionRestored,
)
from scenario_apply.review.screen import counted
from scenario_apply.review.step_words import once

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
}


def reason_text(reason: Reason) -> str:
    """Such as 'it does not exist yet'."""
    match reason:
        case NotCreated():
            return "it does not exist yet"
        case RemotelyDeleted(model_id):
            return f"model {model_id} was deleted on Scenario"
        case NoLongerDeclared():
            return "it is no longer declared"
        case DestroyAskedFor():
            return "destroy was asked for"
        case AlreadyDeleted():
            return "it no longer exists on Scenario"
        case RemovedBlock():
            return "a removed: block asks to forget it"
        case Imported(model_id):
            return f"{model_id} is imported: its images are matched by file name"
        case MovedFrom(source):
            return f"it is renamed from {source}"
        case AskedFor(option):
            return f"{option} asks for it"
        case TypeChanged(old, new):
            return f"type {old} -> {new}"
        case ParameterChanged(name, old, new):
            return f"parameters.{name} {_value(old)} -> {_value(new)}"
        case ImagesChanged():
            return f"images {_counts(reason)}"
        case CaptionsChanged():
            return f"captions {_counts(reason)}"
        case PairsChanged():
            return "pairs differ"
        case TrainedOnOther():
            return "it was trained on something else"
        case ConceptAdded(model_id):
            return f"concept {model_id} added"
        case ConceptRemoved(model_id):
            return f"concept {model_id} removed"
        case ConceptChanged(model_id, attribute, old, new):
            return f"{attribute} of {model_id} {_value(old)} -> {_value(new)}"
        case PartChanged(part, how, version):
            return f"{part} {_PARTS.get(how) or f'is at version {version} now'}"
        case NameChanged(old, new):
            return f'name "{old}" -> "{new}"'
        case DescriptionChanged():
            return "description differs"
        case TagsChanged(added, removed):
            return "tags " + " ".join([*(f"+{tag}" for tag in added), *(f"-{tag}" for tag in removed)])
        case DriftFound(what, path):
            return _DRIFT[what].format(path)
        case NotTrained():
            return "it was created earlier, but not trained yet"
        case TrainingEnded(phase, recorded):
            return once(recorded or f"its training ended as {phase}")
        case TrainingRunning():
            return "its training is running"
        case TrainingQueued(since, place):
            return f"its training is {queue_text(since, place)}"
        case ManifestChangedMeanwhile():
            return "the manifest changed since: apply again when this training has ended"
        case ManualTraining(address, changed):
            return _with_changes(f"train: manual, trained only with --train {address}", changed)
        case ChangesKept(changed):
            return _with_changes("on_change: keep", changed)
        case ProtectionChanged(protected):
            return f"deletion protection is {'recorded' if protected else 'lifted'}"
        case RollbackEnded():
            return "the rollback no longer applies: its manifest entry changed"
        case RollbackPinned(address, version):
            return f"pinned to version {version} by a rollback; rollback --lift {address} unpins it"
        case ReplacementDiscarded():
            return "the unfinished replacement is discarded"
        case ManifestReverted():
            return "the manifest asks for the trained version again"
        case VersionRestored(version):
            return f"version {version} was trained on exactly this: it becomes current again, 0 CU"
        case NotSelected():
            return "not selected"
        case Disabled():
            return "enabled: false"
        case Protected():
            return "protected by prevent_destroy, as recorded in the state"
        case Prevented(_, message):
            return message
        case QuoteCovers(images, later):
            return f"the quote covers the {images} images it has now, not the {later} it will have"
        case DeleteNeedsConsent():
            return "pass --allow-destroy to delete it"
        case OldVersionsDeleted(count, keep):
            return f"{_old_versions(count, keep)} and {'is' if count == 1 else 'are'} deleted"
        case OldVersionsKept(count, keep, "protected"):
            return f"{_old_versions(count, keep)}: kept, because the resource is protected"
        case OldVersionsKept(count, keep):
            return f"{_old_versions(count, keep)}: pass --allow-destroy to delete {'it' if count == 1 else 'them'}"
        case VersionInUse(version, user):
            return f"version {version} is kept, because {user} uses it"
        case _:
            assert_never(reason)


def _old_versions(count: int, keep: int) -> str:
    return f"{counted(count, 'old version')} exceed{'s' if count == 1 else ''} keep_versions ({keep})"


def _with_changes(text: str, changed: tuple[Reason, ...]) -> str:
    return f"{text} (changed: {'; '.join(map(reason_text, changed))})" if changed else text


def _counts(reason: ImagesChanged | CaptionsChanged) -> str:
    groups = (("+", reason.added), ("~", reason.changed), ("-", reason.removed))
    return " ".join(f"{sign}{count}" for sign, count in groups if count)


def _value(value: object) -> str:
    if value is None:
        return "(default)"
    return f"{value:g}" if isinstance(value, float) else str(value)

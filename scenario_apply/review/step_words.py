"""Steps in words: what one does, and what it did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import assert_never

from scenario_apply.model.steps import (
    AttachImages,
    AwaitSample,
    AwaitTraining,
    CreateModel,
    DeleteModel,
    DetachImage,
    DrawSample,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    Step,
    StepKind,
    UpdateModel,
    UploadImage,
)
from scenario_apply.review.screen import counted


def doing(step: Step) -> str:
    """'upload 01.png'; not safe to print before safe()."""
    match step:
        case CreateModel():
            return "create" if step.number == 1 else f"create version {step.number}"
        case UploadImage():
            return f"upload {step.picture.path}"
        case AttachImages():
            return f"attach {counted(len(step.images), 'image')}"
        case DetachImage():
            return f"detach {step.path}"
        case SetCaption():
            return f"caption {step.path}"
        case SetPairs():
            return f"set {counted(len(step.pairs), 'pair')}" if step.pairs else "remove all pairs"
        case UpdateModel():
            return f"choose epoch {step.epoch}" if step.epoch else "update"
        case SetTags():
            return "set tags"
        case StartTraining():
            return "launch training"
        case AwaitTraining():
            return "training"
        case DeleteModel():
            return f"delete version {step.number}"
        case DrawSample():
            return f"draw sample {step.sample.name}"
        case AwaitSample():
            return f"sample {step.name}"
        case _:
            assert_never(step)


def did(step: Step) -> str:
    """'uploaded 01.png'; not safe to print before safe()."""
    match step:
        case CreateModel():
            return "created" if step.number == 1 else f"version {step.number} created"
        case UploadImage():
            return f"uploaded {step.picture.path}"
        case AttachImages():
            return f"attached {counted(len(step.images), 'image')}"
        case DetachImage():
            return f"detached {step.path}"
        case SetCaption():
            return f"captioned {step.path}"
        case SetPairs():
            return f"{counted(len(step.pairs), 'pair')} set" if step.pairs else "all pairs removed"
        case UpdateModel():
            return f"epoch {step.epoch} chosen" if step.epoch else "updated"
        case SetTags():
            return "tags set"
        case StartTraining():
            return "training launched"
        case AwaitTraining():
            return "trained"
        case DeleteModel():
            return f"version {step.number} deleted"
        case DrawSample():
            return f"sample {step.sample.name} launched"
        case AwaitSample():
            return f"sample {step.name} drawn"
        case _:
            assert_never(step)


_ECHO = re.compile(r"^(.{3,40}?) failed[:;,.]? (?=\1 failed)", re.IGNORECASE)


def failure(what: str, reason: str) -> str:
    """'upload 01.png failed: the reason'; what is not said again where the reason says it. Not safe to print."""
    return once(f"{what} failed: {reason}")


def once(text: str) -> str:
    """'training failed: out of memory' of 'training failed: Training failed: out of memory'."""
    told = text
    while (shorter := _ECHO.sub("", told)) != told:
        told = shorter
    return told[:1].lower() + told[1:] if told != text and told[1:2].islower() else told


def sample_name(step: Step) -> str | None:
    """The name of the sample that a step is about."""
    match step:
        case DrawSample():
            return step.sample.name
        case AwaitSample():
            return step.name
        case _:
            return None


KIND_NOUNS: Mapping[StepKind, tuple[str, str]] = {
    "create": ("model created", "models created"),
    "upload": ("image uploaded", "images uploaded"),
    "attach": ("batch attached", "batches attached"),
    "detach": ("image detached", "images detached"),
    "caption": ("caption set", "captions set"),
    "pair": ("set of pairs", "sets of pairs"),
    "update": ("model updated", "models updated"),
    "tag": ("model tagged", "models tagged"),
    "train": ("training launched", "trainings launched"),
    "wait": ("training ended", "trainings ended"),
    "delete": ("model deleted", "models deleted"),
    "sample": ("sample launched", "samples launched"),
    "sample-wait": ("sample drawn", "samples drawn"),
}


def kinds_done(counts: dict[str, int]) -> str:
    """'1 model created, 16 images uploaded', in the order of a run."""
    return ", ".join(counted(counts[kind], one, many) for kind, (one, many) in KIND_NOUNS.items() if counts.get(kind))

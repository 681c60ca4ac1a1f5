"""A look at the trainings of one project: one bulk read, which says whose trainings ended."""

from __future__ import annotations

import os
from collections.abc import Iterable

from msgspec import Struct

from scenario_apply.apply.refresh import failure_of, read_models
from scenario_apply.fleet.tasks import RunningTraining, Task
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import WAITING_STATUSES, ModelId, RemoteModel
from scenario_apply.review.training_words import progress_words

_FAILED = {"failed": "training failed", "training-canceled": "the training was cancelled on Scenario"}


class Look(Struct, frozen=True, kw_only=True):
    """running: trainings that continue. ended: those that do not, with the reason of a failure, else None.

    progress: in words, of those that continue.
    """

    running: tuple[RunningTraining, ...]
    ended: tuple[tuple[str, str, str | None], ...]
    progress: tuple[str, ...]

    def manifests(self, task: Task) -> set[str]:
        """Those in which something became possible."""
        return {path for path, _, _ in self.ended} | set(task.unfinished)


def look_at(api: ScenarioApi, trainings: Iterable[RunningTraining]) -> Look:
    """One request for fifty models; one more for each that just failed, for its reason. Raises ApiError."""
    trainings = tuple(trainings)
    models = read_models(api, [ModelId(training.model_id) for training in trainings], images=False)
    running, ended, progress = [], [], []
    for training in trainings:
        model = models.get(ModelId(training.model_id))
        if model is not None and (model.is_running or model.status in WAITING_STATUSES):
            running.append(training)
            words = " ".join(progress_words("", model.progress))
            progress.append(f"{training.address} {words}".strip())
        else:
            ended.append((training.manifest, training.address, _reason(api, model)))
    return Look(running=tuple(running), ended=tuple(ended), progress=tuple(progress))


def _reason(api: ScenarioApi, model: RemoteModel | None) -> str | None:
    """Why a training failed; None for one that did not."""
    if model is None:
        return "the model was deleted on Scenario"
    if model.status == "failed" and model.job_id is not None:
        return failure_of(api, model.job_id).reason
    return _FAILED.get(model.status or "")


def root_of(task: Task) -> str:
    """The folder that .scenario/ is in, without reading a manifest."""
    first = os.path.abspath(os.path.join(task.cwd, task.manifests[0].path))
    return first if os.path.isdir(first) else os.path.dirname(first)

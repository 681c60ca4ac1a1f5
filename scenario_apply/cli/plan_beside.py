"""What is known of resources beside a plan: the folder of their pictures, findings, and how long they train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scenario_apply.planning.training_times import expected_seconds
from scenario_apply.review.change_view import Beside

if TYPE_CHECKING:
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.dataset.types import Dataset
    from scenario_apply.model.address import Address
    from scenario_apply.planning.plan import Plan
    from scenario_apply.state.state import State


def beside_of(plan: Plan, request: PlanRequest | None, state: State | None) -> dict[Address, Beside]:
    """By resource, of those that change. request, state: None where they could not be read."""
    models = request.manifest.models if request is not None else {}
    datasets: Mapping[str, Dataset] = request.datasets if request is not None else {}
    folders: dict[str, str | None] = {}  # only of what changes: a look at the pictures of a dataset unpacks its record
    found = {}
    for change in plan.changes:
        if change.action == "none":
            continue
        model = models.get(change.address)
        name = model.dataset if model is not None else ""
        trains = change.cost.source != "none"
        kind = str((change.after or {}).get("type", ""))
        if name in datasets and name not in folders:
            folders[name] = folder_of(datasets[name])
        found[change.address] = Beside(
            seconds=expected_seconds(state, kind) if state is not None and trains else None,
            findings=datasets[name].problems if name in datasets else (),
            folder=folders.get(name),
        )
    return found


def folder_of(dataset: Dataset) -> str | None:
    """Where the paths within a dataset begin, relative to the manifest's root; None where they begin in several."""
    folders = {
        image.file[: -len(image.path)].rstrip("/") if image.file.endswith(image.path) else None
        for image in dataset.contents.images
    }
    return folders.pop() if len(folders) == 1 else None

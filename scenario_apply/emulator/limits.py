"""Ceilings of a plan: concurrent trainings and generations, images per model, exports, a pause between launches.

Those on requests are in `request_budget`.
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scenario_apply.emulator.messages import ApiError
from scenario_apply.emulator.store import Row

if TYPE_CHECKING:
    from scenario_apply.emulator.options import EmulatorOptions
    from scenario_apply.emulator.world import World

GENERATION, EXPORT, TRAINING = "parallel-custom-jobs", "download-model", "parallel-training"
"""actionName of the ceilings. The first two are the emulator's own; that of trainings was seen on the service."""
RESTORING_PLANS = frozenset({"cu-max", "cu-team", "cu-team-v2", "enterprise", "premium"})
"""Plans on which deleted things can be brought back: Max and above."""


def ceiling(action: str, limit: int, value: int) -> ApiError:
    """The 429 of a plan ceiling. value is what the action counts to at present."""
    details = {"actionLimit": limit, "actionName": action, "actionValue": value, "limitScope": "team"}
    return ApiError(
        429,
        f"You have reached your plan's limit for {action} ({limit})",
        "PLAN_LIMIT_REACHED",
        extra={"name": "PlanLimitReachedError", "details": details},
    )


def ceiling_of(options: EmulatorOptions, path: Sequence[str]) -> tuple[str, int]:
    """The ceiling that the request of a path can run into, and its limit: of a training where it is no other."""
    if "generate" in path[:2]:
        return GENERATION, options.parallel_custom_jobs
    if path[-1] == "download":
        return EXPORT, options.download_models
    return TRAINING, options.parallel_training


def cooling_down(wait_ms: int) -> ApiError:
    """The 429 of the pause between two launches."""
    seconds = max(1, math.ceil(wait_ms / 1000))
    return ApiError(
        429,
        f"A training was started a moment ago; wait {seconds} s",
        "COOLDOWN",
        extra={"remainingSeconds": seconds, "details": {"remainingSeconds": seconds}},
    )


def check_images(world: World, present: int, added: int) -> None:
    """Raise the plan ceiling on training images."""
    limit = world.options.max_training_images
    if present + added > limit:
        raise ceiling("add-training-image", limit, present)


def check_launch(world: World, project: str) -> None:
    """Raise the ceiling on concurrent trainings, or the cooldown, if either forbids another launch."""
    running = world.db.number(
        "SELECT count(*) FROM jobs WHERE project = ? AND ended IS NULL AND type LIKE '%training'", (project,)
    )
    if running >= world.options.parallel_training:
        raise ceiling(TRAINING, world.options.parallel_training, running)
    pause_ms = round(world.options.cooldown_s * 1000)
    if pause_ms:
        row = world.db.one(
            "SELECT max(created) AS last FROM jobs WHERE project = ? AND type LIKE '%training'", (project,)
        )
        last = row["last"] if row is not None else None
        if last is not None and world.now_ms() < last + pause_ms:
            raise cooling_down(last + pause_ms - world.now_ms())


def check_generation(world: World) -> None:
    """Raise the ceiling on concurrent generations."""
    running = world.db.number("SELECT count(*) FROM jobs WHERE ended IS NULL AND type = 'custom'")
    if running >= world.options.parallel_custom_jobs:
        raise ceiling(GENERATION, world.options.parallel_custom_jobs, running)


def check_export(world: World) -> None:
    """Raise the ceiling on exports of weights in a billing period."""
    start, _ = billing_period(world.now_ms())
    made = world.db.number("SELECT count(*) FROM jobs WHERE type = 'model-download' AND created >= ?", (start,))
    if made >= world.options.download_models:
        raise ceiling(EXPORT, world.options.download_models, made)


def billing_period(now_ms: int) -> tuple[int, int]:
    """The calendar month that a time is in, UTC: its start and the start of the next, in milliseconds since 1970."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return round(start.timestamp() * 1000), round(end.timestamp() * 1000)


def matches(text: str, pattern: str) -> bool:
    """Whether an option means a text: the text itself, or a glob."""
    return pattern == text or fnmatch.fnmatchcase(text, pattern)


def require_model_plan(world: World, row: Row) -> None:
    """403 for a model that the options reserve for a higher plan."""
    for pattern in world.options.restricted:
        if matches(row["id"], pattern) or matches(row["name"] or "", pattern):
            raise ApiError(
                403,
                "Your plan does not include this model",
                "FORBIDDEN",
                extra={"name": "ModelAccessRestrictedError", "modelId": row["id"], "requiredPlan": "enterprise"},
            )


def require_restoring_plan(world: World) -> None:
    """403 when the plan does not include restoring."""
    if world.options.plan not in RESTORING_PLANS:
        raise ApiError(
            403,
            "Restoring needs the Max plan or above",
            "FORBIDDEN",
            extra={"name": "ModelAccessRestrictedError", "requiredPlan": "cu-max"},
        )


def team_ceilings(world: World) -> dict[str, Any]:
    """The `limits` of a team. Limits that the emulator does not enforce are generous."""
    options = world.options
    return {
        "apiKeys": 100,
        "canvasAssetLayers": 1000,
        "canvasAssets": 1000,
        "collections": 1000,
        "creativeUnits": 1_000_000,
        "defaultSeats": 10,
        "downloadAssets": 1000,
        "downloadModel": options.download_models,
        "inferenceBatchSize": 8,
        "maxCooldown": options.cooldown_s,
        "maxTrainingDatasets": options.max_training_images,
        "minCooldown": options.cooldown_s,
        "models": 100_000,
        "OTPSessions": 10,
        "parallelCustomJobs": options.parallel_custom_jobs,
        "parallelInferences": 10,
        "parallelTraining": options.parallel_training,
        "parallelWorkflowRuns": 10,
        "premiumGenerationSamples": 8,
        "projects": 1000,
        "scalingFactor": 1,
        "seats": 100,
        "snapshotsRetention": 30,
        "upload": 6_000_000,
    }

"""Ceilings of a plan: concurrent trainings, images per model, a pause between launches. Requests: `request_budget`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scenario_apply.emulator.messages import ApiError

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

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
        raise ceiling("parallel-training", world.options.parallel_training, running)
    pause_ms = round(world.options.cooldown_s * 1000)
    if pause_ms:
        row = world.db.one(
            "SELECT max(created) AS last FROM jobs WHERE project = ? AND type LIKE '%training'", (project,)
        )
        last = row["last"] if row is not None else None
        if last is not None and world.now_ms() < last + pause_ms:
            raise cooling_down(last + pause_ms - world.now_ms())


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
        "downloadModel": 100,
        "inferenceBatchSize": 8,
        "maxCooldown": options.cooldown_s,
        "maxTrainingDatasets": options.max_training_images,
        "minCooldown": options.cooldown_s,
        "models": 100_000,
        "OTPSessions": 10,
        "parallelCustomJobs": 10,
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

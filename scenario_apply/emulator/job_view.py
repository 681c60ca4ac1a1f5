"""A job as the API shows it: until it is over, its status follows from the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator.cdn import export_url
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.messages import Json
from scenario_apply.emulator.progress import Timeline, history, progress_at
from scenario_apply.emulator.store import Row, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

AUTHOR = "api_emulator"


def job_status(world: World, row: Row) -> str:
    """One of the eight statuses."""
    if row["ended"] is not None:
        return str(row["outcome"])
    return progress_at(_line(row), world.now_ms(), 1).status


def job_view(world: World, origin: str, row: Row) -> Json:
    """The full view of one job."""
    doc = load(row["doc"])
    is_over = row["ended"] is not None
    now = row["ended"] if is_over else world.now_ms()
    where = progress_at(_line(row), now, 1)
    status = row["outcome"] if is_over else where.status
    passed = [one for one in history(_line(row), now) if not is_over or one[1] < now or one[1] == row["created"]]
    entries = [{"status": name, "date": iso(at)} for name, at in passed]
    if is_over:
        entries.append({"status": status, "date": iso(now)})
    metadata: Json = {"input": doc.get("input", {}), "assetIds": doc.get("assets", [])}
    if status == "failure":
        metadata["error"] = doc.get("error", "the job failed")
        metadata["hint"] = doc.get("hint", "")
    elif row["type"] == "model-download" and status == "success":
        if world.options.weights_address != "download":
            metadata["output"] = {"url": export_url(world, origin, row["id"])}
    elif row["type"].endswith("training") and row["model"]:
        metadata["outputModelId"] = row["model"]
    return {
        "jobId": row["id"],
        "jobType": row["type"],
        "status": status,
        "statusHistory": entries,
        "progress": 1.0 if status == "success" else where.progress,
        "createdAt": iso(row["created"]),
        "updatedAt": iso(max(row["created"], passed[-1][1]) if not is_over and passed else now),
        "metadata": metadata,
        "billing": {"cuCost": doc.get("cost", 0), "cuDiscount": 0},
        "authorId": AUTHOR,
        "ownerId": row["project"],
    }


def _line(row: Row) -> Timeline:
    return Timeline(created=row["created"], queued_until=row["queued_until"], ends=row["ends"])

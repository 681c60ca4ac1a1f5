"""A fleet as one JSON document: each project with the plan, ledger or statuses of its manifests in their usual shapes.

Format 1.x: readers ignore keys they do not know; a minor version adds keys, a major one breaks. Pure.
"""

from __future__ import annotations

import json

from msgspec.structs import asdict

from scenario_apply.fleet.fleet_report import FleetReport, code_of
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.tasks import ManifestResult, Plain
from scenario_apply.review.validation_text import diagnostic
from scenario_apply.version import VERSION

FORMAT_VERSION = "1.0"


def fleet_json(report: FleetReport, created_at: str) -> str:
    """One document. created_at: ISO 8601."""
    document = {
        "format_version": FORMAT_VERSION,
        "tool_version": VERSION,
        "created_at": created_at,
        "command": f"fleet {report.command}",
        "fleet": report.path,
        "exit_code": int(report.code),
        "summary": asdict(report.sums) | {"took_seconds": round(report.took_s, 3)},
        "diagnostics": [diagnostic(problem) for problem in report.blocked],
        "projects": [_project(report, run) for run in report.runs],
        "next_command": report.next_command,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _project(report: FleetReport, run: ProjectRun) -> Plain:
    planned = report.plans.get(run.name)
    return {
        "name": run.name,
        "project": run.task.project,
        "endpoint": run.task.endpoint,
        "status": run.phase,
        "exit_code": code_of(run),
        "requests": {
            "sent": run.sent + (0 if planned is None else planned.sent),
            "refused": run.refused + (0 if planned is None else planned.refused),
        },
        "running": [{"manifest": t.manifest, "address": t.address, "id": t.model_id} for t in run.running],
        "diagnostics": [diagnostic(problem) for problem in run.problems],
        "manifests": [
            _manifest(result, None if planned is None else planned.results.get(path))
            for path, result in run.results.items()
        ],
    }


def _manifest(result: ManifestResult, planned: ManifestResult | None) -> Plain:
    document: Plain = {
        "path": result.path,
        "exit_code": result.code,
        "summary": dict(result.summary),
        "diagnostics": [diagnostic(problem) for problem in result.problems],
    }
    plan = result.plan or (None if planned is None else planned.plan)
    if plan is not None:
        document["plan"] = json.loads(plan)
    if result.ledger is not None:
        document["ledger"] = result.ledger
    if result.statuses is not None:
        document["resources"] = result.statuses
    return document

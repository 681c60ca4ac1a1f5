"""Plan -> JSON: what `plan --out` saves. plan_reader.py reads it back; review/plan_json.py adds each reason's text.

The digest finds accidental damage. It has no key, so it proves nothing about who wrote the file.

Format 1.x: readers ignore fields they do not know; a minor version adds fields, a major one breaks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from scenario_apply.errors import Diagnostic
from scenario_apply.model import codec
from scenario_apply.model.step_codec import plain_value, step_to_json
from scenario_apply.planning.changes import Change, Cost, ImageChange
from scenario_apply.planning.plan import PLAN_FORMAT_VERSION, Plan, PlanSource
from scenario_apply.planning.sample_format import samples_to_json, total_of_samples


def plan_to_json(plan: Plan) -> dict[str, object]:
    """A plan as plain values, in the shape the design page fixes."""
    source = plan.source
    return {
        "format_version": PLAN_FORMAT_VERSION,
        "tool_version": plan.tool_version,
        "created_at": plan.created_at,
        "applyable": plan.is_applyable,
        "complete": not plan.withheld,
        "errored": bool(plan.blocked) or any(p.severity == "error" for p in plan.diagnostics),
        "manifest": {"path": source.manifest_path, "digest": source.manifest_digest},
        "state": {
            "lineage": source.lineage,
            "serial": source.serial,
            **({} if source.store is None else {"store": source.store}),
        },
        "endpoint": source.endpoint,
        "project": source.project,
        "summary": dict(plan.summary),
        "requests": {
            "total": plan.requests_total,
            "by_step": dict(plan.requests_by_step),
            "seconds_at_limit": plan.seconds_at_limit,
        },
        "cost": {
            "cu": plan.cu,
            "quoted": codec.plain(plan.costs("quoted")),
            "from_history": codec.plain(plan.costs("history")),
            "unknown": codec.plain(plan.costs("unknown")),
            **({"estimated": list(map(str, estimated))} if (estimated := plan.costs("estimate")) else {}),
            **({"samples": total_of_samples(plan)} if plan.samples_count else {}),
        },
        "changes": [_change(change) for change in plan.changes],
        "steps": [step_to_json(planned) for planned in plan.steps],
        "drift": codec.plain(plan.drift),
        "diagnostics": [_problem(problem) for problem in (*plan.blocked, *plan.diagnostics)],
        "inputs": {
            "variables": dict(source.variables),
            "var_files": list(source.var_files),
            "datasets": dict(source.datasets),
            "pictures": {name: dict(pictures) for name, pictures in source.pictures.items()},
            **_options(source),
        },
        "blocked": len(plan.blocked),
        "polls": plan.polls,
        "rate_limit": plan.rate_limit,
        "refreshed": plan.refreshed,
        "withheld": [str(address) for address in plan.withheld],
    }


def _options(source: PlanSource) -> dict[str, object]:
    """The options the plan was made with, and the secret variables it needs again; left out where there are none."""
    given = {name: value for name, value in codec.plain(source.flags).items() if value}
    return {"options": given} if given else {}


def sealed(plain: Mapping[str, object]) -> dict[str, object]:
    """A plan's plain values with the digest over all of them, which readers check: see seal()."""
    return {**plain, "digest": seal(plain)}


def seal(plain: Mapping[str, object]) -> str:
    """SHA-256 over the canonical JSON of a plan (sorted keys, no blanks), its own digest left out."""
    content = {key: value for key, value in plain.items() if key != "digest"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{sha256(canonical.encode()).hexdigest()}"


def _change(change: Change) -> dict[str, object]:
    return {
        "address": str(change.address),
        "action": change.action.value,
        "class": change.change_class,
        "reasons": codec.plain(change.reasons),
        "notes": codec.plain(change.notes),
        "before": plain_value(change.before),
        "after": plain_value(change.after),
        "images": {
            "add": [image.path for image in change.images.add],
            "change": [image.path for image in change.images.change],
            "remove": [image.path for image in change.images.remove],
        },
        "captions": codec.plain(change.captions),
        "pairs": codec.plain(change.pairs),
        "image_details": [
            {"change": kind, **_image(image)}
            for kind in ("add", "change", "remove")
            for image in getattr(change.images, kind)
        ],
        "cost": _cost(change.total_cost) | ({"training": _cost(change.cost)} if change.samples.draw else {}),
        "requests": change.requests,
        "steps": list(change.steps),
        "image_count": change.image_count,
        "arithmetic": change.arithmetic,
        "step_sources": dict(change.step_sources),
        "previous_address": None if change.previous_address is None else str(change.previous_address),
        "place": None if change.place is None else {k: getattr(change.place, k) for k in ("file", "line", "column")},
        "edit": codec.plain(change.edit),
        **({"samples": samples_to_json(change.samples)} if change.samples else {}),
        "affects": codec.plain(change.affects),
    }


def _cost(cost: Cost) -> dict[str, object]:
    return {"cu": cost.cu, "source": cost.source, **_cost_basis(cost)}


def _cost_basis(cost: Cost) -> dict[str, object]:
    return {name: value for name, value in (("why", cost.why), ("basis", cost.basis)) if value is not None}


def _image(image: ImageChange) -> dict[str, object]:
    values = {"path": image.path, "caption": image.caption, "sha256": image.sha256, "file": image.file}
    more = {"recipe": image.recipe, "same_file": image.same_file, "previous_sha256": image.previous_sha256}
    return {**values, **{key: value for key, value in more.items() if value}}


def _problem(problem: Diagnostic) -> dict[str, object]:
    where = problem.location
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "file": None if where is None else where.file,
        "line": None if where is None else where.line,
        "column": None if where is None else where.column,
    }

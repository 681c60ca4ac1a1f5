"""A saved plan read back, and whether it still fits the world. What does not fit is named: a file, not a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, cast

from scenario_apply.core.address import Address, parse_address
from scenario_apply.core.changes import (
    Action,
    CaptionChange,
    CaptionDiff,
    Change,
    ChangeClass,
    Cost,
    CostSource,
    Drift,
    ImageChange,
    ImageDiff,
)
from scenario_apply.core.dataset.types import Dataset
from scenario_apply.core.manifest.spec import Manifest
from scenario_apply.core.plan import PLAN_FORMAT_VERSION, Plan, Source
from scenario_apply.core.plan_file import seal
from scenario_apply.core.state import State
from scenario_apply.core.state_json import record_alone
from scenario_apply.core.step_json import step_from_json
from scenario_apply.core.steps import PlannedStep, StartTraining
from scenario_apply.core.training_types import SECRET_PARAMETERS
from scenario_apply.core.verdict import StateEdit
from scenario_apply.errors import Place, PlanStale, Problem, Severity, UsageError


def plan_from_json(plain: object, *, source: str = "the plan", is_sealed: bool = False) -> Plan:
    """The plan that plain values describe. is_sealed: they must carry the digest of what they say.

    Raises UsageError when they are no plan, one of another format, or not what was saved.
    """
    if not isinstance(plain, dict) or "format_version" not in plain or "steps" not in plain:
        raise UsageError(f"{source} is no saved plan", mend="make one with scenario-apply plan --out FILE")
    major = str(plain["format_version"]).split(".")[0]
    if major != PLAN_FORMAT_VERSION.split(".")[0]:
        raise UsageError(
            f"{source} has plan format {plain['format_version']}; this tool reads 1.x",
            mend="plan again with this version",
        )
    if (is_sealed or "digest" in plain) and plain.get("digest") != seal(plain):
        raise UsageError(
            f"{source} is not what was saved: its digest does not fit what it says",
            mend="plan again: what stands in a saved plan is carried out as it was reviewed, never edited",
        )
    try:
        plan = _plan(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{source} is damaged: {type(error).__name__} {error}", mend="plan again") from error
    if (fault := _fault(plan)) is not None:
        raise UsageError(f"{source} is damaged: {fault}", mend="plan again")
    return plan


def _fault(plan: Plan) -> str | None:
    """What does not hang together: steps that are named and not there, twice there, or of no change; or a circle."""
    ids = [planned.id for planned in plan.steps]
    known = set(ids)
    if len(known) < len(ids):
        return f"the step {next(i for i in ids if ids.count(i) > 1)} is there twice"
    of_changes = [step_id for change in plan.changes for step_id in change.steps]
    named = [(f"{c.address}", step_id) for c in plan.changes for step_id in c.steps]
    named += [(f"the step {planned.id}", step_id) for planned in plan.steps for step_id in planned.after]
    for who, step_id in named:
        if step_id not in known:
            return f"{who} names the step {step_id}, which is not there"
    if orphans := known.difference(of_changes):
        return f"the step {min(orphans)} belongs to no change"
    return _circle(plan)


def _circle(plan: Plan) -> str | None:
    waits_for = {planned.id: planned.after for planned in plan.steps}
    try:
        TopologicalSorter(waits_for).prepare()
    except CycleError as error:
        return f"steps wait for each other in a circle: {' -> '.join(error.args[1])}"
    return None


def edits_of(plan: Plan) -> dict[Address, StateEdit]:
    """What an apply of the plan writes into records first."""
    edits = {}
    for change in plan.changes:
        if change.data:
            values: dict[str, Any] = dict(change.data)
            if values.get("moved_from") is not None:
                values["moved_from"] = parse_address(str(values["moved_from"]))
            if values.get("record") is not None:
                values["record"] = record_alone(values["record"], f"the plan's record of {change.address}")
            edits[change.address] = StateEdit(**values)
    return edits


def with_secrets(plan: Plan, manifest: Manifest) -> Plan:
    """The plan with secret parameters put back from the manifest: no saved plan holds one."""

    def filled(planned: PlannedStep) -> PlannedStep:
        step = planned.step
        if not isinstance(step, StartTraining) or step.address not in manifest.models:
            return planned
        declared = manifest.models[step.address].parameters
        parameters = {
            key: declared[key] if key in SECRET_PARAMETERS and key in declared else value
            for key, value in step.parameters.items()
        }
        return replace(planned, step=replace(step, parameters=parameters))

    return replace(plan, steps=tuple(filled(planned) for planned in plan.steps))


def check_fresh(plan: Plan, manifest: Manifest, datasets: Mapping[str, Dataset], state: State) -> None:
    """Raises PlanStale, with every reason, when manifest, pictures, captions or state moved since the plan."""
    problems = [
        *_moved_pictures(plan, datasets),
        *_moved_manifest(plan, manifest, datasets),
        *_moved_state(plan, state),
    ]
    if problems:
        raise PlanStale(problems[0].what, problems=problems)


def _moved_pictures(plan: Plan, datasets: Mapping[str, Dataset]) -> list[Problem]:
    problems = []
    for name, digest in plan.source.datasets.items():
        dataset = datasets.get(name)
        if dataset is None or dataset.digest == digest:
            continue
        found = [
            _stale(f"{file} {what} since the plan was made", file)
            for file, what in _moved_files(plan.source.pictures.get(name, {}), dataset)
        ]
        problems += found or [_stale(f"dataset {name} changed since the plan was made")]
    return problems


def _moved_files(planned: Mapping[str, str], dataset: Dataset) -> list[tuple[str, str]]:
    now = {image.path: image for image in dataset.contents.images}
    moved = []
    for path, value in planned.items():
        image = now.get(path)
        if image is None:
            moved.append((path, "was removed"))
        elif value != picture_key(image.sha256, image.caption):
            same_bytes = value.split(" ")[0] == image.sha256
            moved.append((image.file, "has another caption" if same_bytes else "changed"))
    moved += [(image.file, "was added") for path, image in now.items() if path not in planned]
    return moved if planned else []


def picture_key(sha256: str, caption: str | None) -> str:
    """What a saved plan keeps of a picture: its digest and its caption's."""
    return f"{sha256} {hashlib.sha256((caption or '').encode()).hexdigest()[:16]}"


def _moved_manifest(plan: Plan, manifest: Manifest, datasets: Mapping[str, Dataset]) -> list[Problem]:
    if plan.source.manifest_digest == manifest.digest:
        gone = [name for name in plan.source.datasets if name not in datasets]
        return [_stale(f"dataset {name} is no longer declared") for name in gone]
    return [_stale(f"the manifest changed since the plan was made ({', '.join(manifest.files)})", manifest.files[0])]


def _moved_state(plan: Plan, state: State) -> list[Problem]:
    if plan.source.lineage is None and state.lineage is not None:
        return [_stale("the plan was made before anything was recorded, and there is a state now")]
    if plan.source.lineage != state.lineage:
        return [_stale(f"the plan is for the state of lineage {plan.source.lineage}, this one is {state.lineage}")]
    if plan.source.serial != state.serial:
        return [
            _stale(
                f"the state moved since the plan was made: serial {plan.source.serial} then, {state.serial} now "
                "(it was applied already, or somebody else applied)"
            )
        ]
    return []


def _stale(what: str, file: str | None = None) -> Problem:
    return Problem(
        code="plan-stale",
        what=what,
        where=None if file is None else Place(file=file),
        mend="plan again and review it: scenario-apply plan --out FILE",
    )


def _plan(plain: Mapping[str, Any]) -> Plan:
    inputs = plain.get("inputs") or {}
    problems = [_problem(item) for item in plain.get("diagnostics", [])]
    blocked = int(plain.get("blocked", 0))
    return Plan(
        source=Source(
            manifest_path=plain["manifest"]["path"],
            manifest_digest=plain["manifest"]["digest"],
            lineage=plain["state"]["lineage"],
            serial=plain["state"]["serial"],
            endpoint=plain["endpoint"],
            project=plain["project"],
            variables=inputs.get("variables") or {},
            var_files=tuple(inputs.get("var_files") or ()),
            datasets=inputs.get("datasets") or {},
            pictures=inputs.get("pictures") or {},
        ),
        tool_version=plain["tool_version"],
        created_at=plain["created_at"],
        changes=tuple(_change(item) for item in plain["changes"]),
        steps=tuple(step_from_json(item) for item in plain["steps"]),
        drift=tuple(_drift(item) for item in plain.get("drift", [])),
        diagnostics=tuple(problems[blocked:]),
        blocked=tuple(problems[:blocked]),
        polls=int(plain.get("polls", 0)),
        rate_limit=int(plain.get("rate_limit", 100)),
        refreshed=bool(plain.get("refreshed", True)),
        withheld=tuple(parse_address(item) for item in plain.get("withheld", [])),
    )


def _change(plain: Mapping[str, Any]) -> Change:
    details = plain.get("image_details") or []

    def images(kind: str) -> tuple[ImageChange, ...]:
        return tuple(
            ImageChange(path=d["path"], caption=d["caption"], sha256=d["sha256"], file=d["file"])
            for d in details
            if d["change"] == kind
        )

    def captions(kind: str) -> tuple[CaptionChange, ...]:
        return tuple(
            CaptionChange(path=c["path"], before=c["before"], after=c["after"]) for c in plain["captions"][kind]
        )

    previous = plain.get("previous_address")
    return Change(
        address=parse_address(plain["address"]),
        action=Action(plain["action"]),
        change_class=cast(ChangeClass, plain["class"]),
        reasons=tuple(plain["reasons"]),
        notes=tuple(plain.get("notes", ())),
        before=plain["before"],
        after=plain["after"],
        images=ImageDiff(add=images("add"), change=images("change"), remove=images("remove")),
        captions=CaptionDiff(add=captions("add"), change=captions("change"), remove=captions("remove")),
        cost=Cost(cu=plain["cost"]["cu"], source=cast(CostSource, plain["cost"]["source"])),
        requests=plain["requests"],
        steps=tuple(plain["steps"]),
        image_count=plain.get("image_count", 0),
        arithmetic=plain.get("arithmetic"),
        previous_address=None if previous is None else parse_address(previous),
        place=None if plain.get("place") is None else Place(**plain["place"]),
        data=plain.get("edit") or {},
    )


def _drift(plain: Mapping[str, Any]) -> Drift:
    return Drift(
        address=parse_address(plain["address"]),
        what=plain["what"],
        path=plain["path"],
        recorded=plain["recorded"],
        observed=plain["observed"],
        moved=plain["moved"],
    )


def _problem(plain: Mapping[str, Any]) -> Problem:
    where = None
    if plain.get("file") is not None:
        where = Place(file=plain["file"], line=plain.get("line"), column=plain.get("column"))
    return Problem(
        code=plain["code"],
        what=plain["message"],
        where=where,
        mend=plain.get("mend"),
        severity=cast(Severity, plain["severity"]),
    )

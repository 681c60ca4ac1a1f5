"""A saved plan read back, and whether what it was made from is as it was. What changed is named: a file, not a digest.

What is read here is compared and shown, and never carried out: plan_comparison.py has the reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from msgspec.structs import replace

from scenario_apply.dataset.types import Contents, Dataset
from scenario_apply.errors import Diagnostic, Location, PlanElsewhere, PlanStale, UsageError
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.model.step_codec import step_from_json
from scenario_apply.planning.changes import (
    Change,
    Cost,
    Drift,
    ImageChange,
    ImageDiff,
)
from scenario_apply.planning.plan import PLAN_FORMAT_VERSION, Plan, PlanSource
from scenario_apply.planning.plan_document import (
    ChangeDocument,
    DiagnosticDocument,
    DriftDocument,
    PartCostDocument,
    PlanDocument,
)
from scenario_apply.planning.plan_format import plan_to_json, seal
from scenario_apply.planning.sample_format import samples_of
from scenario_apply.state.state import State


def plan_from_json(plain: object, *, source: str = "the plan", is_sealed: bool = False) -> Plan:
    """The plan that plain values describe. is_sealed: they must carry the digest of what they say.

    Raises UsageError when they are no plan, one of another format, damaged, or not consistent in themselves.
    """
    if not isinstance(plain, dict) or "format_version" not in plain or "steps" not in plain:
        raise UsageError(f"{source} is no saved plan", hint="make one with scenario-apply plan --out FILE")
    major = str(plain["format_version"]).split(".")[0]
    if major != PLAN_FORMAT_VERSION.split(".")[0]:
        raise UsageError(
            f"{source} has plan format {plain['format_version']}; this tool reads 1.x",
            hint="plan again with this version",
        )
    if (is_sealed or "digest" in plain) and plain.get("digest") != seal(plain):
        raise UsageError(
            f"{source} is not what was saved: its digest does not fit what it says",
            hint="plan again: what stands in a saved plan is carried out as it was reviewed, never edited",
        )
    try:
        document = codec.fitted(plain, PlanDocument)
        plan = _plan(document)
    except Misfit as error:
        raise UsageError(f"{source} is damaged: {error}", hint="plan again") from error
    if (fault := _fault(plan) or _untrue_sum(plan, plain) or _untrue_samples(plan, document)) is not None:
        raise UsageError(f"{source} is damaged: {fault}", hint="plan again")
    return plan


def _untrue_sum(plan: Plan, plain: Mapping[str, object]) -> str | None:
    """What the file says of its changes and steps, and they do not say: these sums are made from them, always."""
    derived = plan_to_json(plan)
    for key in ("applyable", "complete", "errored", "summary", "requests", "cost"):
        if derived[key] != plain[key]:
            return f"its {key} is not that of its changes and steps"
    return None


def _untrue_samples(plan: Plan, document: PlanDocument) -> str | None:
    """The same of one change: how many samples it draws, and what it costs with them."""
    for change, said in zip(plan.changes, document.changes, strict=True):
        if said.samples is None:
            continue
        counts = len(change.samples.draw), change.samples.pictures
        if (said.samples.count, said.samples.pictures) != counts or said.cost.cu != change.total_cost.cu:
            return f"the samples of {change.address} are not those that it counts"
    return None


def _fault(plan: Plan) -> str | None:
    """What is not consistent: steps that are missing, duplicate, or part of no change; or a circle."""
    ids = [planned.id for planned in plan.steps]
    known = set(ids)
    if len(known) < len(ids):
        counts = Counter(ids)
        return f"the step {next(i for i in ids if counts[i] > 1)} occurs twice"
    of_changes = [step_id for change in plan.changes for step_id in change.steps]
    named = [(f"{c.address}", step_id) for c in plan.changes for step_id in c.steps]
    named += [(f"the step {planned.id}", step_id) for planned in plan.steps for step_id in planned.after]
    for who, step_id in named:
        if step_id not in known:
            return f"{who} names the step {step_id}, which does not exist"
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


def check_fresh(plan: Plan, manifest: Manifest, datasets: Mapping[str, Dataset]) -> None:
    """Raises PlanStale, with every reason, when manifest, pictures or captions changed since the plan."""
    problems = [*_moved_pictures(plan, datasets), *_moved_manifest(plan, manifest, datasets)]
    if problems:
        raise PlanStale(problems[0].message, problems=problems)


def check_state(plan: Plan, state: State) -> None:
    """Raises PlanStale when the state moved since the plan, PlanElsewhere when it is another one."""
    lineage = plan.source.lineage
    if lineage is not None and lineage != state.lineage:
        here = "none is recorded here" if state.lineage is None else f"the one here is of lineage {state.lineage}"
        hint = "name the state that it was made from, with --state as then; if that is gone, plan again and review it"
        what = f"the plan is for the state of lineage {lineage}, and {here}"
        raise PlanElsewhere(what, problems=[Diagnostic(code="plan-stale", message=what, hint=hint)])
    problems = _moved_state(plan, state)
    if problems:
        raise PlanStale(problems[0].message, problems=problems)


def _moved_pictures(plan: Plan, datasets: Mapping[str, Dataset]) -> list[Diagnostic]:
    problems = []
    for name, digest in plan.source.datasets.items():
        dataset = datasets.get(name)
        if dataset is None or dataset.source_digest == digest:
            continue
        found = [
            _stale(f"{file} {what} since the plan was made", file)
            for file, what in _moved_files(plan.source.pictures.get(name, {}), dataset)
        ]
        problems += found or [_stale(f"dataset {name} changed since the plan was made")]
    return problems


def _moved_files(planned: Mapping[str, str], dataset: Dataset) -> list[tuple[str, str]]:
    now = {image.path: image for image in dataset.contents.images}
    keys, paired = picture_keys(dataset.contents), instructions_of(dataset.contents)
    moved = []
    for path, value in planned.items():
        image = now.get(path)
        if image is None:
            moved.append((path, "was removed"))
        elif value != keys[path]:
            text = "instruction" if path in paired else "caption"
            same_bytes = value.split(" ")[0] == image.sha256
            moved.append((image.file, f"has another {text}" if same_bytes else "changed"))
    moved += [(image.file, "was added") for path, image in now.items() if path not in planned]
    return moved if planned else []


def picture_keys(contents: Contents) -> dict[str, str]:
    """picture_key() of each picture by path; of the second picture of a pair with the instruction as its caption."""
    texts = instructions_of(contents)
    return {image.path: picture_key(image.sha256, texts.get(image.path, image.caption)) for image in contents.images}


def bound_to_pictures(plan: Plan, datasets: Mapping[str, Dataset]) -> Plan:
    """The plan with the digest of every image and caption, so that a stale plan can name the changed file."""
    pictures = {name: picture_keys(dataset.contents) for name, dataset in datasets.items()}
    return replace(plan, source=replace(plan.source, pictures=pictures))


def instructions_of(contents: Contents) -> dict[str, str]:
    """The instructions of each picture that pairs lead to, by path."""
    found: dict[str, str] = {}
    for pair in contents.pairs:
        found[pair.after] = "\n".join(filter(None, (found.get(pair.after), f"{pair.before}: {pair.instruction}")))
    return found


def picture_key(sha256: str, caption: str | None) -> str:
    """What a saved plan keeps of a picture: its digest and its caption's."""
    return f"{sha256} {hashlib.sha256((caption or '').encode()).hexdigest()[:16]}"


def _moved_manifest(plan: Plan, manifest: Manifest, datasets: Mapping[str, Dataset]) -> list[Diagnostic]:
    if plan.source.manifest_digest == manifest.digest:
        gone = [name for name in plan.source.datasets if name not in datasets]
        return [_stale(f"dataset {name} is no longer declared") for name in gone]
    return [_stale(f"the manifest changed since the plan was made ({', '.join(manifest.files)})", manifest.files[0])]


def _moved_state(plan: Plan, state: State) -> list[Diagnostic]:
    if plan.source.lineage is None and state.lineage is not None:
        return [_stale("the plan was made before anything was recorded, and there is a state now")]
    if plan.source.serial != state.serial:
        return [
            _stale(
                f"the state moved since the plan was made: serial {plan.source.serial} then, {state.serial} now "
                "(it was applied already, or another apply ran)"
            )
        ]
    return []


def _stale(what: str, file: str | None = None) -> Diagnostic:
    return Diagnostic(
        code="plan-stale",
        message=what,
        location=None if file is None else Location(file=file),
        hint="plan again and review it",
    )


def _plan(document: PlanDocument) -> Plan:
    problems = [_problem(item) for item in document.diagnostics]
    return Plan(
        source=_source(document),
        tool_version=document.tool_version,
        created_at=document.created_at,
        changes=tuple(_change(item) for item in document.changes),
        steps=tuple(step_from_json(step, f"steps[{position}]") for position, step in enumerate(document.steps)),
        drift=tuple(_drift(item) for item in document.drift),
        diagnostics=tuple(problems[document.blocked :]),
        blocked=tuple(problems[: document.blocked]),
        polls=document.polls,
        rate_limit=document.rate_limit,
        refreshed=document.refreshed,
        withheld=tuple(document.withheld),
    )


def _source(document: PlanDocument) -> PlanSource:
    inputs = document.inputs
    return PlanSource(
        manifest_path=document.manifest.path,
        manifest_digest=document.manifest.digest,
        lineage=document.state.lineage,
        serial=document.state.serial,
        endpoint=document.endpoint,
        project=document.project,
        store=document.state.store,
        variables=inputs.variables,
        var_files=tuple(inputs.var_files),
        flags=inputs.options,
        datasets=inputs.datasets,
        pictures=inputs.pictures,
        made_in=inputs.made_in,
        folder=inputs.folder,
    )


def _change(document: ChangeDocument) -> Change:
    def images(kind: str) -> tuple[ImageChange, ...]:
        return tuple(
            ImageChange(
                path=image.path,
                caption=image.caption,
                sha256=image.sha256,
                file=image.file,
                recipe=image.recipe,
                same_file=image.same_file,
                previous_sha256=image.previous_sha256,
            )
            for image in document.image_details
            if image.change == kind
        )

    place = document.place
    return Change(
        address=document.address,
        action=document.action,
        change_class=document.change_class,
        reasons=document.reasons,
        notes=document.notes,
        before=document.before,
        after=document.after,
        images=ImageDiff(add=images("add"), change=images("change"), remove=images("remove")),
        captions=document.captions,
        pairs=document.pairs,
        cost=_cost(document.cost.training or document.cost),
        requests=document.requests,
        steps=tuple(document.steps),
        image_count=document.image_count,
        arithmetic=document.arithmetic,
        step_sources=document.step_sources,
        previous_address=document.previous_address,
        place=None if place is None else Location(file=place.file, line=place.line, column=place.column),
        edit=document.edit,
        affects=document.affects,
        samples=samples_of(document.samples),
    )


def _cost(document: PartCostDocument) -> Cost:
    return Cost(cu=document.cu, source=document.source, why=document.why, basis=document.basis)


def _drift(document: DriftDocument) -> Drift:
    return Drift(
        address=document.address,
        what=document.what,
        path=document.path,
        recorded=document.recorded,
        observed=document.observed,
        moved=document.moved,
    )


def _problem(document: DiagnosticDocument) -> Diagnostic:
    where = None
    if document.file is not None:
        where = Location(file=document.file, line=document.line, column=document.column)
    return Diagnostic(
        code=document.code, message=document.message, location=where, hint=document.hint, severity=document.severity
    )

"""`best:` of models: which version a person found best. Kept and shown, never a reason to change. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import BestVersion, Manifest, ModelSpec
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import listed
from scenario_apply.planning.attributes import Spec
from scenario_apply.planning.decision import Decision, Resource
from scenario_apply.planning.epochs import epoch_names
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.reasons import BestNotInUse, Disabled, NotSelected
from scenario_apply.state.state import Record, Version


def declared_best(spec: Spec | None) -> BestVersion | None:
    return spec.best if isinstance(spec, ModelSpec) else None


def declared_bests(manifest: Manifest) -> dict[Address, BestVersion]:
    """What a manifest says is best, by model."""
    return {address: spec.best for address, spec in manifest.models.items() if spec.best is not None}


def is_best(spec: Spec | None, version: Version) -> bool:
    """Whether a person found that version best, so that it is kept."""
    best = declared_best(spec)
    return best is not None and best.version == version.number


def with_best(decision: Decision, observed: Observed) -> Decision:
    """The decision with a note where another version or epoch is best than is used, or a warning where none such is."""
    best = declared_best(decision.spec)
    if best is None or not isinstance(decision.spec, ModelSpec) or {NotSelected(), Disabled()} & {*decision.notes}:
        return decision
    problem = _missing(decision.spec, best, decision.record, observed)
    if problem is not None:
        resource: Resource = replace(decision.resource, problems=(*decision.resource.problems, problem))
        return replace(decision, resource=resource)
    assert decision.record is not None
    current = decision.record.current
    used = _epoch_in_use(decision.spec, current, observed)
    if best.version == current.number and (best.epoch is None or used in (None, best.epoch)):
        return decision
    note = BestNotInUse(best.version, best.epoch, current.number, used, best.by, best.at)
    return replace(decision, notes=(*decision.notes, note))


def _epoch_in_use(spec: ModelSpec, version: Version, observed: Observed) -> str | None:
    """Of the current version once the plan is carried out; None where it is not known."""
    remote = observed.models.get(version.id)
    return spec.epoch or version.epoch or (None if remote is None else remote.epoch)


def _missing(spec: ModelSpec, best: BestVersion, record: Record | None, observed: Observed) -> Diagnostic | None:
    """A warning for a version or an epoch that does not exist."""
    versions = {} if record is None else {version.number: version for version in record.versions()}
    version = versions.get(best.version)
    epochs = () if version is None else epoch_names(observed.models.get(version.id))
    if version is not None and (best.epoch is None or not epochs or best.epoch in epochs):
        return None
    there = listed(map(str, sorted(versions))) or "none"
    what, key = f"names version {best.version}, which does not exist (versions: {there})", "best.version"
    if version is not None:
        what, key = f"names epoch {best.epoch} of version {best.version}, which has {listed(epochs)}", "best.epoch"
    return Diagnostic(
        code="best-unknown",
        severity="warning",
        message=f"`best:` of {spec.address} {what}",
        location=spec.places.get(key) or spec.places.get("best") or spec.place,
        hint=f"scenario-apply promote {spec.address} writes it; remove `best:` where the version was deleted",
    )

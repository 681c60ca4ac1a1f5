"""Desired x recorded x observed -> one decision per resource, each with its reasons. Pure.

Two tuples of rules, DECLARED and UNDECLARED, in the order they apply: the first that answers decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CompositionSpec
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning import reasons as why
from scenario_apply.planning.best_versions import with_best
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.composition_parts import resolve_parts
from scenario_apply.planning.decision import Decision, Delete, Forget, Replace, Resource
from scenario_apply.planning.dependency_graph import ordered
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.ignore_changes import as_recorded
from scenario_apply.planning.import_blocks import imported, taken_address
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.rule_inputs import Inputs, Rule, left_alone, prevented
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.planning.state_edit import StateEdit, without_versions
from scenario_apply.planning.training_rules import (
    changed,
    drifted,
    missing,
    restored,
    reverted,
    rollback,
    running,
    unchanged,
    unfinished,
)
from scenario_apply.planning.up_to_date import as_declared
from scenario_apply.state.state import State, Version


def decide(given: Inputs) -> Mapping[Address, Decision]:
    """A decision for every resource that is declared or recorded, in the order of their needs."""
    destroy = given.asked.destroy
    if not destroy:
        for address in ordered(given.desired.needs):
            source = given.moves.sources.get(address)
            resource = Resource(
                address=address,
                spec=given.desired.specs[address],
                record=given.moved_state.records.get(address),
                edit=StateEdit(moved_from=source),
            )
            decision = _with_import(_first_answer(DECLARED, given, resource))
            given.decided[address] = with_best(decision, given.observed)
    records = given.moved_state.records
    # compositions first: their parts are deleted after them
    for address in sorted(records, key=lambda a: (a.kind != "composition", a)):
        if address not in given.decided:
            resource = Resource(address=address, record=records[address])
            given.decided[address] = _first_answer(UNDECLARED, given, resource)
    return given.decided


def perhaps_restored(given: Inputs) -> list[ModelId]:
    """Previous versions that may be what is declared, once their images are read: see may_be_of_own_captions."""
    return [
        version.id
        for decision in given.decided.values()
        if isinstance(decision, Replace) and decision.content.captions and decision.record is not None
        for version in decision.record.previous
        if version.is_usable and given.up_to_date.may_be_of_own_captions(decision.declared, version)
    ]


def drift_of(decisions: Iterable[Decision]) -> tuple[Drift, ...]:
    return tuple(drift for decision in decisions for drift in decision.resource.drift)


def problems_of(decisions: Iterable[Decision]) -> tuple[Diagnostic, ...]:
    """Those that are errors stop the plan."""
    return tuple(problem for decision in decisions for problem in decision.resource.problems)


def desired_fingerprint(desired: Desired, state: State, address: Address, version: Version) -> str | None:
    """What the manifest asks of a resource now, in a version's own algorithm; None where it is not declared."""
    spec = desired.specs.get(address)
    if spec is None:
        return None
    spec = as_recorded(spec, version)
    given = Inputs(desired=desired, state=state, observed=Observed(), asked=PlanRequestOptions())
    if isinstance(spec, CompositionSpec):
        parts = resolve_parts(spec, state.records.get(address), state, Observed(), decide(given)).concepts
        return given.up_to_date.fingerprint_of(spec, version, as_declared(spec, parts))
    return given.up_to_date.fingerprint_of(spec, version, ())


def _first_answer(rules: tuple[Rule, ...], given: Inputs, resource: Resource) -> Decision:
    for rule in rules:
        answer = rule(given, resource)
        if not isinstance(answer, Resource):
            return answer
        resource = answer
    raise AssertionError("the last rule always answers")


# -- rules for all


def not_selected(given: Inputs, it: Resource) -> Decision | Resource:
    return it if given.is_selected(it.address) else left_alone(it, why.NotSelected())


# -- rules for what is recorded and no longer declared


def removed_block(given: Inputs, it: Resource) -> Decision | Resource:
    """Its record goes, its model stays."""
    if given.asked.destroy or it.address not in given.forgotten:
        return it
    return Forget(resource=_forgetting(it), reasons=(why.RemovedBlock(),))


def disabled_in_destroy(given: Inputs, it: Resource) -> Decision | Resource:
    """`enabled: false` keeps a resource out of a destroy, too."""
    declared = given.declared_for.get(it.address) if given.asked.destroy else None
    return it if declared is None or declared.enabled else left_alone(it, why.Disabled())


def protected(given: Inputs, it: Resource) -> Decision | Resource:
    """An error: it has to be declared unprotected first. A destroy also heeds what is declared and not yet recorded."""
    declared = given.declared_for.get(it.address) if given.asked.destroy else None
    if not it.is_protected and not (declared is not None and declared.lifecycle.prevent_destroy):
        return it
    cause = "destroy" if given.asked.destroy else "no longer declared"
    problem = Diagnostic(
        code="protected",
        message=f"{it.address} is protected against being deleted ({cause})",
        hint="declare it with lifecycle.prevent_destroy: false and apply; then remove it",
    )
    return left_alone(it, why.Protected(), problem)


def gone_or_deleted(given: Inputs, it: Resource) -> Decision:
    """A resource of which nothing is left is only forgotten; of another, what is left is deleted."""
    assert it.record is not None
    reason = why.DestroyAskedFor() if given.asked.destroy else why.NoLongerDeclared()
    if all(given.observed.is_gone(version.id) for version in it.record.versions()):
        return Forget(resource=_forgetting(it), reasons=(reason, why.AlreadyDeleted()), gone=True)
    lost = tuple(version.id for version in it.record.versions() if given.observed.is_gone(version.id))
    if lost:
        it = replace(it, record=without_versions(it.record, lost), edit=replace(it.edit, lost=lost))
    return Delete(resource=it, reasons=(reason,), delete=() if it.record is None else tuple(it.record.versions()))


def _forgetting(it: Resource) -> Resource:
    return replace(it, edit=StateEdit(forget=True))


# -- rules for what is declared


def disabled(given: Inputs, it: Resource) -> Decision | Resource:
    return it if it.spec is None or it.spec.enabled else left_alone(it, why.Disabled())


def import_block(given: Inputs, it: Resource) -> Decision | Resource:
    """A model that an import block names is recorded first; the other rules see that record."""
    block = given.imports.get(it.address)
    if block is None or it.spec is None:
        return it
    if it.record is not None:
        taken = taken_address(block, it.record)
        return it if taken is None else prevented(it, taken)
    found = imported(block, it.spec, given.desired.contents_of(it.spec), given.state, given.observed)
    if isinstance(found, Diagnostic):
        return prevented(it, found)
    if (dataset := given.desired.dataset_of(it.spec)) is not None:
        found = replace(found, current=replace(found.current, picture_options=dataset.options.text))
    return replace(it, record=found, edit=replace(it.edit, record=found))


def _with_import(decision: Decision) -> Decision:
    record = decision.edit.record
    if record is None:
        return decision
    return replace(decision, reasons=(why.Imported(record.current.id), *decision.reasons))


def ignored_changes(given: Inputs, it: Resource) -> Resource:
    """What ignore_changes names is taken to be declared as it is recorded."""
    if it.spec is None or it.record is None or given.is_gone(it.record):
        return it
    return replace(it, spec=as_recorded(it.spec, it.record.working))


def composition_parts(given: Inputs, it: Resource) -> Decision | Resource:
    if not isinstance(it.spec, CompositionSpec):
        return it
    parts = resolve_parts(it.spec, it.record, given.moved_state, given.observed, given.decided)
    return prevented(it, *parts.problems) if parts.problems else replace(it, parts=parts.concepts)


def protection(given: Inputs, it: Resource) -> Resource:
    """Of a resource that is not recorded yet, the creation records it."""
    protect = None if it.spec is None else it.spec.lifecycle.prevent_destroy
    if it.record is None or protect is None or protect == it.record.protected:
        return it
    return replace(it, edit=replace(it.edit, protect=protect))


DECLARED: tuple[Rule, ...] = (
    not_selected,
    disabled,
    import_block,
    ignored_changes,
    composition_parts,
    protection,
    missing,
    rollback,
    running,
    reverted,
    restored,
    drifted,
    unfinished,
    changed,
    unchanged,
)
UNDECLARED: tuple[Rule, ...] = (
    not_selected,
    removed_block,
    disabled_in_destroy,
    protected,
    gone_or_deleted,
)

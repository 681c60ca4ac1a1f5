"""Which versions are deleted, and why others are kept: keep_versions, `best:`, use, protection, consent."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning.best_versions import is_best
from scenario_apply.planning.decision import ContentWork, Decision, Delete, Forget, Replace, yields_new_weights
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.reasons import (
    BestKept,
    DeleteNeedsConsent,
    DestroyAskedFor,
    NotSelected,
    OldVersionsDeleted,
    OldVersionsKept,
    OldVersionsLost,
    Reason,
    VersionInUse,
)
from scenario_apply.planning.rule_inputs import left_alone
from scenario_apply.planning.state_edit import without_versions
from scenario_apply.state.state import Version

NOT_OBSERVED = Observed()


def with_retention(
    decisions: Mapping[Address, Decision], *, consent: bool, observed: Observed = NOT_OBSERVED
) -> dict[Address, Decision]:
    """The decisions with the versions that each deletes. consent: whether deletes are allowed.

    observed: old versions that no longer exist there leave the record without a request.
    """
    users = users_of_versions(decisions)
    return {
        address: _judged(_without_lost(decision, observed), decisions, users, consent)
        for address, decision in decisions.items()
    }


def _without_lost(decision: Decision, observed: Observed) -> Decision:
    record = decision.record
    if record is None or isinstance(decision, Delete | Forget):  # decided with what is gone
        return decision
    lost = tuple(version.id for version in record.previous if observed.is_gone(version.id))
    if not lost:
        return decision
    edit = replace(decision.edit, lost=lost)
    resource = replace(decision.resource, record=without_versions(record, lost), edit=edit)
    return replace(decision, resource=resource, reasons=(*decision.reasons, OldVersionsLost(len(lost))))


def to_be_deleted(decisions: Mapping[Address, Decision], *, consent: bool) -> list[ModelId]:
    """The versions that a plan would delete; none of a resource that waits for consent."""
    planned = with_retention(decisions, consent=consent).values()
    return [v.id for d in planned if not (isinstance(d, Delete) and not d.consented) for v in d.delete]


def users_of_versions(decisions: Mapping[Address, Decision]) -> dict[ModelId, list[Address]]:
    """Which recorded compositions are made of a version, by its id."""
    users: dict[ModelId, list[Address]] = {}
    for address, decision in decisions.items():
        if decision.record is not None:
            for concept in decision.record.current.concepts:
                users.setdefault(concept.model_id, []).append(address)
    return users


def _judged(
    decision: Decision,
    decisions: Mapping[Address, Decision],
    users: Mapping[ModelId, list[Address]],
    consent: bool,
) -> Decision:
    if isinstance(decision, Delete):
        used = _still_used(decision, decisions, users)
        if used:
            return left_alone(decision.resource, *used)
        return (
            decision if consent else replace(decision, consented=False, notes=(*decision.notes, DeleteNeedsConsent()))
        )
    spec = decision.spec
    if spec is None or not spec.enabled or NotSelected() in decision.notes:
        return decision
    excess = old_versions(decision, spec.lifecycle.keep_versions)
    best = next((version for version in excess if is_best(spec, version)), None)
    if best is not None:
        excess.remove(best)
        decision = replace(decision, notes=(*decision.notes, BestKept(best.number)))
    if not excess:
        return decision
    in_use = {
        version.id: user
        for version in excess
        for user in sorted(users.get(version.id, ()))
        if _continues_to_use(decisions[user])
    }
    notes: list[Reason] = [VersionInUse(v.number, in_use[v.id]) for v in excess if v.id in in_use]
    free = tuple(version for version in excess if version.id not in in_use)
    keep = max(0, spec.lifecycle.keep_versions)
    if not free:
        return replace(decision, notes=(*decision.notes, *notes))
    # protection that is declared counts although a problem keeps this plan from recording it
    is_protected = decision.resource.is_protected or bool(spec.lifecycle.prevent_destroy)
    if is_protected or not consent:
        kept = OldVersionsKept(len(free), keep, "protected" if is_protected else "consent")
        return replace(decision, notes=(*decision.notes, *notes, kept))
    return replace(
        decision,
        delete=free,
        notes=(*decision.notes, *notes),
        reasons=(*decision.reasons, OldVersionsDeleted(len(free), keep)),
    )


def _still_used(
    delete: Delete, decisions: Mapping[Address, Decision], users: Mapping[ModelId, list[Address]]
) -> list[Reason]:
    """Why a resource is not deleted: compositions that stay are made of it.

    A destroy of selected resources may leave them without their parts, but for protected ones.
    """
    is_destroy = DestroyAskedFor() in delete.reasons
    return [
        VersionInUse(version.number, user)
        for version in delete.delete
        for user in sorted(users.get(version.id, ()))
        if _continues_to_use(decisions[user]) and not (is_destroy and NotSelected() in decisions[user].notes)
    ]


def protected_users(decisions: Mapping[Address, Decision]) -> tuple[Diagnostic, ...]:
    """An error for each protected composition that is not selected and would lose a part to a destroy."""
    users = users_of_versions(decisions)
    found = {
        (decision.address, user)
        for decision in decisions.values()
        if isinstance(decision, Delete)
        for version in decision.delete
        for user in users.get(version.id, ())
        if _continues_to_use(decisions[user]) and decisions[user].resource.is_protected
    }
    return tuple(
        Diagnostic(
            code="protected",
            message=f"{address} is a part of {user}, which is protected against being deleted",
            hint=f"declare {user} with lifecycle.prevent_destroy: false and apply; then destroy it, too",
        )
        for address, user in sorted(found)
    )


def old_versions(decision: Decision, keep: int) -> list[Version]:
    """Previous versions beyond the newest `keep` usable ones once the plan is carried out, oldest last.

    Versions that were never trained are not worth keeping.
    """
    record = decision.record
    if record is None:
        return []
    previous = list(record.previous)
    if isinstance(decision, Replace):
        previous = [version for version in (record.pending, record.current) if version is not None] + previous
    elif record.pending is not None and yields_new_weights(decision):
        previous = [record.current, *previous]  # the pending one takes its place
    usable = [version for version in previous if version.is_usable]
    return [version for version in previous if not version.is_usable] + usable[max(0, keep) :]


def _continues_to_use(user: Decision) -> bool:
    """Whether a composition still needs its parts after this plan: it is neither retrained, deleted nor forgotten."""
    return not ((isinstance(user, ContentWork) and user.trains) or isinstance(user, Delete | Forget))

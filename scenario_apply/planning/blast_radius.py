"""What a change reaches beyond its own resource: compositions that are made of the model. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Affected
from scenario_apply.planning.decision import Decision, Delete, Wait, action_of, yields_new_weights
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.retention import users_of_versions


def affected(decisions: Mapping[Address, Decision], desired: Desired) -> Mapping[Address, tuple[Affected, ...]]:
    """Resource -> the recorded compositions that its new training, its return to an old version or its end reaches.

    A composition is reached though this plan leaves it as it is: it is made of a version that is replaced or deleted.
    """
    users = users_of_versions(decisions)
    found: dict[Address, tuple[Affected, ...]] = {}
    for address, decision in decisions.items():
        if not _reaches_others(decision) or decision.record is None:
            continue
        ids = {version.id for version in decision.record.versions()}
        made_of_it = {user for model_id in ids for user in users.get(model_id, ())}
        needing = (user for user in desired.consumers.get(address, ()) if user in decisions)
        needing_it = {user for user in needing if decisions[user].record is not None}
        if reached := sorted(made_of_it | (set() if isinstance(decision, Delete) else needing_it)):
            found[address] = tuple(_affected(decisions[user]) for user in reached)
    return found


def _reaches_others(decision: Decision) -> bool:
    is_new = yields_new_weights(decision) and not isinstance(decision, Wait)
    return is_new or isinstance(decision, Delete) or decision.edit.revive is not None


def _affected(user: Decision) -> Affected:
    declared = user.spec is not None and bool(user.spec.lifecycle.prevent_destroy)
    return Affected(address=user.address, action=action_of(user), is_protected=user.resource.is_protected or declared)

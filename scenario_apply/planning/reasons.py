"""Why a resource is changed, or is not, in words; and its labels once they are changed."""

from __future__ import annotations

from scenario_apply.model.address import Address
from scenario_apply.planning.attributes import LabelChange, Spec, recorded_attributes
from scenario_apply.planning.decision import StateEdit
from scenario_apply.state.state import Version


def relabelled(version: Version, spec: Spec, labels: LabelChange) -> dict[str, object]:
    """A version's attributes once its labels are changed."""
    after = {**recorded_attributes(version), **labels.labels}
    if labels.tags_add or labels.tags_delete:
        after["tags"] = list(spec.tags)
    return after


def edit_reasons(edit: StateEdit) -> list[str]:
    """What the state alone will say otherwise."""
    reasons = []
    if edit.protect is not None:
        reasons.append("protection against deletes is " + ("recorded" if edit.protect else "lifted"))
    if edit.unhold:
        reasons.append("the rollback's hold ends: its part of the manifest changed")
    if edit.discard_pending:
        reasons.append("the unfinished replacement is given up")
    return reasons


def move_reasons(edit: StateEdit) -> list[str]:
    """Where a resource's record was so far."""
    return [] if edit.moved_from is None else [f"moved from {edit.moved_from}"]


def manual_note(address: Address) -> str:
    """Why a resource that would be trained is not."""
    return f"train: manual, trained only with --train {address}"

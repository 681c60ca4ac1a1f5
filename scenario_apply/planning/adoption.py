"""Models of the service that become records of declared resources, with what they were trained on. Pure.

An `import:` block does the same within a plan. Here the pictures were downloaded from those very models, so that what
the manifest asks for is what they were trained on, and its fingerprint is theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from scenario_apply.manifest.spec import CompositionSpec
from scenario_apply.model.address import Address
from scenario_apply.model.remote import RemoteModel
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.as_sent import as_sent
from scenario_apply.planning.attributes import Spec
from scenario_apply.planning.composition_parts import as_of_now
from scenario_apply.planning.decide import decide
from scenario_apply.planning.decision import Decision, Keep, Relabel, Wait
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.import_blocks import imported_version
from scenario_apply.planning.observed import Observed, settle
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.planning.up_to_date import UpToDate
from scenario_apply.state.state import Record, State, Version

_NOBODY = PlanRequestOptions()


def adopted(state: State, desired: Desired, models: Mapping[Address, RemoteModel], observed: Observed) -> State:
    """The state with a record of each of the models, which the manifest declares and the state does not record."""
    for address in sorted(models, key=lambda address: (address.kind == "composition", address)):
        spec, remote = desired.specs[address], models[address]
        version = imported_version(remote, spec, desired.contents_of(spec))
        dataset = desired.dataset_of(spec)
        version = replace(
            version,
            concepts=as_of_now(version.concepts, state),
            picture_options="" if dataset is None else dataset.options.text,
            created_at=None if remote.created_at is None else iso(remote.created_at),
            launched_at=_launched_at(version, remote),
        )
        record = Record(current=version, protected=bool(spec.lifecycle.prevent_destroy))
        state = state.with_record(address, replace(record, current=_trained(version, spec, desired, observed)))
    return state


def _launched_at(version: Version, remote: RemoteModel) -> str | None:
    """When a training began that still runs. One that has ended was not launched from here: its cost is no cost of
    this state.
    """
    started = remote.training_started_at
    return None if version.phase != "training" or started is None else iso(started)


def _trained(version: Version, spec: Spec, desired: Desired, observed: Observed) -> Version:
    """The version with the fingerprint of what is declared, where it was trained on exactly that."""
    if not version.is_usable:
        return version
    known = UpToDate(desired, observed)
    parts = version.concepts
    reasons, _ = known.differences(spec, version, parts)
    is_ignored = bool(spec.lifecycle.ignore_changes) or spec.lifecycle.on_change == "keep"
    if reasons or is_ignored or (isinstance(spec, CompositionSpec) and len(parts) != len(spec.concepts)):
        return version
    return replace(version, fingerprint=known.fingerprint_of(spec, version, parts))


def unsettled(
    state: State, desired: Desired, observed: Observed, addresses: Collection[Address], *, now: float
) -> dict[Address, Decision]:
    """Which of the resources a plan would do something about, or cannot take: none after an adoption. now: seconds."""
    state, _ = settle(state, observed, now=iso(now))
    given = Inputs(desired=desired, state=state, observed=as_sent(observed, state), asked=_NOBODY, now=now)
    decisions = decide(given)
    return {
        address: decision
        for address, decision in decisions.items()
        if address in addresses and not _is_settled(decision)
    }


def _is_settled(decision: Decision) -> bool:
    if any(problem.severity == "error" for problem in decision.resource.problems):
        return False
    if isinstance(decision, Relabel):
        return not decision.labels
    return isinstance(decision, Keep | Wait)

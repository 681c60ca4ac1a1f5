"""Go back to the previous version of a resource: no training, no request that writes, 0 CU."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.apply.environment import Environment
from scenario_apply.errors import NotFound, StateError
from scenario_apply.model.address import Address
from scenario_apply.planning.decide import desired_fingerprint
from scenario_apply.planning.desired import Desired
from scenario_apply.state.state import State, Version
from scenario_apply.state.stores.provenance import noted


def roll_back(world: Environment, address: Address, desired: Desired | None) -> str:
    """Make the newest usable previous version current; a sentence that says what happened. The caller holds the lock.

    The resource is held until its part of the manifest changes, or the hold is lifted. desired None: the manifest or
    its pictures cannot be read, and is taken to say what was trained last.
    Raises StateError when there is nothing to go back to, it is gone on the service, or a journal is not settled.
    """
    state = _settled_state(world)
    record = state.records.get(address)
    if record is None:
        raise StateError(f"{address} is not in the state", code="not-recorded")
    target = next((version for version in record.previous if version.is_usable), None)
    if target is None:
        raise StateError(
            f"{address} has no previous version to go back to",
            code="no-previous-version",
            hint="lifecycle.keep_versions says how many are kept when a model is replaced",
        )
    if world.api is not None:
        try:
            remote = world.api.get_model(target.id)
        except NotFound as error:
            raise StateError(
                f"version {target.number} of {address} ({target.id}) is gone on the service", code="version-gone"
            ) from error
        if remote.status not in (None, "trained"):
            raise StateError(
                f"version {target.number} of {address} is {remote.status}, not trained", code="version-gone"
            )
    others = tuple(version for version in record.previous if version is not target)
    back = replace(
        record,
        current=target,
        pending=None,
        previous=tuple(v for v in (record.pending, record.current) if v is not None) + others,
        # an undeclared resource has nothing to be held against: the next plan deletes it or follows the manifest
        held=_held(desired, state, address, target) or "1:undeclared",
    )
    what = f"rollback {address} from version {record.current.number} to {target.number}"
    world.store.save(noted(state.with_record(address, back), world.clock, command="scenario-apply rollback", what=what))
    return (
        f"{address}: version {target.number} ({target.id}) is current again; version {record.current.number} "
        f"({record.current.id}) is kept. No charge. Pinned until you edit its manifest entry or run "
        f"`scenario-apply rollback --lift {address}`."
    )


def _settled_state(world: Environment) -> State:
    """The state, unless a journal may hold calls whose end nobody knows: what they made would be lost with it."""
    loaded = world.store.load()
    if loaded.has_journal:
        raise StateError(
            "an earlier run did not end properly, and its journal is not settled yet",
            code="journal-left",
            hint="scenario-apply apply settles it; then try again",
        )
    return loaded.state


def _held(desired: Desired | None, state: State, address: Address, target: Version) -> str | None:
    if desired is not None:
        return desired_fingerprint(desired, state, address, target)
    record = state.records[address]
    return record.working.fingerprint or record.current.fingerprint


def lift(world: Environment, address: Address) -> str:
    """End the hold of a rollback: the next plan follows the manifest again. The caller holds the lock."""
    state = _settled_state(world)
    record = state.records.get(address)
    if record is None or record.held is None:
        raise StateError(f"{address} is not held by a rollback", code="not-held")
    lifted = state.with_record(address, replace(record, held=None))
    world.store.save(noted(lifted, world.clock, command="scenario-apply rollback --lift", what=f"lift {address}"))
    return f"{address}: unpinned; run `scenario-apply plan` to see what will change."

"""Makes the previous version of a resource current: no training, no request that writes, no charge."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.apply.environment import Environment
from scenario_apply.errors import NotFound, StateError
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.planning.decide import desired_fingerprint
from scenario_apply.planning.desired import Desired
from scenario_apply.state.state import State, Version
from scenario_apply.state.stores.provenance import noted


def roll_back(
    environment: Environment, address: Address, desired: Desired | None, *, command: str | None = None
) -> str:
    """Make the newest usable previous version current; returns a sentence for the user. The caller holds the lock.

    The resource is pinned until its manifest entry changes or the pin is lifted. desired None: the manifest or its
    images cannot be read, and the last training is taken for what it declares.
    command: as it was typed, for the history.
    Raises StateError when there is no previous version, it was deleted on the service, or a journal is left over.
    """
    state = _settled_state(environment)
    record = state.records.get(address)
    if record is None:
        hint = did_you_mean(str(address), map(str, state.records)) or "scenario-apply state list shows what is recorded"
        raise StateError(f"{address} is not in the state", code="not-recorded", hint=hint)
    target = next((version for version in record.previous if version.is_usable), None)
    if target is None:
        raise StateError(
            f"{address} has no previous version to go back to",
            code="no-previous-version",
            hint="lifecycle.keep_versions says how many are kept when a model is replaced",
        )
    if environment.api is not None:
        try:
            remote = environment.api.get_model(target.id)
        except NotFound as error:
            raise StateError(
                f"version {target.number} of {address} ({target.id}) was deleted on Scenario", code="version-gone"
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
        # an undeclared resource has no fingerprint to be pinned to: the next plan deletes it or follows the manifest
        held=_held(desired, state, address, target) or "1:undeclared",
    )
    what = f"rollback {address} from version {record.current.number} to {target.number}"
    environment.store.save(
        noted(
            state.with_record(address, back), environment.clock, command=command or "scenario-apply rollback", what=what
        )
    )
    return (
        f"{address}: version {target.number} ({target.id}) is current again; version {record.current.number} "
        f"({record.current.id}) is kept. No charge. Pinned until you edit its manifest entry or run "
        f"`scenario-apply rollback --lift {address}`."
    )


def _settled_state(environment: Environment) -> State:
    """The state, unless a journal is left over: the results of its requests without a response would be lost."""
    loaded = environment.store.load()
    if loaded.has_journal:
        raise StateError(
            "an earlier run did not end properly, and its journal is left over",
            code="journal-left",
            hint="run scenario-apply apply, which settles it, then try again",
        )
    return loaded.state


def _held(desired: Desired | None, state: State, address: Address, target: Version) -> str | None:
    if desired is not None:
        return desired_fingerprint(desired, state, address, target)
    record = state.records[address]
    return record.working.fingerprint or record.current.fingerprint


def lift(environment: Environment, address: Address, *, command: str | None = None) -> str:
    """End the pin of a rollback: the next plan follows the manifest again. The caller holds the lock.

    command: as it was typed, for the history.
    """
    state = _settled_state(environment)
    record = state.records.get(address)
    if record is None or record.held is None:
        raise StateError(f"{address} is not pinned by a rollback", code="not-held")
    lifted = state.with_record(address, replace(record, held=None))
    environment.store.save(
        noted(lifted, environment.clock, command=command or "scenario-apply rollback --lift", what=f"lift {address}")
    )
    return f"{address}: unpinned; run `scenario-apply plan` to see what will change."

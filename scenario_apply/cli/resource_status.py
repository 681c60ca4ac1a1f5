"""The status of every recorded resource: from the state alone, or after one refresh in bulk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from scenario_apply.model.queue_wait import queued_too_long, queued_words
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.best_versions import declared_bests
from scenario_apply.planning.epochs import epoch_names
from scenario_apply.planning.moves import resolve_moves
from scenario_apply.planning.observed import Observed, settle
from scenario_apply.review.best_words import best_text
from scenario_apply.review.status_text import NOT_CREATED, ResourceStatus
from scenario_apply.state.state import State

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.model.address import Address
    from scenario_apply.planning.attributes import Spec


def recorded_statuses(state: State) -> tuple[ResourceStatus, ...]:
    """As the last apply left them."""
    found = []
    for address, record in sorted(state.records.items()):
        version = record.working
        found.append(
            ResourceStatus(
                address=address,
                id=version.id,
                name=version.name,
                type=version.type,
                status=version.phase,
                version=version.number,
                reason=version.reason,
                charged=version.charged,
                replaces=record.current.id if record.pending is not None else None,
                epoch=version.epoch,
                previous=tuple(one.number for one in record.previous if one.is_usable),
                samples=Counter(sample.phase for sample in version.current_samples),
            )
        )
    return tuple(found)


def marked_best(statuses: Iterable[ResourceStatus], manifest: Manifest) -> tuple[ResourceStatus, ...]:
    """The same with what the manifest says is best."""
    bests = declared_bests(manifest)
    return tuple(
        replace(status, best=best_text(bests[status.address])) if status.address in bests else status
        for status in statuses
    )


UNANSWERED = "the response to its create request was lost; the next apply looks for it on Scenario"


def not_created(
    manifest: Manifest, state: State, unanswered: Collection[Address] = frozenset()
) -> tuple[ResourceStatus, ...]:
    """Declared resources that do not exist yet, without disabled ones and targets of a move.

    unanswered: those whose create request got no response.
    """
    declared: dict[Address, Spec] = {**manifest.models, **manifest.compositions}
    moving = resolve_moves(manifest.moved, state.records, declared, declared).sources
    return tuple(
        ResourceStatus(
            address=address,
            id=None,
            name=spec.name,
            type=spec.type,
            status=NOT_CREATED,
            version=0,
            reason=UNANSWERED if address in unanswered else None,
        )
        for address, spec in declared.items()
        if address not in state.records and address not in moving and spec.enabled
    )


def refreshed_statuses(world: Environment, state: State) -> tuple[ResourceStatus, ...]:
    """As Scenario reports them now; one request for fifty models, one more for each that just failed."""
    from scenario_apply.apply.refresh import failure_reason, read_models

    assert world.api is not None
    ids = [record.working.id for record in state.records.values()]
    models = read_models(world.api, ids, images=False)
    observed = Observed(models=models, asked=frozenset(ids), refreshed=True)
    settled, _ = settle(state, observed, now=iso(world.clock.now()))
    found = []
    # a replacement that has ended is current in the settled state
    for status, before in zip(recorded_statuses(state), sorted(state.records.items()), strict=True):
        version = before[1].working
        now = next((v for v in settled.records[before[0]].versions() if v.id == version.id), version)
        remote = models.get(version.id)
        status = replace(status, status=now.phase, reason=now.reason)
        if remote is None:
            status = replace(status, status="deleted", reason="deleted on Scenario")
        elif remote.status == "trained":
            status = replace(status, epoch=remote.epoch or status.epoch, epochs=epoch_names(remote) or None)
        elif remote.is_running:
            queued = queued_words(remote.status or "", remote.progress, version.launched_at)
            too_long = queued_too_long(version.launched_at, world.clock.now()) if queued is not None else None
            status = replace(status, progress=remote.progress, queued=queued, too_long=too_long)
        elif now.phase == "failed" and (job_id := remote.job_id or version.job_id) is not None:
            reason = version.reason or failure_reason(world.api, job_id)
            status = replace(status, reason=reason)
        found.append(status)
    return tuple(found)

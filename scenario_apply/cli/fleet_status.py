"""The status of every resource of a project's manifests: what is recorded is read in bulk once for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from scenario_apply.cli.fleet_planning import Opened, loaded_states, read_together, world_of
from scenario_apply.cli.resource_status import not_created, recorded_statuses, refreshed_statuses
from scenario_apply.errors import ExitCode, ScenarioApplyError, Unauthorized, Unreachable
from scenario_apply.fleet.tasks import ManifestResult, failed_manifest
from scenario_apply.review.status_text import status_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenario_apply.api.shared_reads import SharedReads
    from scenario_apply.cli.wiring import Service
    from scenario_apply.review.status_text import ResourceStatus


def status_results(opened: list[Opened], service: Service | None) -> list[ManifestResult]:
    """Of each manifest. service None: as recorded. Raises Unauthorized and Unreachable, which meet all alike."""
    loaded, results = loaded_states(opened)
    shared = None if service is None else read_together(service, loaded)
    for one in loaded:
        try:
            results.append(_result(one, service, shared))
        except (Unauthorized, Unreachable):
            raise
        except ScenarioApplyError as error:
            results.append(failed_manifest(one.given.path, error))
    return results


def _result(one: Opened, service: Service | None, shared: SharedReads | None) -> ManifestResult:
    assert one.loaded is not None
    state = one.loaded.state
    if service is None:
        found = recorded_statuses(state)
    else:
        found = refreshed_statuses(replace(world_of(one, service), api=shared), state)
    unanswered = {lost.step.address for lost in one.loaded.unanswered if lost.step.kind == "create"}
    missing = not_created(one.request.manifest, state, unanswered)
    statuses = sorted((*found, *missing), key=lambda resource: resource.address)
    return ManifestResult(
        path=one.given.path,
        code=int(_code(statuses)),
        summary=_counts(statuses),
        statuses=status_values(statuses),
    )


def _counts(statuses: Sequence[ResourceStatus]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for resource in statuses:
        counts[resource.status] = counts.get(resource.status, 0) + 1
    return counts


def _code(statuses: Sequence[ResourceStatus]) -> ExitCode:
    """The detailed exit code of `status`."""
    if any(resource.is_running for resource in statuses):
        return ExitCode.RUNNING
    if any(resource.status in ("failed", "canceled", "deleted") for resource in statuses):
        return ExitCode.PARTIAL
    return ExitCode.OK

"""How many tasks of a fleet run at once, where no option says it. Pure.

A worker process takes about 40 MB, and one of a Dask cluster on this machine three times that. More of them than keep
the processor busy only slow each other down; but a task that waits for its rate limit leaves the processor to others.
"""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.fleet.engines import PROCESSES, is_scheduler
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.model.limits import REQUESTS_PER_MINUTE

MOST_TASKS = 64
PLANS_A_CORE = 2
TASKS_A_CORE = {PROCESSES: 8}
"""Of an apply, by engine; of others PLANS_A_CORE."""


def tasks_at_once(runs: Sequence[ProjectRun], *, engine: str, cores: int) -> int:
    """At least 1. A scheduler gets all it may, and shares them out among its workers."""
    if is_scheduler(engine):
        wanted = MOST_TASKS
    elif all(run.task.kind in ("plan", "status") for run in runs):
        wanted = PLANS_A_CORE * cores
    else:
        wanted = TASKS_A_CORE.get(engine, PLANS_A_CORE) * cores + sum(map(_waits, runs))
    return max(1, min(wanted, MOST_TASKS, len(runs)))


def _waits(run: ProjectRun) -> bool:
    """Whether the project has more to send than its limit lets through in a minute."""
    limit = REQUESTS_PER_MINUTE if run.task.rate_limit is None else run.task.rate_limit
    return 0 < limit < sum(result.requests for result in run.results.values())

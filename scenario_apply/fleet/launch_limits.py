"""The limits of the whole fleet, shared out among tasks: how many trainings each may launch, and for how many CU. Pure.

What is given to a task in flight counts as used until its answer says what it launched.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.model.amounts import total

_ROUNDING = 1e-6


class Grant(Struct, frozen=True, kw_only=True):
    """launches, cost: None for no bound."""

    launches: int | None = None
    cost: float | None = None


class LaunchLimits(Struct, kw_only=True):
    """concurrent: trainings at once. cost: CU of all launches. None: no limit."""

    concurrent: int | None = None
    cost: float | None = None
    _given: dict[ProjectRun, int] = field(default_factory=dict)
    _running: dict[ProjectRun, int] = field(default_factory=dict)
    _known: dict[ProjectRun, float] = field(default_factory=dict)  # CU of what is planned and not launched yet
    _charged: dict[ProjectRun, float] = field(default_factory=dict)
    _open_ended: ProjectRun | None = None  # the one in flight that may launch what has no price yet

    def expect(self, runs: Iterable[ProjectRun]) -> None:
        """The projects with their plans; trainings that run already count."""
        for run in runs:
            self._known[run] = total(result.cu or 0.0 for result in run.results.values())
            self._running[run] = sum(result.summary.get("wait", 0) for result in run.results.values())

    def grant(self, run: ProjectRun) -> Grant | None:
        """What the run's next task may do; None: it has to wait for others."""
        launches = None
        if self.concurrent is not None:
            used = sum(self._running.values()) + sum(self._given.values())
            # those that end leave their places to the same project
            launches = max(0, min(self.concurrent - used, run.wanted))
            if launches == 0 and run.needs_launches:
                return None
        cost = None
        if self.cost is not None:
            cost = self._known.get(run, 0.0)
            if any(result.unknown for result in run.results.values()):
                if self._open_ended is not None:
                    return None
                self._open_ended = run
                cost += max(0.0, self.cost - total(self._charged.values()) - total(self._known.values()))
            cost += _ROUNDING
        if launches is not None:
            self._given[run] = launches
        return Grant(launches=launches, cost=cost)

    def settle(self, run: ProjectRun) -> None:
        """The run's task was answered, or its worker died."""
        self._given.pop(run, None)
        if self._open_ended is run:
            self._open_ended = None
        self._running[run] = len(run.running)
        charged = quoted_of(run)
        launched = charged - self._charged.get(run, 0.0)
        self._charged[run] = charged
        left = max(0.0, self._known.get(run, 0.0) - launched)
        if run.due_at is None:
            if run.has_died:  # what the dead worker launched is in no ledger
                self._charged[run] += left
            left = 0.0
        self._known[run] = left


def quoted_of(run: ProjectRun) -> float:
    """CU of what the run launched: as it was quoted, else as it was charged."""
    charges = [c for result in run.results.values() if result.ledger is not None for c in result.ledger["charges"]]
    return total((charge["quoted"] or charge["charged"] or 0.0) for charge in charges)

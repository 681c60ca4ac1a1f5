"""How a plan is to be carried out."""

from __future__ import annotations

from dataclasses import dataclass

from scenario_apply.model.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    """parallelism: calls at once. poll_interval_s None: paced. timeout_s: then trainings are left. wait: at all.

    command and status_command go on with the run; replaced and adopted: what --replace and --adopt asked for.
    outside: files of datasets that may lie outside the root.
    """

    parallelism: int = 24
    poll_interval_s: float | None = None
    timeout_s: float | None = None
    wait: bool = True
    command: str = "scenario-apply apply"
    status_command: str = "scenario-apply status --watch"
    replaced: tuple[Address, ...] = ()
    adopted: tuple[str, ...] = ()
    outside: frozenset[str] = frozenset()

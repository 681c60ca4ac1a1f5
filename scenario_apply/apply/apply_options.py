"""The options of an apply."""

from __future__ import annotations

from msgspec import Struct

from scenario_apply.apply.price_round import Approval
from scenario_apply.model.address import Address
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess


class ApplyOptions(Struct, frozen=True, kw_only=True):
    """parallelism: requests at once. poll_interval_s None: adaptive. timeout_s: how long to wait for trainings.

    wait False: trainings are launched and left running. command, status_command: the commands that continue the run.
    command_line: as it was typed, without secrets, for the state's history; None: command.
    replaced, adopted: the values of --replace and --adopt. outside: dataset files that may lie outside the root.
    remote: URLs that datasets may be read from. approval: what of the cost was approved before the run.
    leaves_held: launches that would have to wait are left to a later run. may_launch: trainings at most, None for any.
    """

    parallelism: int = 24
    poll_interval_s: float | None = None
    timeout_s: float | None = None
    wait: bool = True
    command: str = "scenario-apply apply"
    status_command: str = "scenario-apply status --watch"
    command_line: str | None = None
    replaced: tuple[Address, ...] = ()
    adopted: tuple[str, ...] = ()
    outside: frozenset[str] = frozenset()
    remote: RemoteAccess = NO_REMOTE
    approval: Approval = Approval()
    leaves_held: bool = False
    may_launch: int | None = None

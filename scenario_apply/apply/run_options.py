"""The options of a run, and what its workers hand back."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from scenario_apply.apply.price_round import Approval
from scenario_apply.apply.schedule import Call
from scenario_apply.model.address import Address
from scenario_apply.state.outcome import Outcome


class RunOptions(Struct, frozen=True, kw_only=True):
    """parallelism: requests at once. poll_interval_s None: adaptive. timeout_s: how long to wait for trainings.

    wait False: trainings are launched and left running. vanished: resources whose model was deleted on the service.
    approval: what of the cost was approved. leaves_held: launches that would have to wait are left to a later run.
    """

    parallelism: int
    poll_interval_s: float | None = None
    timeout_s: float | None = None
    wait: bool = True
    vanished: frozenset[Address] = frozenset()
    approval: Approval = Approval()
    leaves_held: bool = False


class FinishedTask(Struct, frozen=True, kw_only=True):
    """The result of a worker's task: of a call, its outcome or error; of anything else, what the loop does with it."""

    call: Call | None = None
    started_at: float = 0.0
    outcome: Outcome | None = None
    error: BaseException | None = None
    take: Callable[[], None] | None = None

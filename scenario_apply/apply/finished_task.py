"""What the workers of a run hand back."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from scenario_apply.apply.schedule import Call
from scenario_apply.state.outcome import Outcome


class FinishedTask(Struct, frozen=True, kw_only=True):
    """The result of a worker's task: of a call, its outcome or error; of anything else, what the loop does with it."""

    call: Call | None = None
    started_at: float = 0.0
    outcome: Outcome | None = None
    error: BaseException | None = None
    take: Callable[[], None] | None = None

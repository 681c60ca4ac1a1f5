"""Tolerates a bounded number of consecutive polling failures."""

from __future__ import annotations

from scenario_apply.errors import ApiError, Interrupted, RateLimited, Unauthorized

MOST_POLL_FAILURES = 10
"""In a row. Each of them has already been retried for seconds."""


class PollFailures:
    """Counts failed polls; apply and status --watch tolerate the same."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def passed(self) -> None:
        self._in_a_row = 0

    def is_enough(self, error: BaseException) -> bool:
        """Whether this failure ends the polling: the tenth in a row, or one that another poll cannot help."""
        self._in_a_row += 1
        if isinstance(error, Interrupted):
            return False
        return isinstance(error, Unauthorized | RateLimited) or self._in_a_row >= MOST_POLL_FAILURES


def poll_failure_message(error: BaseException, what: str = "trainings") -> str:
    """The note about a failed poll that is tolerated."""
    reason = str(error) if isinstance(error, ApiError) else f"the response is incomplete ({error})"
    return f"polling {what} failed, trying again: {reason}"

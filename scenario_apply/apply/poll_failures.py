"""Rounds of looks at trainings that fail: how many are put up with, and which are not."""

from __future__ import annotations

from scenario_apply.errors import ApiError, Interrupted, RateLimited, Unauthorized

BAD_ROUNDS_AT_MOST = 10
"""In a row. A round has been tried for seconds by itself before it is a bad one."""


class PollFailures:
    """Counts them; apply and status --watch bear the same."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def passed(self) -> None:
        self._in_a_row = 0

    def is_enough(self, error: BaseException) -> bool:
        """Whether this bad round is one too many: the tenth, or one that further looks cannot help."""
        self._in_a_row += 1
        if isinstance(error, Interrupted):
            return False
        return isinstance(error, Unauthorized | RateLimited) or self._in_a_row >= BAD_ROUNDS_AT_MOST


def poll_failure_message(error: BaseException) -> str:
    """What to say of a bad round that is put up with."""
    words = str(error) if isinstance(error, ApiError) else f"an answer without what it must hold ({error})"
    return f"asking for trainings failed, trying again: {words}"

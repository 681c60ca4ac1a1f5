"""Decides whether a request is tried again, and after how many seconds. Pure: it neither waits nor reads a clock."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime

from scenario_apply.api.exchange import NoAnswer, Reply, Safety

MAX_TRIES = 6
"""The most attempts of a read or of a write that may be repeated, the first included."""

MAX_TRIES_OF_NONSENSE = 3
"""The most attempts when the response is a conflict, or a success that cannot be parsed."""

MAX_TRIES_OF_ADVICE = 3
"""Tries of a read that nothing depends on: a price, a dataset score."""

UNREACHABLE_S = 6.0
"""Seconds after which attempts to reach the service end."""

REFUSED_S = 600.0
"""Seconds of rate-limit refusals after which a call fails."""

LONGEST_RATE_PAUSE_S = 120.0
"""The longest pause, in seconds, of all requests after a rate-limit refusal; then one request is sent as a probe."""

LONGEST_PAUSE_S = 60.0
"""Seconds. A longer Retry-After of a server error is ignored, as in the official SDK."""

_FIRST_S = 0.5
_LONGEST_S = 8.0
_RETRIED = frozenset({408, 409, 425, 429})
_FINAL_5XX = frozenset({501, 505, 511})


def backoff_s(attempt: int, draw: float) -> float:
    """Seconds to wait after an attempt: 0.5, doubled each time up to 8, times a factor of 0.75 to 1.

    attempt counts from 1. draw: a random number from 0 to 1, which selects the factor.
    Raises ValueError for attempt < 1. Source: the official SDK's own backoff.
    """
    if attempt < 1:
        raise ValueError(f"attempts count from 1, got {attempt}")
    return min(_FIRST_S * 2.0 ** min(attempt - 1, 16), _LONGEST_S) * (0.75 + 0.25 * draw)


def asked_pause_s(reply: Reply, now: float) -> float | None:
    """The seconds that a response asks to wait, by retry-after-ms or by Retry-After (a number or an HTTP date).

    now: seconds since the epoch. None without such a header or with one that cannot be parsed. Never negative.
    """
    milliseconds = _number(reply.headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    after = reply.headers.get("retry-after")
    seconds = _number(after)
    if seconds is not None:
        return seconds
    if after is not None:
        try:
            return max(parsedate_to_datetime(after).timestamp() - now, 0.0)
        except (ValueError, TypeError, OverflowError):
            pass  # neither a number nor a date: the header is ignored
    return None


def is_rounded(reply: Reply) -> bool:
    """Whether the requested wait is given in whole seconds: a number without a fraction, or a date."""
    if _number(reply.headers.get("retry-after-ms")) is not None:
        return False
    seconds = _number(reply.headers.get("retry-after"))
    return seconds is None or seconds == int(seconds)


def retry_after_s(reply: Reply, attempt: int, *, safety: Safety, now: float, draw: float) -> float | None:
    """Seconds to wait before the next attempt after an error response; None when it is of no use or unsafe.

    attempt counts from 1. x-should-retry overrides the status, but a call that creates or spends is never repeated
    because of it. A 429 must be one for the request rate: the caller handles the other kinds first.
    """
    if reply.is_success:
        return None
    said = reply.headers.get("x-should-retry", "").strip().lower()
    if said == "false" or attempt >= _tries(reply.status):
        return None
    if safety is Safety.ONCE and reply.status != 429:
        return None
    if said != "true" and not _is_retried(reply.status):
        return None
    asked = asked_pause_s(reply, now)
    if asked is not None and asked <= LONGEST_PAUSE_S:
        return max(asked, 0.05)
    return backoff_s(attempt, draw)


def reconnect_after_s(
    lost: NoAnswer, attempt: int, *, safety: Safety, draw: float, down_s: float, took_s: float, has_answered: bool
) -> float | None:
    """Seconds to wait before the next attempt after a request without a response; None when it is of no use or unsafe.

    down_s: seconds since the service was last reached. took_s: duration of the last attempt; the next may take as long.
    has_answered: whether the service has ever responded. If not, a timeout is not retried.
    """
    if lost.hopeless:
        return None
    wait = backoff_s(attempt, draw)
    if not lost.sent:
        return wait if down_s + wait + took_s <= UNREACHABLE_S else None
    if safety is Safety.ONCE:
        return None
    if lost.timed_out:  # a timeout takes long, so there is at most one more attempt
        return wait if has_answered and attempt < 2 else None
    return wait if attempt < MAX_TRIES else None


def is_enough_for_advice(lost: NoAnswer, attempt: int) -> bool:
    """Whether a read that nothing depends on is given up after that many tries without an answer."""
    return lost.timed_out or attempt >= MAX_TRIES_OF_ADVICE


def reread_after_s(attempt: int, *, safety: Safety, draw: float) -> float | None:
    """Seconds to wait before the next attempt when a success cannot be parsed; None when it is of no use or unsafe."""
    if safety is Safety.ONCE or attempt >= MAX_TRIES_OF_NONSENSE:
        return None
    return backoff_s(attempt, draw)


def _tries(status: int) -> int:
    return MAX_TRIES_OF_NONSENSE if status == 409 else MAX_TRIES


def _is_retried(status: int) -> bool:
    return status in _RETRIED or (status >= 500 and status not in _FINAL_5XX)


def _number(text: str | None) -> float | None:
    """A finite number of at least 0; None for any other text."""
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None

"""Try again, and after how many seconds? Decides, never sleeps, knows no clock."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime

from scenario_apply.api.exchange import NoAnswer, Reply, Safety

MAX_TRIES = 6
"""Tries of a read or a repeatable write in all."""

MAX_TRIES_OF_NONSENSE = 3
"""Tries when the answer is a success that cannot be read, or a conflict."""

MAX_TRIES_OF_ADVICE = 3
"""Tries of a read that nothing depends on: a price, a dataset score."""

UNREACHABLE_S = 6.0
"""Seconds for which a service that cannot be reached is tried."""

REFUSED_S = 600.0
"""Seconds of being refused for the rate after which a call gives up."""

LONGEST_RATE_PAUSE_S = 120.0
"""Seconds everybody pauses at most before the service is asked again whether it lets us through."""

LONGEST_PAUSE_S = 60.0
"""A server error's Retry-After beyond this is not believed. Source: the official SDK does the same."""

_FIRST_S = 0.5
_LONGEST_S = 8.0
_RETRIED = frozenset({408, 409, 425, 429})
_FINAL_5XX = frozenset({501, 505, 511})


def backoff_s(attempt: int, draw: float) -> float:
    """Seconds to wait after attempt (from 1): 0.5 doubled up to 8, times 0.75 to 1 as draw (0..1) says.

    Raises ValueError for attempt < 1. Source: the official SDK's own backoff.
    """
    if attempt < 1:
        raise ValueError(f"attempts count from 1, got {attempt}")
    return min(_FIRST_S * 2.0 ** min(attempt - 1, 16), _LONGEST_S) * (0.75 + 0.25 * draw)


def asked_pause_s(reply: Reply, now: float) -> float | None:
    """The seconds a reply asks to wait: retry-after-ms, Retry-After as seconds, float or HTTP date.

    now: seconds since the epoch. None when it asks nothing that makes sense. Never negative.
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
            pass  # neither number nor date: as if it were not there
    return None


def is_rounded(reply: Reply) -> bool:
    """Is what a reply asks for in whole seconds, as numbers without a fraction and dates are?"""
    if _number(reply.headers.get("retry-after-ms")) is not None:
        return False
    seconds = _number(reply.headers.get("retry-after"))
    return seconds is None or seconds == int(seconds)


def retry_after_s(reply: Reply, attempt: int, *, safety: Safety, now: float, draw: float) -> float | None:
    """Seconds to wait before another try of a refused or failed call; None when trying again cannot help or could harm.

    attempt counts from 1. x-should-retry overrides the status, but never makes a call that creates or spends be
    repeated. A 429 is for the caller to tell apart first: this one is for its rate.
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
    """Seconds to wait before another try when no answer came; None when it cannot help or could harm.

    down_s: seconds since the service was last reached; took_s: how long the last try took, as the next one may.
    has_answered: whether the service ever did; a silent one that never did is not asked twice.
    """
    if lost.hopeless:
        return None
    wait = backoff_s(attempt, draw)
    if not lost.sent:
        return wait if down_s + wait + took_s <= UNREACHABLE_S else None
    if safety is Safety.ONCE:
        return None
    if lost.timed_out:  # each has cost long enough already
        return wait if has_answered and attempt < 2 else None
    tries = MAX_TRIES
    return wait if attempt < tries else None


def is_enough_for_advice(lost: NoAnswer, attempt: int) -> bool:
    """Whether a read that nothing depends on is given up after that many tries without an answer."""
    return lost.timed_out or attempt >= MAX_TRIES_OF_ADVICE


def reread_after_s(attempt: int, *, safety: Safety, draw: float) -> float | None:
    """Seconds to wait before another try when a success could not be read; None when it must not or cannot help."""
    if safety is Safety.ONCE or attempt >= MAX_TRIES_OF_NONSENSE:
        return None
    return backoff_s(attempt, draw)


def _tries(status: int) -> int:
    return MAX_TRIES_OF_NONSENSE if status == 409 else MAX_TRIES


def _is_retried(status: int) -> bool:
    return status in _RETRIED or (status >= 500 and status not in _FINAL_5XX)


def _number(text: str | None) -> float | None:
    """A finite number, at least 0; None for anything else."""
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None

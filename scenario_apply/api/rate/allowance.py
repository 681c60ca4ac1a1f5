"""The limit of a service, so many requests in a window of so many seconds, narrowed down with each refusal.

The count is known at the first refusal: the requests accepted until then. The length of the window only has bounds,
since limiters round what they report or report nothing: it is longer than the time to the last refused request, and at
most the time to the first request accepted again. Limits usually have common lengths, so those are tried first.
"""

from __future__ import annotations

import math

from msgspec import Struct
from msgspec.structs import replace

ROUND_S = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0)
_NEAR = 1.04  # bounds this close count as one number
_BLUR = 0.98  # times are measured at the client, the service counts later


class Allowance(Struct, frozen=True, kw_only=True):
    """What the service accepts: so many requests within so many seconds."""

    count: int
    window_s: float

    @property
    def per_s(self) -> float:
        return self.count / self.window_s


class Bounds(Struct, frozen=True, kw_only=True):
    """The window is longer than too_short_s and at most long_enough_s."""

    count: int
    too_short_s: float
    long_enough_s: float

    @property
    def is_near(self) -> bool:
        """Whether the bounds are narrow enough: trying further would cost refusals and gain almost nothing."""
        return self.long_enough_s <= self.too_short_s * _NEAR

    def guess(self) -> Allowance:
        """The limit to try next."""
        return Allowance(count=self.count, window_s=self._guess_s())

    def is_round(self, tried: Allowance) -> bool:
        """Whether the window has a common length."""
        return tried.window_s in ROUND_S

    def refused(self, seen: Bounds) -> Bounds:
        """The bounds after another refusal. Where the two contradict each other, the latest is used."""
        both = replace(
            seen,
            too_short_s=max(self.too_short_s, seen.too_short_s),
            long_enough_s=min(self.long_enough_s, seen.long_enough_s),
        )
        return both if self.count == seen.count and both.too_short_s < both.long_enough_s else seen

    def window_passed(self, tried: Allowance) -> Bounds:
        """The bounds after a whole window at that pace without a refusal."""
        return replace(self, long_enough_s=min(self.long_enough_s, tried.window_s))

    def _guess_s(self) -> float:
        if self.long_enough_s < ROUND_S[0]:
            return ROUND_S[0]  # probably a token bucket or half a window; otherwise the rate grows
        for length_s in ROUND_S:
            if self.too_short_s * _BLUR < length_s <= self.long_enough_s / _BLUR:
                return length_s
        if self.is_near or self.too_short_s <= 0:
            return self.long_enough_s
        return math.sqrt(self.too_short_s * self.long_enough_s)

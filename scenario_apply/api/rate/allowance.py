"""What a service allows: so many requests in a window of so many seconds, narrowed down refusal by refusal.

The count is seen at the first refusal: what was let through until then. The length of the window is only bounded, since
limiters round what they say or say nothing: it is longer than the time to the last request refused, and no longer than
the time to the first one let through again. Such limits are usually round numbers, so those are tried first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

ROUND_S = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 3600.0)
_NEAR = 1.04  # bounds this close are as good as one number
_BLUR = 0.98  # times are measured here, and the service counts somewhere on the way


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the service was seen to let through: so many requests within so many seconds."""

    count: int
    window_s: float

    @property
    def per_s(self) -> float:
        return self.count / self.window_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The window is longer than too_short_s and at most long_enough_s."""

    count: int
    too_short_s: float
    long_enough_s: float

    @property
    def is_near(self) -> bool:
        """Narrow enough: trying on would cost refusals and gain next to nothing."""
        return self.long_enough_s <= self.too_short_s * _NEAR

    def guess(self) -> Allowance:
        """What to try next."""
        return Allowance(count=self.count, window_s=self._guess_s())

    def is_round(self, tried: Allowance) -> bool:
        """Was it a length people choose?"""
        return tried.window_s in ROUND_S

    def refused(self, seen: Bounds) -> Bounds:
        """The bounds after another refusal; what is seen last is believed where the two contradict each other."""
        both = replace(
            seen,
            too_short_s=max(self.too_short_s, seen.too_short_s),
            long_enough_s=min(self.long_enough_s, seen.long_enough_s),
        )
        return both if self.count == seen.count and both.too_short_s < both.long_enough_s else seen

    def let_through(self, tried: Allowance) -> Bounds:
        """The bounds after a whole window at that pace without a refusal."""
        return replace(self, long_enough_s=min(self.long_enough_s, tried.window_s))

    def _guess_s(self) -> float:
        if self.long_enough_s < ROUND_S[0]:
            return ROUND_S[0]  # rather a bucket, or half a window; if not, the rate grows
        for length_s in ROUND_S:
            if self.too_short_s * _BLUR < length_s <= self.long_enough_s / _BLUR:
                return length_s
        if self.is_near or self.too_short_s <= 0:
            return self.long_enough_s
        return math.sqrt(self.too_short_s * self.long_enough_s)

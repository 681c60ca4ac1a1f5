"""How fast requests may be sent, learned from 429 responses. The owner passes in the time; this module reads no clock.

A rate limiter refuses only when it is asked too often, and rarely says what it counts. The pace has four phases:

1. Nothing has been refused yet. Requests are sent a few milliseconds apart and few are in flight, because all requests
   under way at the first refusal are refused with it. A first refusal that asks for a long pause only causes that
   pause: an earlier run or another program may have used part of the window. Up to the count at which it came,
   requests are then sent as before, and one at a time after that.
2. Any other first refusal gives the count and bounds of the window (allowance.py). Windows between them are tried.
3. A window is known. Requests are sent one at a time, slightly slower than its rate, and never more than its count
   within the time in which the service may have counted them, so that delays on the network do not exceed the limit.
4. The rate grows slowly until the service refuses again, and drops a little after each refusal.

Even spacing works with every kind of limiter (sliding window, fixed window, token bucket). A request refused before the
window is full means that the limit is not such a window, or that another program uses it too. The rate is then the
rate that was accepted lately.

Some refusals say nothing about the limit (an overloaded gateway, a burst from another program). A few requests and a
short pause do not prove a rate below the documented one.
"""

from __future__ import annotations

from collections import deque

from scenario_apply.api.rate.allowance import ROUND_S, Allowance, Bounds
from scenario_apply.api.rate.slot import Slot

REMEMBERED = 4096  # accepted requests looked back at
REMEMBERED_S = 120.0
MARGIN = 0.98  # share of the allowed rate that is used: network jitter must not exceed the limit

FIRST_GAP_S = 0.004  # between the first so many requests:
_FIRST = 100
FEW_IN_FLIGHT = 6  # while nothing is known, and one more for every so many let through:
_ONE_MORE_EACH = 4
_RECHECK_S = 0.002  # between two checks while requests are in flight
_CATCH_UP_S, _CATCH_UP_SHARE = 0.02, 0.5  # lateness that is made up for: seconds, and share of a known window

_REVIEW_EVERY = 10  # accepted requests between two reviews of the rate, at least, once a ceiling is known
_REVIEW_EVERY_S = 1.0  # and about so many seconds
_REVIEWS_PER_WINDOW = 10  # at most, since a refusal only comes once the window is full
_GROW = 1.01
_GROW_DOUBLES_AFTER = 2  # reviews without a refusal, while no ceiling is confirmed: it may be far away
_SLOW_GROWTH = 0.0005  # growth per review once the service has refused a steady pace
_SLOW_GROWTH_DOUBLES_AFTER_S = 50.0  # the ceiling may have risen since
_PAUSES_WITHOUT_GROWTH = 30.0  # a refusal costs one pause, so no growth is tried for thirty times as long
_SLOWER = (
    (60.0, 0.99),
    (20.0, 0.98),
    (2.0, 0.97),
    (0.0, 0.93),
)  # time without a refusal, in pauses, at least: factor for the new rate
_MUCH_SLOWER = 0.85  # factor when hardly a request was accepted since the last refusal
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0  # bounds of the unit in which time without refusals is measured
_LOWEST_PER_S = 0.05
_LOWEST_UNPROVEN_PER_S = 1.5  # slightly below the documented 100 requests a minute
_LONG_PAUSE_S = 5.0  # a Retry-After this long comes from a real limit
_MOST_UNEXPLAINED = 2  # refusals before the window is full that only cause a pause
_RATE_AFTER_DOUBT = 1.5
_TOO_FEW = 3  # accepted before the first refusal: not a plausible limit
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_WHOLE_SECOND_S = 1.0  # limiters round Retry-After up by at most this
_SHARE_OF_WINDOW = 0.9  # of the count: a refusal after fewer requests is not explained by the window
_SHORTEST_SPAN_S = 1e-3
_TRIED = 1.2  # windows without a refusal confirm a guess


class Pace:
    """Times are seconds of one monotonic clock. Not thread-safe: its owner holds a lock.

    careful: start slowly until the first refusal; not needed where the user has set a limit.
    """

    def __init__(self, *, careful: bool = True) -> None:
        self.per_s: float | None = None
        """Requests a second; None while nothing has been refused."""
        self.paused_until = 0.0
        self.probing = False
        """After a refusal one request goes ahead of all others."""
        self.seen: Allowance | None = None
        self._careful = careful
        self._sent: deque[Slot] = deque(maxlen=REMEMBERED)  # in flight or accepted, in the order of sending
        self._accepted_count = 0
        self._in_flight = 0
        self._first_bounds: Bounds | None = None  # what the first refusal suggests, if it asked for a long pause
        self._windows_before_doubt = 1  # windows without a refusal before a rate below the documented one is doubted
        self._shortest_trip_s: float | None = None  # the shortest time from sending to the response
        self._unexplained = 0  # refusals before the assumed window was full, since one last passed without any
        self._is_explained = False  # the refusal of this episode came when the assumed window was full
        self._is_ignored = False  # the refusal of this episode is unexplained, and one of the first few
        self._rate_measured_since = 0.0
        self._episode_at = -1.0  # when the service last began to refuse
        self._refused_last_at = -1.0  # when the last refused request was sent
        self._wait_at_least_s = 0.0  # the end of the pause that the episode's refusals asked for, less rounding
        self._requested_pause_s = 0.0  # the longest pause asked for in this episode
        self._quick_refusals = 0  # consecutive episodes with hardly an accepted request between them
        self._refusals_in_a_row = 0
        self._since_refusal = 0
        self._reviews = 0  # of the rate, since the last refusal
        self._reviewed_at = 0.0
        self._window_tried_since = 0.0
        self._bounds: Bounds | None = None  # while windows are tried
        self._pause_s = _SHORTEST_PAUSE_S
        self._proven_per_s: float | None = None  # a rate that was accepted for a whole window, to return to once
        self._ceiling_per_s: float | None = None
        self._ceiling_is_confirmed = False

    def wait_s(self, now: float, last_taken_at: float) -> float:
        """Seconds until the next request may be sent; 0: at once."""
        if now < self.paused_until:
            return self.paused_until - now
        if self.per_s is None:
            return self._first_wait_s(now, last_taken_at)
        return max(last_taken_at + 1.0 / self.per_s - now, self._window_wait_s(now), 0.0)

    def taken_at(self, now: float, last_taken_at: float) -> float:
        """The nominal time of a request sent now: sending slightly late does not lower the rate."""
        if self.per_s is None:
            return now
        late_s = _CATCH_UP_S if self.seen is None else max(_CATCH_UP_S, _CATCH_UP_SHARE * self.seen.window_s)
        return max(last_taken_at + 1.0 / self.per_s, now - late_s)

    def seconds_for(self, requests: int, now: float) -> float:
        """About how many seconds it takes to send so many more requests."""
        pause_s = max(self.paused_until - now, 0.0)
        if self.per_s is not None:
            return pause_s + requests / self.per_s
        impression = self._first_impression()
        if impression is None:
            return pause_s
        at_once = max(impression.count - (0 if self.probing else self._since_refusal), 0)
        if requests <= at_once:
            return pause_s
        # the rest is refused once more, then sent one at a time
        return pause_s + impression.window_s + (requests - at_once) / impression.per_s

    def _first_impression(self) -> Allowance | None:
        """The limit that a first refusal with a long pause suggests, unless later responses contradict it."""
        if self._first_bounds is not None:
            return self._first_bounds.guess() if self._since_refusal <= self._first_bounds.count else None
        if not self.probing or self._requested_pause_s < _LONG_PAUSE_S or not self._accepted_count:
            return None
        return Allowance(count=self._accepted_count, window_s=self.paused_until - self._sent[0].sent_at)

    def taken(self, slot: Slot) -> None:
        self._sent.append(slot)
        self._in_flight += 1

    def lost(self, slot: Slot, now: float, *, left: bool) -> None:
        """No response came. If the request was sent, the service may have counted it."""
        self._in_flight -= 1
        if left:
            slot.answered_at = now
        else:
            self._forget(slot)

    def accepted(self, slot: Slot, now: float) -> None:
        """The response was anything but a 429 for the rate."""
        self._in_flight -= 1
        slot.answered_at = now
        self._accepted_count += 1
        left_at = slot.sent_at
        round_trip_s = now - left_at
        self._shortest_trip_s = (
            round_trip_s if self._shortest_trip_s is None else min(self._shortest_trip_s, round_trip_s)
        )
        if self._episode_at >= 0 and slot.taken_at <= self._episode_at:
            return  # sent before the refusal: says nothing about the time after it
        if self.probing:
            self.probing = False
            self._learn_from_refusal(slot)
            self._refusals_in_a_row = 0
        self._since_refusal += 1
        if self.seen is not None and self._since_refusal >= self.seen.count:
            self._unexplained = 0
        if self._bounds is not None and self._window_has_passed(left_at):
            self._narrow_window(self._bounds)
        elif self._bounds is None and self.per_s is not None:
            self._review_rate(self.per_s, left_at)

    def refused(self, slot: Slot, now: float, requested_pause_s: float | None, *, is_rounded: bool = True) -> None:
        """The request was refused for its rate; requested_pause_s: the pause the service asks for."""
        self._in_flight -= 1
        self._forget(slot)
        left_at = slot.sent_at
        if (
            self._episode_at < 0 or slot.taken_at > self._episode_at
        ):  # otherwise it was in flight already: the same refusal
            self._begin_to_refuse(now, requested_pause_s)
        self._refused_last_at = max(self._refused_last_at, left_at)
        if requested_pause_s is not None:
            rounded = _WHOLE_SECOND_S if is_rounded else 0.0
            self._wait_at_least_s = max(self._wait_at_least_s, left_at + requested_pause_s - rounded)
            self._requested_pause_s = max(self._requested_pause_s, requested_pause_s)
            self.paused_until = max(self.paused_until, now + max(requested_pause_s, 0.02))

    def _begin_to_refuse(self, now: float, requested_pause_s: float | None) -> None:
        pause_s = (
            requested_pause_s
            if requested_pause_s is not None
            else _PAUSES_S[min(self._refusals_in_a_row, len(_PAUSES_S) - 1)]
        )
        if not self.probing:
            self._wait_at_least_s = self._requested_pause_s = 0.0
            self._quick_refusals = self._quick_refusals + 1 if self._since_refusal <= 1 else 0
            filled = self.seen is not None and self._since_refusal >= _SHARE_OF_WINDOW * self.seen.count
            self._is_explained = self.seen is not None and (self._proven_per_s is not None or filled)
            too_soon = self.seen is not None and not self._is_explained
            self._unexplained += too_soon
            self._is_ignored = too_soon and self._unexplained <= _MOST_UNEXPLAINED
            if self._unexplained <= 1:
                self._rate_measured_since = now
            if self.per_s is not None and self._bounds is None and not self._is_ignored:
                self._slow_down(self.per_s, now)
        self._episode_at = now
        self._pause_s = min(max(pause_s, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
        self.paused_until = max(self.paused_until, now + max(pause_s, 0.02))
        self._refusals_in_a_row += 1
        self.probing = True

    def _first_wait_s(self, now: float, last_taken_at: float) -> float:
        if self._first_bounds is not None:
            at_once = FEW_IN_FLIGHT if self._since_refusal + self._in_flight < self._first_bounds.count else 1
        elif self._careful:
            at_once = FEW_IN_FLIGHT + self._accepted_count // _ONE_MORE_EACH
        else:
            return 0.0
        if self._in_flight >= at_once:
            return _RECHECK_S
        return max(last_taken_at + FIRST_GAP_S - now, 0.0) if self._accepted_count < _FIRST else 0.0

    def _window_wait_s(self, now: float) -> float:
        """Seconds until the request one count ago is out of the service's window, whenever it was counted."""
        if self.seen is None or self.per_s is None or len(self._sent) < self.seen.count:
            return 0.0
        before = self._sent[-self.seen.count]
        window_s = self.seen.count * MARGIN / self.per_s
        shortest_trip_s = self._shortest_trip_s or 0.0
        latest = before.sent_at + max(2 * shortest_trip_s, window_s / 10) if before.left_at is not None else now
        counted_at = latest if before.answered_at is None else min(before.answered_at, latest)
        return counted_at - shortest_trip_s + window_s - now

    def _learn_from_refusal(self, probe: Slot) -> None:
        """A request was accepted again: draws the conclusions from the refusal before it."""
        at = probe.sent_at
        if self.per_s is None:
            self._learn_from_first_refusal(at)
        elif self._requested_pause_s >= _LONG_PAUSE_S and (
            self.seen is None or self._requested_pause_s > 1.5 * self.seen.window_s
        ):
            self._bounds = self._by_the_pause()  # a longer window than the assumed one
            self._is_ignored = False
        elif self._bounds is not None:
            if self._unexplained > _MOST_UNEXPLAINED:
                self._use_accepted_rate(at)
            elif not self._is_ignored:
                since = [s for s in self._sent if s.answered_at is not None and s is not probe]
                self._bounds = self._bounds.refused(self._seen_from(since[-self._bounds.count :], at))
        self._since_refusal = self._reviews = 0
        self._reviewed_at = at
        if self._bounds is not None and not self._is_ignored:
            self._try_window(self._bounds, at)

    def _learn_from_first_refusal(self, accepted_at: float) -> None:
        seen = self._densest_run(accepted_at)
        if seen is None:
            return
        if self._first_bounds is None and self._requested_pause_s >= _LONG_PAUSE_S:
            self._first_bounds = seen
        elif self._first_bounds is not None and self._since_refusal < _SHARE_OF_WINDOW * self._first_bounds.count:
            self._bounds = self._first_bounds  # fewer than the first time: that was the whole limit
        elif seen.count > _TOO_FEW or self._is_certain():
            self._bounds = seen

    def _by_the_pause(self) -> Bounds:
        """The window is the next common length above the requested pause; its count, what was accepted in it."""
        window_s = next(
            (length_s for length_s in ROUND_S if length_s >= self._requested_pause_s - 1), self._requested_pause_s
        )
        since = self._refused_last_at - window_s
        count = sum(1 for s in self._sent if s.answered_at is not None and since < s.sent_at <= self._refused_last_at)
        return Bounds(count=max(count, 1), too_short_s=0.97 * window_s, long_enough_s=window_s)

    def _densest_run(self, accepted_at: float) -> Bounds | None:
        """The densest run of accepted requests that ends with the first refusal."""
        earliest = accepted_at - REMEMBERED_S
        slots = [s for s in self._sent if s.answered_at is not None and earliest <= s.sent_at <= self._refused_last_at]
        if not slots:
            return None
        start = max(
            range(len(slots)), key=lambda i: (len(slots) - i) / max(accepted_at - slots[i].sent_at, _SHORTEST_SPAN_S)
        )
        return self._seen_from(slots[start:], accepted_at)

    def _seen_from(self, slots: list[Slot], accepted_at: float) -> Bounds:
        """Bounds from the requests accepted before a refusal and the first one accepted after it."""
        start = slots[0].sent_at
        long_enough_s = max(accepted_at - start, _SHORTEST_SPAN_S)
        too_short_s = max(self._refused_last_at - start, self._wait_at_least_s - start, 0.0)
        return Bounds(count=len(slots), too_short_s=min(too_short_s, 0.97 * long_enough_s), long_enough_s=long_enough_s)

    def _try_window(self, bounds: Bounds, now: float) -> None:
        self.seen = bounds.guess()
        self.per_s = max(MARGIN * self.seen.per_s, self._lowest_per_s())
        self._window_tried_since = now
        self._ceiling_per_s, self._ceiling_is_confirmed = self.seen.per_s, bounds.is_near
        if bounds.is_near:
            self._bounds = None

    def _window_has_passed(self, now: float) -> bool:
        seen = self.seen
        return (
            seen is not None
            and self._since_refusal > seen.count
            and now - self._window_tried_since >= _TRIED * seen.window_s
        )

    def _narrow_window(self, bounds: Bounds) -> None:
        """The window tried is long enough: a common length is kept, otherwise the bounds are narrowed further."""
        seen = self.seen
        assert seen is not None
        if bounds.is_round(seen):
            self._bounds = None
            self._ceiling_is_confirmed = bounds.too_short_s >= _SHARE_OF_WINDOW * seen.window_s
            self._proven_per_s = self.per_s
            return
        self._bounds = bounds.window_passed(seen)
        self._since_refusal = 0
        self._try_window(self._bounds, self._window_tried_since + _TRIED * seen.window_s)

    def _use_accepted_rate(self, now: float) -> None:
        """No window explains the refusals: continue at the rate accepted since the first of them."""
        self._bounds = self.seen = None
        since = self._rate_measured_since
        accepted = sum(1 for s in self._sent if s.answered_at is not None and s.sent_at >= since)
        rate = max(accepted, 1) / max(now - since, _SHORTEST_SPAN_S)
        self._ceiling_per_s, self._ceiling_is_confirmed = rate, False
        self.per_s = max(MARGIN * rate, self._lowest_per_s())

    def _slow_down(self, per_s: float, now: float) -> None:
        pauses = self._pauses_since_refusal(now)
        factor = next(factor for at_least, factor in _SLOWER if pauses >= at_least)
        if self._since_refusal < 4:
            factor = _MUCH_SLOWER
        self._ceiling_per_s, self._ceiling_is_confirmed = per_s, True
        proven, self._proven_per_s = self._proven_per_s, None
        lowest = min(self._lowest_per_s(), per_s)
        self.per_s = max(per_s * factor, lowest if proven is None or proven >= per_s else proven)

    def _is_certain(self) -> bool:
        """Whether the refusals come from a limit: its window was full, it asks for a long pause, it refuses again after
        pauses, or hardly anything is accepted.
        """
        repeated = self._refusals_in_a_row >= 3 or self._quick_refusals >= 4
        return self._is_explained or self._requested_pause_s >= _LONG_PAUSE_S or repeated

    def _lowest_per_s(self) -> float:
        return _LOWEST_PER_S if self._is_certain() else _LOWEST_UNPROVEN_PER_S

    def _review_rate(self, per_s: float, now: float) -> None:
        """Lets the rate grow from time to time."""
        if per_s < _LOWEST_UNPROVEN_PER_S and self._since_refusal >= self._windows_before_doubt * self._window_count():
            # Whole windows without a refusal: another program may have used most of the limit before.
            self._proven_per_s, self.per_s = per_s, _RATE_AFTER_DOUBT * per_s
            self._windows_before_doubt *= 2
            return
        window = 0 if self.seen is None else self.seen.count // _REVIEWS_PER_WINDOW
        is_confirmed = self._ceiling_per_s is not None and self._ceiling_is_confirmed
        if self._since_refusal % max(_REVIEW_EVERY if is_confirmed else 1, window, int(per_s * _REVIEW_EVERY_S)) != 0:
            return
        if not is_confirmed and now - self._reviewed_at < _REVIEW_EVERY_S:
            return
        self._reviews, self._reviewed_at = self._reviews + 1, now
        self.per_s = per_s * self._growth(per_s, now)

    def _window_count(self) -> int:
        return _REVIEW_EVERY if self.seen is None else max(self.seen.count, _REVIEW_EVERY // 2)

    def _growth(self, per_s: float, now: float) -> float:
        if self._ceiling_per_s is None or not self._ceiling_is_confirmed:
            return 1.0 + (_GROW - 1.0) * 2.0 ** min(self._reviews // _GROW_DOUBLES_AFTER, 3)
        pauses = self._pauses_since_refusal(now)
        if pauses < _PAUSES_WITHOUT_GROWTH:
            return 1.0
        if per_s < 0.9 * self._ceiling_per_s:
            return _GROW
        doublings = min(int((now - self.paused_until) / _SLOW_GROWTH_DOUBLES_AFTER_S), 5)
        return min(1.0 + _SLOW_GROWTH * 2.0**doublings, _GROW)

    def _pauses_since_refusal(self, now: float) -> float:
        """Time since the last refusal ended, in pauses of its length."""
        return max(now - self.paused_until, 0.0) / self._pause_s

    def _forget(self, slot: Slot) -> None:
        for place in range(len(self._sent) - 1, -1, -1):
            if self._sent[place] is slot:
                del self._sent[place]
                return

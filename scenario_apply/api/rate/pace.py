"""How fast requests may leave, learned from refusals. Knows no clock; its owner tells it the time.

A limiter says no only when it is asked too often, and rarely says what it counts. Four stretches follow each other:

1. Nothing was refused yet: the first requests leave a little apart and few are in flight, since all that are under way
   when the first refusal comes are refused with it. One that asks for a long pause is only paused for: a killed run or
   another program may have used up part of that window. Up to the count it came at requests then leave as before, after
   that one by one.
2. The first refusal else tells the count, and bounds of the window (allowance.py); windows between them are tried.
3. A window is known: requests leave one by one at a little under its rate, and never more than its count between the
   moments they may have been counted, so that a stutter on the way does not tip it over.
4. The rate creeps up now and then, until the service says no again, and goes down a little after each no.

Steady spacing suits every kind of limiter (sliding, fixed window, bucket). A request refused sooner than the window
explains means that it is no window, or that another program asks too: then the rate is what was let through lately.

Some refusals mean nothing (an overloaded gateway, a burst of another program). A few requests and a short pause are no
evidence for a rate below the documented one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from scenario_apply.api.rate.allowance import ROUND_S, Allowance, Bounds

REMEMBERED = 4096  # accepted requests looked back at
REMEMBERED_S = 120.0
MARGIN = 0.98  # of what is believed to be allowed, so that jitter on the way does not tip it over

FIRST_GAP_S = 0.004  # between the first so many requests:
_FIRST = 100
FEW_IN_FLIGHT = 6  # while nothing is known, and one more for every so many let through:
_ONE_MORE_EACH = 4
_LOOK_AGAIN_S = 0.002  # while the answer to a request in flight decides
_LATE_S, _LATE = 0.02, 0.5  # seconds, and share of a known window: so much lateness is made up for

_STEP = 10  # accepted requests between two looks at the rate, at least, once a wall is known
_STEP_S = 1.0  # and seconds, about
_STEPS_A_WINDOW = 10  # and at most so many looks while the service's window fills: it answers that late
_GROW = 1.01
_GROW_DOUBLES_AFTER = 2  # looks without a refusal, while the wall is not known: it may be far away
_CREEP = 0.0005  # growth a step once the service has said no to a steady pace
_CREEP_DOUBLES_AFTER_S = 50.0  # what was a wall long ago may be none today
_HOLD = 30.0  # pauses: a refusal costs one, so nothing is risked again for thirty times as long
_SLOWER = ((60.0, 0.99), (20.0, 0.98), (2.0, 0.97), (0.0, 0.93))  # quiet for so many pauses, at least: the new share
_MUCH_SLOWER = 0.85  # when hardly a request was let through since the last refusal
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0  # for reckoning in pauses
_LOWEST_PER_S = 0.05
_LOWEST_UNPROVEN_PER_S = 1.5  # a little under the documented 100 a minute
_LONG_PAUSE_S = 5.0  # asked for by a limiter that means it
_ACCIDENTS = 2  # refusals too soon for the window that are paused for and else taken for nothing
_DOUBTED = 1.5
_TOO_FEW = 3  # let through before the first refusal: no plausible limit
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_WHOLE_SECOND_S = 1.0  # what a limiter rounds its Retry-After up by, at most
_SOON = 0.9  # of the count: refused after fewer, the window does not explain it
_SHORTEST_SPAN_S = 1e-3
_TRIED = 1.2  # windows without a refusal make a guess a fact


@dataclass(slots=True, kw_only=True, eq=False)
class Slot:
    """Leave to send one request. Monotonic seconds: when it was given, when the request left, when it was answered."""

    taken_at: float
    left_at: float | None = None
    answered_at: float | None = None


class Pace:
    """Times are seconds of one monotonic clock. Not thread-safe: its owner holds a lock.

    careful: go easy until the first refusal; needless where a bound of the user's keeps the peace.
    """

    def __init__(self, *, careful: bool = True) -> None:
        self.per_s: float | None = None
        """Requests a second; None while nothing has been refused."""
        self.paused_until = 0.0
        self.probing = False
        """After a refusal one request goes ahead of all others."""
        self.seen: Allowance | None = None
        self._careful = careful
        self._sent: deque[Slot] = deque(maxlen=REMEMBERED)  # in flight or let through, in order of leaving
        self._let_through = 0
        self._in_flight = 0
        self._first: Bounds | None = None  # what the first refusal seemed to say, if it asked for a long pause
        self._patience = 1  # quiet windows before a rate below the documented one is doubted
        self._quickest_s: float | None = None  # there and back
        self._accidents = 0  # refusals too soon for the window believed in, since it last went by without one
        self._is_explained = False  # the refusal of this episode came when the window believed in was full
        self._is_accident = False  # the refusal of this episode is one, and not yet one of many
        self._measured_since = 0.0
        self._episode_at = -1.0  # when the service last began to refuse
        self._refused_last_at = -1.0  # when the last refused request left
        self._wait_at_least_s = 0.0  # what the episode's refusals asked for, rounding allowed for, from its beginning
        self._asked_s = 0.0  # the longest pause asked for in this episode
        self._soon_in_a_row = 0  # episodes with hardly a request let through between them
        self._refusals_in_a_row = 0
        self._since_refusal = 0
        self._looks = 0  # at the rate, since the last refusal
        self._looked_at = 0.0
        self._tried_since = 0.0
        self._bounds: Bounds | None = None  # while windows are tried
        self._pause_s = _SHORTEST_PAUSE_S
        self._lasted_per_s: float | None = None  # a rate that went well, to go back to once
        self._wall: float | None = None
        self._wall_is_firm = False

    def wait_s(self, now: float, last_taken_at: float) -> float:
        """Seconds until the next request may leave; 0: at once."""
        if now < self.paused_until:
            return self.paused_until - now
        if self.per_s is None:
            return self._first_wait_s(now, last_taken_at)
        return max(last_taken_at + 1.0 / self.per_s - now, self._window_wait_s(now), 0.0)

    def taken_at(self, now: float, last_taken_at: float) -> float:
        """The moment a request that leaves now is reckoned to have left: somewhat late ones do not lower the rate."""
        if self.per_s is None:
            return now
        late_s = _LATE_S if self.seen is None else max(_LATE_S, _LATE * self.seen.window_s)
        return max(last_taken_at + 1.0 / self.per_s, now - late_s)

    def seconds_for(self, requests: int, now: float) -> float:
        """About how many seconds so many more requests take to leave."""
        pause_s = max(self.paused_until - now, 0.0)
        if self.per_s is not None:
            return pause_s + requests / self.per_s
        impression = self._first_impression()
        if impression is None:
            return pause_s
        at_once = max(impression.count - (0 if self.probing else self._since_refusal), 0)
        if requests <= at_once:
            return pause_s
        return (
            pause_s + impression.window_s + (requests - at_once) / impression.per_s
        )  # then refused again, then one by one

    def _first_impression(self) -> Allowance | None:
        """What a first refusal that is only paused for seems to say, as long as nothing speaks against it."""
        if self._first is not None:
            return self._first.guess() if self._since_refusal <= self._first.count else None
        if not self.probing or self._asked_s < _LONG_PAUSE_S or not self._let_through:
            return None
        return Allowance(count=self._let_through, window_s=self.paused_until - _left(self._sent[0]))

    def taken(self, slot: Slot) -> None:
        self._sent.append(slot)
        self._in_flight += 1

    def lost(self, slot: Slot, now: float, *, left: bool) -> None:
        """No answer came. If it was sent, it may have been counted."""
        self._in_flight -= 1
        if left:
            slot.answered_at = now
        else:
            self._forget(slot)

    def accepted(self, slot: Slot, now: float) -> None:
        """The request was answered with anything but a refusal for its rate."""
        self._in_flight -= 1
        slot.answered_at = now
        self._let_through += 1
        left_at = _left(slot)
        way_s = now - left_at
        self._quickest_s = way_s if self._quickest_s is None else min(self._quickest_s, way_s)
        if self._episode_at >= 0 and slot.taken_at <= self._episode_at:
            return  # on its way before the refusal: says nothing about what came after
        if self.probing:
            self.probing = False
            self._look_back(slot)
            self._refusals_in_a_row = 0
        self._since_refusal += 1
        if self.seen is not None and self._since_refusal >= self.seen.count:
            self._accidents = 0
        if self._bounds is not None and self._is_tried(left_at):
            self._settle_on_less(self._bounds)
        elif self._bounds is None and self.per_s is not None:
            self._look_at_the_rate(self.per_s, left_at)

    def refused(self, slot: Slot, now: float, asked_s: float | None, *, is_rounded: bool = True) -> None:
        """The request was refused for the rate; asked_s: the pause the service asks for."""
        self._in_flight -= 1
        self._forget(slot)
        left_at = _left(slot)
        if self._episode_at < 0 or slot.taken_at > self._episode_at:  # else one of several on their way: the same no
            self._begin_to_refuse(now, asked_s)
        self._refused_last_at = max(self._refused_last_at, left_at)
        if asked_s is not None:
            rounded = _WHOLE_SECOND_S if is_rounded else 0.0
            self._wait_at_least_s = max(self._wait_at_least_s, left_at + asked_s - rounded)
            self._asked_s = max(self._asked_s, asked_s)
            self.paused_until = max(self.paused_until, now + max(asked_s, 0.02))

    def _begin_to_refuse(self, now: float, asked_s: float | None) -> None:
        pause_s = asked_s if asked_s is not None else _PAUSES_S[min(self._refusals_in_a_row, len(_PAUSES_S) - 1)]
        if not self.probing:
            self._wait_at_least_s = self._asked_s = 0.0
            self._soon_in_a_row = self._soon_in_a_row + 1 if self._since_refusal <= 1 else 0
            self._is_explained = self.seen is not None and (
                self._lasted_per_s is not None or self._since_refusal >= _SOON * self.seen.count
            )
            too_soon = self.seen is not None and not self._is_explained
            self._accidents += too_soon
            self._is_accident = too_soon and self._accidents <= _ACCIDENTS
            if self._accidents <= 1:
                self._measured_since = now
            if self.per_s is not None and self._bounds is None and not self._is_accident:
                self._slow_down(self.per_s, now)
        self._episode_at = now
        self._pause_s = min(max(pause_s, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
        self.paused_until = max(self.paused_until, now + max(pause_s, 0.02))
        self._refusals_in_a_row += 1
        self.probing = True

    def _first_wait_s(self, now: float, last_taken_at: float) -> float:
        if self._first is not None:
            at_once = FEW_IN_FLIGHT if self._since_refusal + self._in_flight < self._first.count else 1
        elif self._careful:
            at_once = FEW_IN_FLIGHT + self._let_through // _ONE_MORE_EACH
        else:
            return 0.0
        if self._in_flight >= at_once:
            return _LOOK_AGAIN_S
        return max(last_taken_at + FIRST_GAP_S - now, 0.0) if self._let_through < _FIRST else 0.0

    def _window_wait_s(self, now: float) -> float:
        """Until the request a whole count ago has left the service's window, wherever on its way it was counted."""
        if self.seen is None or self.per_s is None or len(self._sent) < self.seen.count:
            return 0.0
        before = self._sent[-self.seen.count]
        window_s = self.seen.count * MARGIN / self.per_s
        quickest_s = self._quickest_s or 0.0
        latest = _left(before) + max(2 * quickest_s, window_s / 10) if before.left_at is not None else now
        counted_at = latest if before.answered_at is None else min(before.answered_at, latest)
        return counted_at - quickest_s + window_s - now

    def _look_back(self, probe: Slot) -> None:
        """A request was let through again: what does the refusal before it say?"""
        at = _left(probe)
        if self.per_s is None:
            self._look_back_at_the_first(at)
        elif self._asked_s >= _LONG_PAUSE_S and (self.seen is None or self._asked_s > 1.5 * self.seen.window_s):
            self._bounds = self._by_the_pause()  # a longer window than the one believed in
            self._is_accident = False
        elif self._bounds is not None:
            if self._accidents > _ACCIDENTS:
                self._take_what_came_through(at)
            elif not self._is_accident:
                since = [s for s in self._sent if s.answered_at is not None and s is not probe]
                self._bounds = self._bounds.refused(self._seen_from(since[-self._bounds.count :], at))
        self._since_refusal = self._looks = 0
        self._looked_at = at
        if self._bounds is not None and not self._is_accident:
            self._try(self._bounds, at)

    def _look_back_at_the_first(self, let_through_at: float) -> None:
        seen = self._densest(let_through_at)
        if seen is None:
            return
        if self._first is None and self._asked_s >= _LONG_PAUSE_S:
            self._first = seen
        elif self._first is not None and self._since_refusal < _SOON * self._first.count:
            self._bounds = self._first  # not even as much as the first time: that was all there is
        elif seen.count > _TOO_FEW or self._is_sure():
            self._bounds = seen

    def _by_the_pause(self) -> Bounds:
        """The window is the next round one longer than the pause asked for; its count, what was let through in it."""
        window_s = next((length_s for length_s in ROUND_S if length_s >= self._asked_s - 1), self._asked_s)
        since = self._refused_last_at - window_s
        count = sum(1 for s in self._sent if s.answered_at is not None and since < _left(s) <= self._refused_last_at)
        return Bounds(count=max(count, 1), too_short_s=0.97 * window_s, long_enough_s=window_s)

    def _densest(self, let_through_at: float) -> Bounds | None:
        """The densest run of accepted requests that ends with the first refusal."""
        earliest = let_through_at - REMEMBERED_S
        slots = [s for s in self._sent if s.answered_at is not None and earliest <= _left(s) <= self._refused_last_at]
        if not slots:
            return None
        start = max(
            range(len(slots)), key=lambda i: (len(slots) - i) / max(let_through_at - _left(slots[i]), _SHORTEST_SPAN_S)
        )
        return self._seen_from(slots[start:], let_through_at)

    def _seen_from(self, slots: list[Slot], let_through_at: float) -> Bounds:
        """Bounds by the times of those let through before a refusal and the first let through after it."""
        start = _left(slots[0])
        long_enough_s = max(let_through_at - start, _SHORTEST_SPAN_S)
        too_short_s = max(self._refused_last_at - start, self._wait_at_least_s - start, 0.0)
        return Bounds(count=len(slots), too_short_s=min(too_short_s, 0.97 * long_enough_s), long_enough_s=long_enough_s)

    def _try(self, bounds: Bounds, now: float) -> None:
        self.seen = bounds.guess()
        self.per_s = max(MARGIN * self.seen.per_s, self._lowest_per_s())
        self._tried_since = now
        self._wall, self._wall_is_firm = self.seen.per_s, bounds.is_near
        if bounds.is_near:
            self._bounds = None

    def _is_tried(self, now: float) -> bool:
        seen = self.seen
        return (
            seen is not None and self._since_refusal > seen.count and now - self._tried_since >= _TRIED * seen.window_s
        )

    def _settle_on_less(self, bounds: Bounds) -> None:
        """The window tried is long enough: stay with a round one, go on between the bounds with another."""
        seen = self.seen
        assert seen is not None
        if bounds.is_round(seen):
            self._bounds = None
            self._wall_is_firm = bounds.too_short_s >= _SOON * seen.window_s
            self._lasted_per_s = self.per_s
            return
        self._bounds = bounds.let_through(seen)
        self._since_refusal = 0
        self._try(self._bounds, self._tried_since + _TRIED * seen.window_s)

    def _take_what_came_through(self, now: float) -> None:
        """No window explains it: go on at the rate that was let through since the service first said no."""
        self._bounds = self.seen = None
        since = self._measured_since
        came_through = sum(1 for s in self._sent if s.answered_at is not None and _left(s) >= since)
        rate = max(came_through, 1) / max(now - since, _SHORTEST_SPAN_S)
        self._wall, self._wall_is_firm = rate, False
        self.per_s = max(MARGIN * rate, self._lowest_per_s())

    def _slow_down(self, per_s: float, now: float) -> None:
        quiet = self._quiet(now)
        factor = next(factor for at_least, factor in _SLOWER if quiet >= at_least)
        if self._since_refusal < 4:
            factor = _MUCH_SLOWER
        self._wall, self._wall_is_firm = per_s, True
        lasted, self._lasted_per_s = self._lasted_per_s, None
        lowest = min(self._lowest_per_s(), per_s)
        self.per_s = max(per_s * factor, lowest if lasted is None or lasted >= per_s else lasted)

    def _is_sure(self) -> bool:
        """A limit and no accident: it came when its window was full, asks for a long pause, refuses again after pauses,
        or lets nothing by.
        """
        return (
            self._is_explained
            or self._asked_s >= _LONG_PAUSE_S
            or self._refusals_in_a_row >= 3
            or self._soon_in_a_row >= 4
        )

    def _lowest_per_s(self) -> float:
        return _LOWEST_PER_S if self._is_sure() else _LOWEST_UNPROVEN_PER_S

    def _look_at_the_rate(self, per_s: float, now: float) -> None:
        """Now and then, let it grow."""
        if per_s < _LOWEST_UNPROVEN_PER_S and self._since_refusal >= self._patience * self._window_count():
            # Whole windows went by: was what we know of the limit what another program had left over?
            self._lasted_per_s, self.per_s = per_s, _DOUBTED * per_s
            self._patience *= 2
            return
        window = 0 if self.seen is None else self.seen.count // _STEPS_A_WINDOW
        is_firm = self._wall is not None and self._wall_is_firm
        if self._since_refusal % max(_STEP if is_firm else 1, window, int(per_s * _STEP_S)) != 0:
            return
        if not is_firm and now - self._looked_at < _STEP_S:
            return
        self._looks, self._looked_at = self._looks + 1, now
        self.per_s = per_s * self._growth(per_s, now)

    def _window_count(self) -> int:
        return _STEP if self.seen is None else max(self.seen.count, _STEP // 2)

    def _growth(self, per_s: float, now: float) -> float:
        if self._wall is None or not self._wall_is_firm:
            return 1.0 + (_GROW - 1.0) * 2.0 ** min(self._looks // _GROW_DOUBLES_AFTER, 3)
        quiet = self._quiet(now)
        if quiet < _HOLD:
            return 1.0
        if per_s < 0.9 * self._wall:
            return _GROW
        doublings = min(int((now - self.paused_until) / _CREEP_DOUBLES_AFTER_S), 5)
        return min(1.0 + _CREEP * 2.0**doublings, _GROW)

    def _quiet(self, now: float) -> float:
        """How long nothing has been refused, in pauses of the last refusal's length."""
        return max(now - self.paused_until, 0.0) / self._pause_s

    def _forget(self, slot: Slot) -> None:
        for place in range(len(self._sent) - 1, -1, -1):
            if self._sent[place] is slot:
                del self._sent[place]
                return


def _left(slot: Slot) -> float:
    return slot.taken_at if slot.left_at is None else slot.left_at

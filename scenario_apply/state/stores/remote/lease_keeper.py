"""Takes the lease of a state, renews it during a run, and says whether the run may still pay and write.

How long a lease is valid is counted from before the request that took or renewed it, by a clock that also counts the
time in which the machine was suspended. Whose a lease is only the store decides.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from scenario_apply.errors import StateLocked
from scenario_apply.model.ports import Clock
from scenario_apply.state.stores.lock import LOCK_HINT, Holder
from scenario_apply.state.stores.remote.backend import Lease, LeaseLost, StateBackend, StoreUnavailable

MARGIN_S = 5.0
"""A lease that ends within so many seconds is renewed before anything is paid or written."""

RETRY_S = 2.0
"""Between two attempts to renew a lease in a store that does not answer."""

LOOKS_MISSED = 3
"""A lock that ends with its connection is looked at again when so many looks are overdue."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0

Elapsed = Callable[[], float]


def elapsed_s() -> float:
    """Seconds that only grow, those of a suspended machine included, where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseKeeper:
    """The lease of one run, between start() and end(). check() is for any thread."""

    def __init__(self, backend: StateBackend, lease: Lease, taken_at: float, elapsed: Elapsed = elapsed_s) -> None:
        """taken_at: when the request that took the lease began, by elapsed."""
        self._backend = backend
        self._lease = lease
        self._elapsed = elapsed
        self._renewed_at = taken_at
        self._renewals = 0
        self._lost: LeaseLost | None = None
        self._renewing = threading.Lock()
        self._ended = threading.Event()
        self._heartbeat = threading.Thread(target=self._beat, name="lease", daemon=True)

    def start(self) -> None:
        self._heartbeat.start()

    def end(self, *, is_quiet: bool) -> None:
        """Give the lease up, if it is still ours. is_quiet: an error is being reported already.

        Raises StoreUnavailable for a lock that no time ends; a lease ends by itself.
        """
        self._ended.set()
        with self._renewing:
            if self._lost is not None:
                return
            try:
                self._backend.release(self._lease)
            except StoreUnavailable:
                if not is_quiet and self._lease.valid_s is None:
                    raise

    def leave(self) -> None:
        """Stop renewing; the lease stays until it expires."""
        self._ended.set()
        with self._renewing:  # no renewal is on its way any more
            pass

    def check(self) -> None:
        """Raises LeaseLost when the lease is not ours any more, StoreUnavailable when the store does not say so."""
        if self._lost is None and self._left_s() > MARGIN_S:
            return
        self.renew()

    def renew(self) -> None:
        """Renew the lease, unless another thread has just done it. Raises LeaseLost, StoreUnavailable."""
        seen = self._renewals
        with self._renewing:
            if self._lost is not None:
                raise LeaseLost(self._lost.message, hint=self._lost.problems[0].hint) from self._lost
            if self._renewals != seen:
                return
            begun_at = self._elapsed()
            try:
                self._lease = self._backend.renew(self._lease)
            except LeaseLost as lost:
                self._lost = lost
                raise
            self._renewed_at = begun_at
            self._renewals += 1

    def _left_s(self) -> float:
        valid_s = self._lease.valid_s
        if valid_s is None:
            valid_s = MARGIN_S + LOOKS_MISSED * self._backend.renew_every_s
        return self._renewed_at + valid_s - self._elapsed()

    def _beat(self) -> None:
        pause_s = self._backend.renew_every_s
        while not self._ended.wait(pause_s):
            try:
                self.renew()
                pause_s = self._backend.renew_every_s
            except StoreUnavailable:
                pause_s = RETRY_S  # check() refuses once the lease is over
            except LeaseLost:
                return


def take_lease(
    backend: StateBackend,
    holder: Holder,
    clock: Clock,
    timeout_s: float,
    elapsed: Elapsed = elapsed_s,
    dice: Callable[[float, float], float] = random.uniform,
) -> tuple[LeaseKeeper, list[str]]:
    """The lease, and notes for the user. Raises StateLocked when another run still holds it after timeout_s seconds.

    The pauses between attempts grow and are drawn, so that runs which wait together do not ask together.
    """
    deadline = clock.monotonic() + timeout_s
    pause_s = FIRST_PAUSE_S
    while True:
        taken_at = elapsed()
        try:
            lease = backend.acquire(holder)
            break
        except StateLocked as locked:
            left_s = deadline - clock.monotonic()
            if left_s <= 0:
                raise _with_hint(locked) from locked
        clock.wait(min(left_s, dice(pause_s / 2, pause_s)))
        pause_s = min(LONGEST_PAUSE_S, pause_s * 1.5)
    notes = []
    if lease.taken_from is not None:
        what = "lock" if lease.valid_s is None else "lease"
        why = "ended with its connection" if lease.valid_s is None else "was not renewed in time"
        notes.append(f"took over the {what} of {lease.taken_from}, which {why}")
    return LeaseKeeper(backend, lease, taken_at, elapsed), notes


def _with_hint(locked: StateLocked) -> StateLocked:
    if locked.problems[0].hint is not None:
        return locked
    return StateLocked(locked.message, hint=LOCK_HINT)

"""A remote store in memory, as several machines see it: with a clock of its own, and answers that are lost."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from scenario_apply.errors import StateLocked
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.backend import Lease, LeaseLost, StaleWrite, StoredState, StoreUnavailable
from tests.fakes.clock import FakeClock

Answer = TypeVar("Answer")

LEASE_S = 60.0
BACKUPS_KEPT = 10

Strike = Callable[[str, str], None]
"""What happens at a request: its name, and "before" or "after" it was carried out. It may raise."""


@dataclass
class MemoryBucket:
    """What the store holds. requests: counted by name."""

    clock: FakeClock = field(default_factory=FakeClock)
    state: StoredState | None = None
    calls: dict[str, bytes] = field(default_factory=dict)
    backups: dict[int, bytes] = field(default_factory=dict)
    lease: tuple[str, Holder, float] | None = None  # token, holder, until
    requests: Counter[str] = field(default_factory=Counter)
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def is_leased(self) -> bool:
        return self.lease is not None and self.clock.now() < self.lease[2]


class MemoryBackend:
    """One machine's way to the bucket. strike: see Strike; is_cut: the store cannot be reached from here."""

    written_serial = 0
    renew_every_s = 20.0

    def __init__(self, bucket: MemoryBucket, strike: Strike | None = None) -> None:
        self.bucket = bucket
        self.shown = "memory://bucket/team/kael.json"
        self.strike = strike
        self.is_cut = False

    def read(self) -> StoredState | None:
        return self._asked("read", lambda: self.bucket.state)

    def write(self, content: bytes, *, replacing: str | None) -> str:
        def write() -> str:
            held = self.bucket.state
            if (None if held is None else held.version) != replacing:
                raise StaleWrite(f"{self.shown} was written by another run", hint="nothing was overwritten")
            self.bucket.state = StoredState(content, f"v{next(self.bucket.versions)}")
            return self.bucket.state.version

        return self._asked("write", write)

    def keep_backup(self, serial: int, content: bytes) -> None:
        def keep() -> None:
            self.bucket.backups.pop(serial, None)
            self.bucket.backups[serial] = content
            for old in list(self.bucket.backups)[:-BACKUPS_KEPT]:
                del self.bucket.backups[old]

        self._asked("keep_backup", keep)

    def backups(self) -> Iterator[tuple[str, bytes]]:
        found = self._asked("backups", lambda: [*reversed(self.bucket.backups.items())])
        return ((f"backups/kael.{serial}.json", content) for serial, content in found)

    def put_call(self, name: str, content: bytes, *, is_new: bool) -> None:
        def put() -> None:
            if is_new and self.bucket.calls.get(name, content) != content:
                raise StaleWrite(f"{name} exists")
            self.bucket.calls[name] = content

        self._asked("put_call", put)

    def delete_calls(self, names: Collection[str]) -> None:
        self._asked("delete_calls", lambda: [self.bucket.calls.pop(name, None) for name in names])

    def calls(self) -> list[tuple[str, bytes]]:
        return self._asked("calls", lambda: sorted(self.bucket.calls.items()))

    def acquire(self, holder: Holder) -> Lease:
        def acquire() -> Lease:
            held = self.bucket.lease
            if self.bucket.is_leased and held is not None:
                raise StateLocked(f"the state is locked by {held[1]}")
            token = f"t{next(self.bucket.versions)}"
            self.bucket.lease = (token, holder, self.bucket.clock.now() + LEASE_S)
            return Lease(token=token, valid_s=LEASE_S, taken_from=None if held is None else held[1])

        return self._asked("acquire", acquire)

    def renew(self, lease: Lease) -> Lease:
        def renew() -> Lease:
            held = self.bucket.lease
            if held is None or held[0] != lease.token:
                raise LeaseLost(f"the lease of {self.shown} was taken by another run")
            self.bucket.lease = (held[0], held[1], self.bucket.clock.now() + LEASE_S)
            return Lease(token=held[0], valid_s=LEASE_S)

        return self._asked("renew", renew)

    def release(self, lease: Lease) -> None:
        def release() -> None:
            if self.bucket.lease is not None and self.bucket.lease[0] == lease.token:
                self.bucket.lease = None

        self._asked("release", release)

    def break_lock(self) -> Holder | None:
        def break_it() -> Holder | None:
            held, self.bucket.lease = self.bucket.lease, None
            return None if held is None else held[1]

        return self._asked("break_lock", break_it)

    def holder(self) -> Holder | None:
        def holder() -> Holder | None:
            held = self.bucket.lease
            return held[1] if held is not None and self.bucket.is_leased else None

        return self._asked("holder", holder)

    def close(self) -> None:
        pass

    def _asked(self, name: str, request: Callable[[], Answer]) -> Answer:
        if self.is_cut:
            raise StoreUnavailable(f"{self.shown} cannot be reached")
        if self.strike is not None:
            self.strike(name, "before")
        with self.bucket.lock:
            self.bucket.requests[name] += 1
            answer = request()
        if self.strike is not None:
            self.strike(name, "after")
        return answer

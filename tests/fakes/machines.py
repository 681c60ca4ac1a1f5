"""Several machines that apply one manifest, whose state is in a store: each has a folder and a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from scenario_apply.model.ports import Clock, WakeUp
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.remote.remote_store import RemoteStore
from tests.fakes.bench import Bench
from tests.fakes.clock import FakeClock
from tests.fakes.memory_backend import LEASE_S, MemoryBackend, MemoryBucket
from tests.fakes.wire import Killed


@dataclass(frozen=True)
class SkewedClock:
    """A clock that is wrong by so many seconds, and runs as the other does."""

    base: Clock
    skew_s: float

    def now(self) -> float:
        return self.base.now() + self.skew_s

    def monotonic(self) -> float:
        return self.base.monotonic()

    def wait(self, seconds: float, wake: WakeUp | None = None) -> bool:
        return self.base.wait(seconds, wake)


@dataclass
class Machine(Bench):
    """A Bench whose state is in the bucket. skew_s: by how much its clock is wrong."""

    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    name: str = "a"
    skew_s: float = 0.0
    backend: MemoryBackend = field(init=False)
    elapsed: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.backend = MemoryBackend(self.bucket)

    @property
    def machine_clock(self) -> Clock:
        return SkewedClock(self.clock, self.skew_s)

    @property
    def journal_path(self) -> Path:
        return Path(self.remote_store().journal_path)

    def store(self) -> RemoteStore:
        return self.remote_store()

    def remote_store(self) -> RemoteStore:
        """As a new process would open it. The time of leases is not that of trainings."""
        home = self.root / self.name
        home.mkdir(exist_ok=True)
        return RemoteStore(
            self.backend,
            endpoint="fake",
            project=None,
            tool_version="test",
            clock=self.machine_clock,
            journal_folder=own_folder(str(home), within=str(home)).within(".scenario"),
            elapsed=self.elapsed.monotonic,
        )

    def another(self, name: str, skew_s: float = 0.0) -> Machine:
        """Another machine with the same manifest and state."""
        other = Machine(self.root, self.clock, bucket=self.bucket, name=name, skew_s=skew_s)
        other.manifest, other.datasets = self.manifest, self.datasets
        return other

    def die(self) -> None:
        """From now on nothing of it reaches the store; its lease expires."""

        def dead(name: str, when: str) -> None:
            raise Killed

        self.backend.strike = dead
        self.bucket.clock.advance(LEASE_S)

    @property
    def is_clean(self) -> bool:
        """Whether no run left anything in the store or here."""
        state = self.bucket.state
        noted = state is not None and b'"journal"' in state.content
        return not (noted or self.bucket.calls or self.bucket.lease or self.journal_path.exists())


def of(bench: Bench, name: str = "a", skew_s: float = 0.0) -> Machine:
    """A machine for what a bench declares."""
    machine = Machine(bench.root, bench.clock, name=name, skew_s=skew_s)
    machine.manifest, machine.datasets = bench.manifest, bench.datasets
    return machine

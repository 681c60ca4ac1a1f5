"""RemoteStore, the lease and the journal of a run, on a store in memory whose answers may be lost."""

from __future__ import annotations

from scenario_apply.state.stores.remote.backend import StateBackend
from tests.fakes.memory_backend import LEASE_S, MemoryBackend, MemoryBucket
from tests.state.stores.remote.contract_suite import StoreContract


class TestInMemory(StoreContract):
    """The contract on the fake that other tests use."""

    def setup_method(self) -> None:
        self.bucket = MemoryBucket()

    def make_backend(self) -> StateBackend:
        return MemoryBackend(self.bucket)

    def age_lease(self, backend: StateBackend) -> None:
        self.bucket.clock.advance(LEASE_S)

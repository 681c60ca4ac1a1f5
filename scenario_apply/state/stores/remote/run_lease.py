"""Keeps two runs of a fleet apart in an object store: one lease for a whole run, whose tasks are different processes.

Each task leaves the lease in place for the next one of its run. It is free again once it is given up, or 60 seconds
after its last renewal by the store's clock. That the process it names is not here says nothing: containers share names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from scenario_apply.model.ports import Clock
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.backend import StateBackend
from scenario_apply.state.stores.remote.lease_keeper import take_lease


class RunLease(Struct, frozen=True, kw_only=True):
    """holder: the same for all tasks of a run, and of no other run."""

    backend: StateBackend
    holder: Holder
    clock: Clock

    @contextmanager
    def held(self, timeout_s: float = 0) -> Iterator[None]:
        """Take or renew it, and renew it for as long as the task runs. It stays, unless the task fails.

        Raises StateLocked, which names the other run, after timeout_s seconds; StoreUnavailable.
        """
        found = self.backend.holder()
        if found == self.holder:
            self.backend.break_lock()
        keeper, _ = take_lease(self.backend, self.holder, self.clock, timeout_s)
        keeper.start()
        try:
            yield
        except BaseException:
            keeper.end(is_quiet=True)
            raise
        else:
            keeper.leave()

    def give_up(self) -> None:
        """Remove it, if it is this run's. Raises StoreUnavailable."""
        if self.backend.holder() == self.holder:
            self.backend.break_lock()

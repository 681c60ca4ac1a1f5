"""run_lease.py: a lease that outlives the tasks of a run, and keeps other runs out between them."""

from __future__ import annotations

import os
import socket

import pytest

from scenario_apply.errors import StateLocked
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.run_lease import RunLease
from tests.fakes.memory_backend import MemoryBackend, MemoryBucket


def lease(bucket: MemoryBucket, run: str, *, pid: int = os.getpid(), host: str = "runner") -> RunLease:
    """As one task of that run has it."""
    holder = Holder(who="jane", host=host, pid=pid, since="2026-01-01T00:00:00Z", command=f"fleet apply (run {run})")
    return RunLease(backend=MemoryBackend(bucket), holder=holder, clock=bucket.clock)


def test_another_run_is_refused_between_two_tasks_and_the_next_task_of_the_run_is_not() -> None:
    bucket = MemoryBucket()
    with lease(bucket, "a").held():
        pass
    with pytest.raises(StateLocked, match="run a"), lease(bucket, "b").held():
        pass
    lease(bucket, "b").give_up()
    with lease(bucket, "a").held():
        assert bucket.is_leased
    assert bucket.is_leased
    lease(bucket, "a").give_up()
    with lease(bucket, "b").held():
        pass


def test_it_ends_by_the_stores_clock_when_no_task_renews_it() -> None:
    bucket = MemoryBucket()
    with lease(bucket, "a").held():
        pass
    bucket.clock.wait(61)
    with lease(bucket, "b").held():
        pass
    with pytest.raises(StateLocked, match="run b"), lease(bucket, "a").held():
        pass


def test_a_task_that_fails_leaves_none() -> None:
    bucket = MemoryBucket()
    with pytest.raises(ValueError, match="no"), lease(bucket, "a").held():
        raise ValueError("no")
    assert not bucket.is_leased


def test_a_process_that_is_not_here_may_run_on_another_machine_of_the_same_name() -> None:
    """As containers do: its lease ends by time alone."""
    bucket = MemoryBucket()
    with lease(bucket, "a", pid=2**22 + 1, host=socket.gethostname()).held():  # above the largest process id
        pass
    with pytest.raises(StateLocked, match="run a"), lease(bucket, "b").held():
        pass

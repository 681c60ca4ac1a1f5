"""project_lease.py: two runs of a fleet on one project are kept apart, by an end and by the process that holds it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from scenario_apply.errors import StateLocked
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.project_lease import ProjectLease
from tests.fakes.clock import FakeClock


def lease(folder: Path, run: str, clock: FakeClock, *, host: str = "elsewhere", pid: int = 1) -> ProjectLease:
    holder = Holder(who=f"user of {run}", host=host, pid=pid, since="2026-01-01T00:00:00Z", command="fleet apply")
    return ProjectLease(
        folder=own_folder(str(folder)), name="fleet-1.lock", run=run, holder=holder, clock=clock, holds_s=60.0
    )


def test_another_run_is_refused_by_name_until_the_end(tmp_path: Path) -> None:
    """The same run renews it; after its end, by the clock, it is free."""
    clock = FakeClock()
    first, second = lease(tmp_path, "one", clock), lease(tmp_path, "two", clock)
    first.take()
    clock.advance(50)
    first.take()
    clock.advance(50)
    with pytest.raises(StateLocked, match="user of one on elsewhere"):
        second.take()
    clock.advance(11)
    second.take()
    with pytest.raises(StateLocked, match="user of two"):
        first.take()


def test_it_is_waited_for(tmp_path: Path) -> None:
    clock = FakeClock()
    lease(tmp_path, "one", clock).take()
    lease(tmp_path, "two", clock).take(timeout_s=61)


def test_what_is_given_up_is_free_and_only_ones_own_can_be(tmp_path: Path) -> None:
    clock = FakeClock()
    first, second = lease(tmp_path, "one", clock), lease(tmp_path, "two", clock)
    first.take()
    second.give_up()
    with pytest.raises(StateLocked):
        second.take()
    first.give_up()
    second.take()


def test_a_coordinator_of_this_machine_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    """It was killed, and is run again at once; one that lives is respected."""
    clock, here = FakeClock(), socket.gethostname()
    lease(tmp_path, "gone", clock, host=here, pid=2**22 + 1).take()
    lease(tmp_path, "alive", clock, host=here, pid=os.getpid()).take()
    with pytest.raises(StateLocked):
        lease(tmp_path, "other", clock).take()


def test_a_damaged_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "fleet-1.lock").write_text("{")
    lease(tmp_path, "one", FakeClock()).take()

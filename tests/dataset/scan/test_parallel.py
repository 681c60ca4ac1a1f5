"""dataset.scan.parallel: results keep their order, errors surface, and a worker that dies loses nothing."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from multiprocessing import active_children

import pytest

from scenario_apply.dataset.scan import parallel
from scenario_apply.dataset.scan.parallel import in_processes, on_threads

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # forking a test process that has threads
]


def test_results_keep_their_order_and_neither_work_nor_items_are_pickled() -> None:
    items: list[Callable[[], int]] = [lambda at=at: at * at for at in range(50)]  # type: ignore[misc]  # of int
    pids = set(in_processes(lambda item: os.getpid(), items, workers=2))
    assert os.getpid() not in pids
    assert in_processes(lambda item: item(), items, workers=3) == [at * at for at in range(50)]
    assert not active_children()


def test_an_error_of_the_work_surfaces_and_no_worker_is_left() -> None:
    def work(item: int) -> int:
        if item == 7:
            raise LookupError("seven")
        return item

    with pytest.raises(LookupError, match="seven"):
        in_processes(work, range(50), workers=2)
    assert not active_children()


def test_a_worker_that_dies_costs_time_only() -> None:
    parent = os.getpid()

    def work(item: int) -> int:
        if item == 20 and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert in_processes(work, range(50), workers=2) == list(range(50))


def test_this_process_does_something_else_meanwhile() -> None:
    """Once, while the workers wait for it; what it raises surfaces, and no worker is left."""
    reading, writing = os.pipe()
    parent = os.getpid()

    def work(item: int) -> bool:
        assert os.getpid() != parent
        return item > 0 or bool(select.select([reading], [], [], 10)[0])

    def say() -> None:
        os.write(writing, b"x")

    assert in_processes(work, range(4), workers=2, meanwhile=say, most_at_once=1) == [True] * 4
    os.close(reading)
    os.close(writing)
    with pytest.raises(LookupError, match="meanwhile"):
        in_processes(lambda item: item, range(50), workers=2, meanwhile=_failing)
    assert not active_children()


def _failing() -> None:
    raise LookupError("meanwhile")


def test_workers_take_no_more_at_once_than_they_are_said_to() -> None:
    assert in_processes(lambda item: item, range(50), workers=2, most_at_once=3) == list(range(50))
    assert in_processes(lambda item: item, range(5), workers=2, most_at_once=300) == list(range(5))


@pytest.mark.parametrize("lacking", ["temporary folder", "process"])
def test_where_no_worker_can_be_started_this_process_does_all(monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(lacking)

    if lacking == "process":
        forked = os.fork
        left = [forked]
        monkeypatch.setattr(os, "fork", lambda: left.pop()() if left else refuse())
    else:
        monkeypatch.setattr(parallel, "turns_between_processes", refuse)
    assert in_processes(lambda item: os.getpid(), range(5), workers=2) == [os.getpid()] * 5
    assert not active_children()


def test_threads_are_as_many_as_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core needs none; an error surfaces from both."""
    monkeypatch.setattr(parallel, "usable_cores", lambda: 1)
    assert set(on_threads(lambda item: threading.get_ident(), range(8))) == {threading.get_ident()}
    monkeypatch.setattr(parallel, "usable_cores", lambda: 3)
    latch = threading.Barrier(3)
    assert len(set(on_threads(lambda item: (latch.wait(10), threading.get_ident())[1], range(3)))) == 3
    with pytest.raises(ZeroDivisionError):
        on_threads(lambda item: 1 // item, range(3))

"""dataset.scan.parallel: results keep their order, errors surface, and a worker that dies loses nothing."""

from __future__ import annotations

import os
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


def test_threads_are_as_many_as_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core needs none; an error surfaces from both."""
    monkeypatch.setattr(parallel, "usable_cores", lambda: 1)
    assert set(on_threads(lambda item: threading.get_ident(), range(8))) == {threading.get_ident()}
    monkeypatch.setattr(parallel, "usable_cores", lambda: 3)
    latch = threading.Barrier(3)
    assert len(set(on_threads(lambda item: (latch.wait(10), threading.get_ident())[1], range(3)))) == 3
    with pytest.raises(ZeroDivisionError):
        on_threads(lambda item: 1 // item, range(3))

"""Does the same work on many items on all cores: in processes, or on threads for a few large pictures.

Threads alone do not help with small pictures: reading and hashing 100 KB takes about 70 µs without the interpreter
lock, and the Python code around it as long with it. Measured on 200 datasets of 20 such pictures and two cores: one
thread 0.59 s, three threads 0.80 to 0.95 s, two processes 0.33 s.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from scenario_apply.dataset.scan.decoding import turns_between_processes

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_MOST_WORKERS = 16
_WAIT_S = 0.1
_TASKS_PER_WORKER = 8  # so that a worker with small datasets takes over some of the others

Item = TypeVar("Item")
Made = TypeVar("Made")

_inherited: tuple[Callable[[Any], Any], Sequence[Any]] | None = None  # what forked workers work on


class TaskRunner(Protocol):
    """A way to do the same work on many items: in_this_thread, on_threads."""

    def __call__(self, work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]: ...


def usable_cores() -> int:
    """The processor cores that this process may use, at most _MOST_WORKERS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_WORKERS)


def can_fork() -> bool:
    """Only a process with one thread may fork: a lock held by another thread would stay locked in the child."""
    return hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1


def in_this_thread(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """[work(item) for item in items]."""
    return [work(item) for item in items]


def on_threads(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """[work(item) for item in items], for work that mostly runs without the interpreter lock."""
    if len(items) < 2 or usable_cores() < 2:
        return in_this_thread(work, items)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="dataset") as pool:
        return list(pool.map(work, items))


def in_processes(
    work: Callable[[Item], Made],
    items: Sequence[Item],
    *,
    workers: int,
    waiting: Callable[[], None] = lambda: None,
    meanwhile: Callable[[], None] = lambda: None,
    most_at_once: int | None = None,
) -> list[Made]:
    """[work(item) for item in items] in forked processes. Only results are pickled; work and items are inherited.

    waiting: called in this process now and then until all results are there. meanwhile: called once in this process,
    while the others work, if they can be started. most_at_once: items that a worker takes. If a worker dies or none
    can be started, the rest is done in this process. Raises what work raises.
    """
    global _inherited
    from concurrent.futures import ProcessPoolExecutor, wait
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_context

    made: list[Made] = []
    size = min(-(-len(items) // (workers * _TASKS_PER_WORKER)), most_at_once or len(items))
    tasks = [range(at, min(at + size, len(items))) for at in range(0, len(items), size)]
    _inherited = work, items
    try:
        with ExitStack() as opened:
            try:
                try:
                    opened.enter_context(turns_between_processes())
                    pool = ProcessPoolExecutor(workers, mp_context=get_context("fork"), initializer=_ignore_interrupts)
                    opened.enter_context(pool)
                    futures = [pool.submit(_work_on, task) for task in tasks]
                except (OSError, NotImplementedError):  # no temporary folder, no semaphores, or no process more
                    _kill(active_children())
                    return in_this_thread(work, items)
                meanwhile()
                for future in futures:
                    while not wait([future], timeout=_WAIT_S).done:
                        waiting()
                    made += future.result()
                waiting()
            except BrokenProcessPool:
                pass  # a worker died: the rest is done below
            except BaseException:
                _kill(active_children())
                raise
    finally:
        _inherited = None
    return made + in_this_thread(work, items[len(made) :])


def _kill(children: Sequence[BaseProcess]) -> None:
    for child in children:
        child.kill()
    for child in children:
        child.join()


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the terminal; the parent ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work_on(task: range) -> list[Any]:
    assert _inherited is not None
    work, items = _inherited
    return [work(items[at]) for at in task]

"""A process pool in which a worker that dies takes only its own task with it.

concurrent.futures ends every process of a pool when one of them dies, and fails all of its tasks.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any, TypeVar

from scenario_apply.fleet.sent_calls import carried_out, packed, unpacked

Made = TypeVar("Made")

_CONTEXT = get_context("spawn") if sys.platform == "darwin" else get_context("forkserver")
_PRELOADED = "scenario_apply.fleet.process_pool"
_TO_END_S = 2.0


class ProcessPool(Executor):
    """At most so many processes, started when there is work for them; a dead one is replaced.

    Functions, arguments and results are pickled. The task of a process that dies raises BrokenExecutor. Ctrl-C in a
    terminal reaches all of its processes: workers ignore it, and stop() ends them. They end with their parent, too.
    preload: a module that they import; the server that they are forked from has it already.
    """

    def __init__(self, workers: int, preload: str | None = None) -> None:
        self._preload = [_PRELOADED] if preload is None else [_PRELOADED, preload]
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="engine")
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._stopped = False

    def submit(self, fn: Callable[..., Made], /, *args: Any, **kwargs: Any) -> Future[Made]:
        """The future of fn(*args, **kwargs) in one of the processes."""
        return self._threads.submit(self._call, packed(fn, args, kwargs))

    def _call(self, task: bytes) -> Any:
        with self._lock:
            if self._stopped:
                raise BrokenExecutor("the workers were stopped")
            worker = self._idle.pop() if self._idle else _Worker(self._preload)
            self._busy.add(worker)
        lives = False
        try:
            answer = worker.call(task)
            lives = True
        except (EOFError, OSError) as died:
            raise BrokenExecutor("a worker process died") from died
        finally:
            with self._lock:
                self._busy.discard(worker)
                if lives:
                    self._idle.append(worker)
            if not lives:
                worker.end(within_s=0)
        return unpacked(answer)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the processes, after what is running. cancel_futures: and without what is waiting."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def stop(self) -> None:
        """Ends the processes now: with SIGTERM, and 2 seconds later with SIGKILL. Their tasks raise BrokenExecutor."""
        with self._lock:
            self._stopped = True
            workers = (*self._idle, *self._busy)
            self._idle = []
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.process.terminate()
        until = monotonic() + _TO_END_S
        for worker in workers:
            worker.end(within_s=until - monotonic())
        self._threads.shutdown()


class _Worker:
    """One process, and the pipe that it takes tasks from. Used by one thread at a time."""

    def __init__(self, preload: list[str]) -> None:
        _CONTEXT.set_forkserver_preload(preload)  # of no effect once the server runs, and where there is none
        self._pipe, theirs = _CONTEXT.Pipe()
        self.process = _CONTEXT.Process(target=_serve, args=(theirs, {**os.environ}), daemon=True)
        self.process.start()
        theirs.close()

    def call(self, task: bytes) -> bytes:
        """The outcome of the task. Raises EOFError or OSError when the process dies."""
        self._pipe.send_bytes(task)
        return self._pipe.recv_bytes()

    def end(self, within_s: float = _TO_END_S) -> None:
        """The process sees the end of the pipe; one that does not end is killed."""
        self._pipe.close()
        self.process.join(max(0.0, within_s))
        self.process.kill()
        self.process.join()


def _serve(pipe: Connection, environment: dict[str, str]) -> None:
    """The life of a worker. environment: of its parent; the server that it is forked from may have an older one."""
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the pool closed the pipe
        while True:
            pipe.send_bytes(carried_out(pipe.recv_bytes()))


def _end_with_parent() -> None:
    """After its parent was killed, no process waits for this one."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

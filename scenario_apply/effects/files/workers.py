"""Two threads that read and hash pictures while the caller goes on. Started when there is something to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor
    from types import TracebackType

_THREADS = 2  # hashing two files at once takes 1.9 of two cores; a third waits for the disk and the interpreter lock
_PER_TASK = 10  # files a task: few enough to keep both busy on one dataset, many enough that handing over is cheap

Item = TypeVar("Item")
Made = TypeVar("Made")


class Workers:
    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def map(self, work: Callable[[Item], Made], items: Sequence[Item]) -> list[Future[list[Made]]]:
        """Futures of lists that, one after the other, are work(item) for each item, in order."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="dataset")

        def run(some: Sequence[Item]) -> list[Made]:
            return [work(item) for item in some]

        pool = self._pool
        return [pool.submit(run, items[at : at + _PER_TASK]) for at in range(0, len(items), _PER_TASK)]

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

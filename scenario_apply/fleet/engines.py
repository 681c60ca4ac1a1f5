"""What runs the tasks of a fleet: executors of concurrent.futures, by name. A process pool is the default.

Nothing else of the package knows which one it is. A task is a function of a module, with plain values. One that lost
its worker raises BrokenExecutor, and may have run in part; the engine still works, and the caller may submit it again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager

from scenario_apply.errors import UsageError

PROCESSES = "processes"
DASK = "dask"
_SCHEMES = ("tcp://", "tls://")


def check_engine(name: str) -> str:
    """The name itself. Raises UsageError for one that open_engine does not know."""
    kind, _, address = name.partition("=")
    if name in (PROCESSES, DASK) or (kind == DASK and _is_address(address)):
        return name
    if kind == DASK:
        raise UsageError(
            f"{name} has no address of a Dask scheduler",
            hint="write --engine dask=tcp://HOST:8786, or tls://; --engine dask starts workers on this machine",
        )
    raise UsageError(
        f"there is no engine {name!r}", hint="use processes, dask, or dask=tcp://HOST:8786 for a scheduler that runs"
    )


def is_scheduler(name: str) -> bool:
    """Whether the engine is one that runs elsewhere, with workers of its own."""
    return name.startswith(f"{DASK}=")


def _is_address(address: str) -> bool:
    host, colon, port = address[len(_SCHEMES[0]) :].rpartition(":")
    return address.startswith(_SCHEMES) and bool(host and colon) and port.isdecimal() and "@" not in host


def open_engine(name: str, *, workers: int, preload: str | None = None) -> AbstractContextManager[Executor]:
    """An executor: `processes`; `dask`, on this machine; `dask=tcp://HOST:PORT` or `tls://`, a scheduler that runs.

    workers: processes on this machine; those of a scheduler are its own. preload: a module that every worker needs,
    which `processes` imports once. The end of the context waits for what runs, and cancels what has not begun; when an
    exception leaves it, processes of this machine are ended at once. Raises UsageError for an unknown name,
    ScenarioApplyError when the extra is missing, the scheduler cannot be reached, or its workers have another version.
    """
    kind, _, address = check_engine(name).partition("=")
    if kind == PROCESSES:
        return _guarded(_processes(workers, preload))
    from scenario_apply.fleet.dask_engine import on_scheduler, on_this_machine

    return _guarded(on_scheduler(address) if address else on_this_machine(workers))


@contextmanager
def _guarded(engine: AbstractContextManager[Executor]) -> Iterator[Executor]:
    """The engine, whose processes import nothing from the folder that the command runs in."""
    with _without_modules_of_the_working_folder(), engine as executor:
        yield executor


@contextmanager
def _without_modules_of_the_working_folder() -> Iterator[None]:
    """For the processes that start meanwhile: the folder may be a checkout that anybody could write to."""
    names = ("PYTHONSAFEPATH", "PYTHONPATH")
    before = {name: os.environ[name] for name in names if name in os.environ}
    os.environ["PYTHONSAFEPATH"] = "1"
    if "PYTHONPATH" in before:
        entries = before["PYTHONPATH"].split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(os.path.isabs, entries))
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(before)


@contextmanager
def _processes(workers: int, preload: str | None) -> Iterator[Executor]:
    from scenario_apply.fleet.process_pool import ProcessPool

    pool = ProcessPool(workers, preload)
    try:
        yield pool
    except BaseException:
        pool.stop()
        raise
    pool.shutdown(cancel_futures=True)

"""The engine of dask.distributed: workers on this machine, or those of a scheduler that runs.

Nothing else imports Dask. Any process that reaches a Dask scheduler can run code as its user. So the cluster of
this machine listens on the loopback only, and accepts only the certificate that it makes for itself.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pkgutil import resolve_name
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from scenario_apply.errors import ScenarioApplyError
from scenario_apply.fleet.sent_calls import carried_out, packed, unpacked
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

Made = TypeVar("Made")

VERSION_NAME = "scenario_apply.version:VERSION"
"""Resolved on each worker by Python alone, which says whether our package is there."""

_TO_CONNECT_S = 15.0  # Dask tries a refused connection again until then; a busy scheduler needs some seconds
_TO_CLOSE_S = 2.0
_STARTS = 3
_LOOK_S = 1.0  # at the workers of this machine
_QUIET = dict.fromkeys(("distributed", "distributed.client", "distributed.gc", "tornado"), "critical")
_ON_THIS_MACHINE = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.allowed-failures": 0,  # the caller submits a task again: else it ends further workers first
    "distributed.scheduler.worker-saturation": 1.0,  # no task waits at a worker, and is lost with it
}


class EngineUnusable(ScenarioApplyError):
    """The engine lacks its packages, cannot be reached, or has workers that lack ours."""

    code = "engine-unusable"


class _DaskFuture(Future[Made]):
    """Of a task of that key. It counts as running, since it may have begun; cancel() asks."""

    def __init__(self, client: Client, key: str) -> None:
        super().__init__()
        self._client, self._key = client, key
        self.inner: Future[bytes] | None = None
        self.was_cancelled = False
        self.set_running_or_notify_cancel()

    def cancel(self) -> bool:
        """Whether no worker had begun it, and none will: it waits at the scheduler, or at a worker."""
        if self.inner is None or self.done() or self._is_begun():
            return False
        self.was_cancelled = True
        return self.inner.cancel()

    def _is_begun(self) -> bool:
        """Whether a worker carries it out. A scheduler that does not say so is gone."""
        try:
            stacks = self._client.call_stack(keys=[self._key])  # type: ignore[no-untyped-call]  # Dask has no types
        except KeyError:  # it is still on its way to the scheduler
            return False
        except (OSError, TimeoutError):
            return True
        return any(self._key in of_worker for of_worker in stacks.values())


class _DaskExecutor(Executor):
    """Tasks on the workers of a client. Each worker checks its version first: one may join later."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inner = client.get_executor(pure=False)  # type: ignore[no-untyped-call]  # Dask has no types here

    def submit(self, fn: Callable[..., Made], /, *args: Any, **kwargs: Any) -> Future[Made]:
        """As the port says. Raises BrokenExecutor when the scheduler is gone.

        A scheduler that runs gives a task to another worker, three times, when its worker dies.
        """
        if self._client.status in ("closing", "closed"):
            raise BrokenExecutor("the Dask scheduler is gone")
        key = f"scenario-apply-{uuid4().hex}"
        future: _DaskFuture[Made] = _DaskFuture(self._client, key)
        future.inner = self._inner.submit(checked_call, VERSION, packed(fn, args, kwargs), key=key)
        future.inner.add_done_callback(lambda done: _settle(done, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """wait: for what was submitted; else it is cancelled."""
        self._inner.shutdown(wait=wait)


def checked_call(version: str, call: bytes) -> bytes:
    """On a worker: the outcome of a packed call. Raises EngineUnusable when its package is of another version."""
    if version != VERSION:
        raise _other_version({VERSION})
    return carried_out(call)


def _settle(done: Future[Any], future: _DaskFuture[Any]) -> None:
    """The outcome, with Dask's own errors as those of the port."""
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    error = CancelledError() if done.cancelled() else done.exception()
    match error:
        case None:
            try:
                future.set_result(unpacked(done.result()))
            except Exception as raised:  # by the task
                future.set_exception(raised)
        case KilledWorker():
            future.set_exception(BrokenExecutor("the worker of this task died"))
        case CancelledError() if future.was_cancelled:
            future.set_exception(error)
        case CommClosedError() | CancelledError():
            future.set_exception(BrokenExecutor("the Dask scheduler is gone"))
        case ModuleNotFoundError() if (error.name or "").startswith("scenario_apply"):
            future.set_exception(_without_package())
        case _:
            future.set_exception(error)


@contextmanager
def on_this_machine(workers: int) -> Iterator[Executor]:
    """So many worker processes, each with one thread, which end with the context. Raises EngineUnusable."""
    distributed = _distributed()
    import dask.config

    with dask.config.set(_ON_THIS_MACHINE):
        cluster = _local_cluster(distributed, workers)
        client = distributed.Client(cluster, set_as_default=False)
        ended = threading.Event()
        keeper = threading.Thread(target=_keep_up, args=(cluster, workers, ended), daemon=True)
        keeper.start()
        try:
            yield from _executor(client)
        except BaseException:
            ended.set()
            _kill_workers(cluster)
            raise
        finally:
            ended.set()
            keeper.join(_TO_CLOSE_S)  # it asks the cluster, which is about to close
            with suppress(TimeoutError):  # on a busy machine; the processes end with this one
                client.close(timeout=_TO_CLOSE_S)
            with suppress(TimeoutError):
                cluster.close(timeout=_TO_CLOSE_S)


def _local_cluster(distributed: ModuleType, workers: int) -> LocalCluster:
    """Raises EngineUnusable when it cannot be started; a worker that dies meanwhile ends the whole start."""
    for tries_left in reversed(range(_STARTS)):
        try:
            cluster: LocalCluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # a server without routes; else on a fixed port
                silence_logs="CRITICAL",
                security=distributed.Security.temporary(),
            )
        except Exception as error:  # whatever its processes met
            if not tries_left:
                raise EngineUnusable(
                    f"the Dask cluster of this machine does not start: {error}",
                    hint="use --engine processes, or fewer tasks at once (--max)",
                ) from error
        else:
            return cluster
    raise AssertionError(_STARTS)


def _kill_workers(cluster: LocalCluster) -> None:
    """Closing the cluster would wait for what they do."""
    for nanny in [*cluster.workers.values()]:
        nanny.close_gracefully()  # the nanny does not replace the process
        if nanny.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)


def _keep_up(cluster: LocalCluster, workers: int, ended: threading.Event) -> None:
    """Dask replaces a worker that died, but not one that died while it started."""
    while not ended.wait(_LOOK_S):
        cluster.scale(workers)  # type: ignore[no-untyped-call]  # Dask has no types here


@contextmanager
def on_scheduler(address: str) -> Iterator[Executor]:
    """The workers of a scheduler. tls: with the certificates of Dask's own configuration. Raises EngineUnusable."""
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=_TO_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EngineUnusable(
            f"no Dask scheduler answers at {address}",
            hint="start one with `dask scheduler`, or use --engine dask, which starts workers on this machine",
        ) from error
    try:
        _check_workers(client, address)
        yield from _executor(client)
    finally:
        with suppress(TimeoutError):  # of a busy scheduler: all results are here
            client.close(timeout=_TO_CLOSE_S)


def _executor(client: Client) -> Iterator[Executor]:
    """Waits for what was submitted; when left by an exception, what waits is not begun any more."""
    executor = _DaskExecutor(client)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False)
        raise
    executor.shutdown()


def _distributed() -> ModuleType:
    """The package, whose logs are errors of tasks that we report ourselves. Raises EngineUnusable."""
    if find_spec("distributed") is None or find_spec("cryptography") is None:
        raise EngineUnusable(
            "--engine dask needs dask.distributed", hint="install the extra: pip install 'scenario-apply[fleet]'"
        )
    import dask.config

    dask.config.set({"logging": _QUIET})
    import distributed

    return distributed


def _check_workers(client: Client, address: str) -> None:
    """Raises EngineUnusable unless there is a worker, and every one has this version of the package."""
    try:
        client.wait_for_workers(1, timeout=_TO_CONNECT_S)
    except TimeoutError as error:
        raise EngineUnusable(
            f"the Dask scheduler at {address} has no workers",
            hint=f"start some with `dask worker {address}`; a cluster that adapts needs a minimum of one",
        ) from error
    found = client.run(resolve_name, VERSION_NAME, on_error="return")
    if any(isinstance(version, BaseException) for version in found.values()):
        raise _without_package()
    if others := {version for version in found.values() if version != VERSION}:
        raise _other_version(others)


def _without_package() -> EngineUnusable:
    return EngineUnusable(
        "workers of the Dask cluster lack scenario-apply",
        hint=f"install it in their environment: pip install 'scenario-apply[fleet]=={VERSION}'",
    )


def _other_version(versions: set[str]) -> EngineUnusable:
    return EngineUnusable(
        f"workers of the Dask cluster have scenario-apply {', '.join(sorted(versions))}; here it is {VERSION}",
        hint=f"install the same version there: pip install 'scenario-apply[fleet]=={VERSION}'",
    )

"""engines.py, process_pool.py, dask_engine.py: one port, whatever runs the tasks."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from typing import Any

import pytest

from scenario_apply.errors import ScenarioApplyError, UsageError
from scenario_apply.fleet.engines import check_engine, open_engine


def doubled(number: int) -> tuple[int, int]:
    """A task."""
    return os.getpid(), 2 * number


def end_the_worker() -> None:
    """A worker that is killed in mid-task."""
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_after(path: str) -> None:
    """A task that would take long; path: where it says that it runs."""
    with open(path, "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    time.sleep(60)


def go_on_after(path: str) -> str:
    """A task that says at path that it runs, and ends once that was renamed."""
    with open(path, "w", encoding="ascii"):
        pass
    while os.path.exists(path):
        time.sleep(0.01)
    return "gone on"


class CannotBeRead(Exception):
    """Pickled, and not read again."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def fail_unreadably() -> None:
    raise CannotBeRead("one", "other")


@pytest.fixture(params=["processes", "dask"], scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """One worker, started once."""
    if request.param == "dask":
        pytest.importorskip("distributed", reason="the extra fleet is not installed")
    with open_engine(request.param, workers=1) as opened:
        yield opened


def test_tasks_run_in_other_processes(engine: Executor) -> None:
    """A task gets what it was given, in a process of its own."""
    process, number = engine.submit(doubled, 21).result()
    assert process != os.getpid()
    assert number == 42


def test_what_a_task_raises_is_raised_here(engine: Executor) -> None:
    with pytest.raises(UsageError, match="there is no engine 'ray'"):
        engine.submit(check_engine, "ray").result()


def test_a_worker_that_dies_takes_only_its_task_with_it(engine: Executor) -> None:
    """What waits is done by the next one."""
    killed = engine.submit(end_the_worker)
    with pytest.raises(BrokenExecutor, match="worker"):
        killed.result()
    assert engine.submit(doubled, 2).result()[1] == 4


def test_what_runs_is_not_cancelled(engine: Executor, tmp_path: os.PathLike[str]) -> None:
    """Its result would be lost, while the worker carries it out."""
    path = os.path.join(tmp_path, "go")
    future = engine.submit(go_on_after, path)
    while not os.path.exists(path):
        time.sleep(0.01)
    assert not future.cancel()
    os.rename(path, f"{path}.on")
    assert future.result(timeout=20) == "gone on"


def test_what_no_worker_has_begun_is_cancelled(engine: Executor) -> None:
    """However many were submitted: after Ctrl-C none of them begins."""
    first, second = engine.submit(time.sleep, 0.3), engine.submit(doubled, 1)
    while not first.running():
        time.sleep(0.01)
    assert second.cancel()
    with pytest.raises(CancelledError):
        second.result(timeout=20)
    first.result()
    assert engine.submit(doubled, 3).result()[1] == 6


def test_workers_have_the_environment_of_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is when they start, wherever they are forked from."""
    monkeypatch.setenv("SCENARIO_NAME_OF_A_TEST", "value")
    with open_engine("processes", workers=1) as pool:
        assert pool.submit(os.getenv, "SCENARIO_NAME_OF_A_TEST").result() == "value"


@pytest.mark.parametrize(
    ("task", "words"), [(fail_unreadably, "CannotBeRead"), (threading.Lock, "type lock"), (sys.exit, "SystemExit")]
)
def test_what_cannot_be_sent_is_named(engine: Executor, task: Callable[[], None], words: str) -> None:
    """An error or a result; and a task that would end its worker. None of them is waited for."""
    with pytest.raises(RuntimeError, match=words):
        engine.submit(task).result(timeout=20)


def test_an_exception_ends_what_runs_at_once(tmp_path: os.PathLike[str]) -> None:
    """Ctrl-C does not wait for a task, and leaves no process."""
    path = os.path.join(tmp_path, "pid")
    opened = open_engine("processes", workers=1)
    future = opened.__enter__().submit(sleep_after, path)
    while not (os.path.exists(path) and os.path.getsize(path)):
        time.sleep(0.01)
    assert not opened.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert isinstance(future.exception(timeout=1), BrokenExecutor)
    with open(path, encoding="ascii") as file, pytest.raises(ProcessLookupError):
        os.kill(int(file.read()), 0)


@pytest.mark.parametrize("name", ["ray", "processes=2", "", "daskk"])
def test_an_engine_that_is_not_known_is_named(name: str) -> None:
    """With the ones that are."""
    with pytest.raises(UsageError, match="there is no engine"), open_engine(name, workers=1):
        pass


@pytest.mark.parametrize("address", ["localhost:8786", "http://host:80", "tcp://host", "tcp://a@host:1", "tcp://h:x"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a Dask scheduler"):
        open_engine(f"dask={address}", workers=1)


def test_without_the_extra_its_line_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    dask_engine = pytest.importorskip("scenario_apply.fleet.dask_engine")
    monkeypatch.setattr(dask_engine, "find_spec", lambda name: None)
    with pytest.raises(ScenarioApplyError) as caught, open_engine("dask", workers=1):
        pass
    assert "pip install 'scenario-apply[fleet]'" in (caught.value.problems[0].hint or "")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A scheduler that runs, with one worker; its address."""
    distributed = pytest.importorskip("distributed", reason="the extra fleet is not installed")
    with distributed.LocalCluster(
        n_workers=1,
        processes=False,
        protocol="tcp",
        dashboard_address=None,
        silence_logs="CRITICAL",
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as cluster:
        yield cluster.scheduler_address


def test_a_scheduler_that_runs_is_used(scheduler: str) -> None:
    with open_engine(f"dask={scheduler}", workers=1) as cluster:
        assert cluster.submit(doubled, 4).result()[1] == 8


def test_workers_of_another_version_are_refused(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both versions are named, and how to install the one."""
    monkeypatch.setattr("scenario_apply.fleet.dask_engine.VERSION", "9.9.9")
    with pytest.raises(ScenarioApplyError, match=r"have scenario-apply .*; here it is 9\.9\.9") as caught:
        open_engine(f"dask={scheduler}", workers=1).__enter__()
    assert "scenario-apply[fleet]==9.9.9" in (caught.value.problems[0].hint or "")


def test_workers_without_the_package_are_refused(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenario_apply.fleet.dask_engine.VERSION_NAME", "scenario_apply_of_nobody.version:VERSION")
    with pytest.raises(ScenarioApplyError, match="lack scenario-apply"):
        open_engine(f"dask={scheduler}", workers=1).__enter__()


def test_a_scheduler_that_closes_slowly_fails_nothing(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All results are here by then."""
    distributed = pytest.importorskip("distributed", reason="the extra fleet is not installed")
    close = distributed.Client.close

    def close_slowly(client: Any, **more: Any) -> None:
        was_running = client.status == "running"  # else it is one of an earlier test, which is only now collected
        close(client, timeout=10)
        if was_running:
            raise TimeoutError

    monkeypatch.setattr(distributed.Client, "close", close_slowly)
    with open_engine(f"dask={scheduler}", workers=1) as cluster:
        found = cluster.submit(doubled, 4).result()
    assert found[1] == 8


@pytest.mark.parametrize("deaths", [1, 3])
def test_a_cluster_whose_worker_dies_while_it_starts_is_started_again(
    monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    """Three times; then it is an error in words."""
    distributed = pytest.importorskip("distributed", reason="the extra fleet is not installed")
    dask_engine = pytest.importorskip("scenario_apply.fleet.dask_engine")
    left = [RuntimeError("Nanny failed to start.")] * deaths

    def start(**options: Any) -> Any:
        if left:
            raise left.pop()
        return options

    monkeypatch.setattr(distributed, "LocalCluster", start)
    if deaths < 3:
        assert dask_engine._local_cluster(distributed, 2)["n_workers"] == 2
        return
    with pytest.raises(ScenarioApplyError, match="this machine does not start: Nanny failed to start"):
        dask_engine._local_cluster(distributed, 2)


def test_a_scheduler_without_workers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tasks would wait forever."""
    distributed = pytest.importorskip("distributed", reason="the extra fleet is not installed")
    monkeypatch.setattr("scenario_apply.fleet.dask_engine._TO_CONNECT_S", 0.5)
    quiet = {"dashboard_address": None, "silence_logs": "CRITICAL", "protocol": "tcp", "processes": False}
    more = {"scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"}}
    with (
        distributed.LocalCluster(n_workers=0, **quiet, **more) as cluster,
        pytest.raises(ScenarioApplyError, match=f"the Dask scheduler at {cluster.scheduler_address} has no workers"),
    ):
        open_engine(f"dask={cluster.scheduler_address}", workers=1).__enter__()


def test_a_scheduler_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""
    pytest.importorskip("distributed", reason="the extra fleet is not installed")
    monkeypatch.setattr("scenario_apply.fleet.dask_engine._TO_CONNECT_S", 0.2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ScenarioApplyError, match=f"no Dask scheduler answers at {address}"):
            open_engine(f"dask={address}", workers=1).__enter__()

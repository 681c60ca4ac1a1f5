"""Workers and the coordinator of a fleet, killed with SIGKILL at seeded moments: nothing is done twice or lost.

Several projects on one embedded Scenario. Moments are counted in requests that arrived. SCENARIO_KILL_SEEDS=20 runs
more of them, on each engine.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.fleet.dask_engine import _keep_up

SEEDS = int(os.environ.get("SCENARIO_KILL_SEEDS", "1"))
PROJECTS = 3
MODELS = 2
IMAGES = 2
KILLS = 4


def picture(path: Path, dice: random.Random) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.frombytes("RGB", (8, 8), dice.randbytes(192)).resize((512, 512)).save(path)
    path.with_suffix(".txt").write_text(f"a thing of {path.parent.parent.name}, number {path.stem}")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn once: project-0/model-0/0.png."""
    root, dice = tmp_path_factory.mktemp("pictures"), random.Random(1)
    for project in range(PROJECTS):
        for image in range(IMAGES):
            picture(root / f"p{project}" / "set" / f"{image}.png", dice)
    return root


def write_fleet(folder: Path, pictures: Path, url: str) -> None:
    lines = ["version: 1", "projects:"]
    for project in range(PROJECTS):
        home = folder / f"p{project}"
        (home / "set").mkdir(parents=True)
        for path in (pictures / f"p{project}" / "set").iterdir():
            (home / "set" / path.name).hardlink_to(path)
        models = "".join(
            f"  m{n}: {{ name: p{project} m{n}, type: flux.1-lora, dataset: set, parameters: {{ rank: {4 << n} }} }}\n"
            for n in range(MODELS)
        )
        (home / "scenario.yaml").write_text(f"version: 1\ndatasets: {{ set: {{ images: ./set }} }}\nmodels:\n{models}")
        lines.append(f"  - {{ project: proj-{project}, manifests: [p{project}/scenario.yaml], endpoint: '{url}' }}")
    (folder / "fleet.yaml").write_text("\n".join(lines) + "\n")


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    """Trainings take 0.1 s; each project may send 600 requests a minute."""
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
    with EmulatorThread(manual_options(clock="real", training_s=0.1, queue_s=0.02, rate_limit=600)) as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        yield running


def apply(folder: Path, engine: str = "processes", code: int | None = 0) -> None:
    """In this process."""
    words = ["fleet", "apply", str(folder / "fleet.yaml"), "--auto-approve", "--poll-interval", "0.05", "-q"]
    found = main([*words, "--engine", engine, "--max", "2", "--rate-limit", "600"])
    assert code is None or found == code


def apply_elsewhere(environment: dict[str, str], folder: Path) -> None:
    """In a process of its own, whose server may have been started with another environment."""
    os.environ.update(environment)
    apply(folder, code=None)


class Killer(threading.Thread):
    """Kills what `victims` names, once so many requests arrived, so often."""

    def __init__(self, emulator: EmulatorThread, victims: Callable[[], list[int]], dice: random.Random, kills: int):
        super().__init__(daemon=True)
        self.kills = 0
        self._emulator, self._victims, self._dice, self._wanted = emulator, victims, dice, kills
        self._done = threading.Event()

    def run(self) -> None:
        while self.kills < self._wanted:
            until = len(self._emulator.requests) + self._dice.randrange(1, 12)
            while len(self._emulator.requests) < until:
                if self._done.wait(0.002):
                    return
            victims = self._victims()
            if victims:
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(self._dice.choice(victims), signal.SIGKILL)
                    self.kills += 1

    def __enter__(self) -> Killer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def check_world(emulator: EmulatorThread, folder: Path) -> None:
    """Each model once, each image once in its project, one training a model; all of it recorded, nothing open."""
    done = [entry for entry in emulator.requests if entry.status == 200]
    made = Counter(entry.path for entry in done if entry.method == "POST")
    launches = Counter(entry.path for entry in done if entry.path.endswith("/train"))
    assert made["/v1/models"] == PROJECTS * MODELS
    assert made["/v1/assets"] == PROJECTS * IMAGES
    assert set(launches.values()) == {1}, launches
    recorded: dict[str, str] = {}
    for project in range(PROJECTS):
        place = folder / f"p{project}" / "state"
        resources = json.loads((place / "scenario.json").read_text())["resources"]
        recorded |= {resource["current"]["id"]: resource["current"]["phase"] for resource in resources.values()}
        assert {path.name for path in place.iterdir()} <= {"scenario.json", ".gitignore", "backups"}
    assert recorded == {path.split("/")[3]: "trained" for path in launches}
    assert len(recorded) == PROJECTS * MODELS


def workers() -> list[int]:
    """Process ids of the pool's workers."""
    return [child.pid for child in multiprocessing.active_children() if child.pid is not None]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_killed_workers_began_is_completed_by_the_next(
    tmp_path: Path, pictures: Path, emulator: EmulatorThread, seed: int
) -> None:
    """In the same run of the fleet, without a word to the user's exit code; and then there is nothing to do."""
    write_fleet(tmp_path, pictures, emulator.url)
    with Killer(emulator, workers, random.Random(seed), KILLS) as killer:
        apply(tmp_path)
    assert killer.kills
    check_world(emulator, tmp_path)
    before = len(emulator.requests)
    apply(tmp_path)
    assert {entry.path for entry in emulator.requests[before:]} == {"/v1/models/get-bulk"}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_a_killed_coordinator_began_is_completed_by_the_next_run(
    tmp_path: Path, pictures: Path, emulator: EmulatorThread, seed: int
) -> None:
    """Its workers end with it, and hold no lock that stops the next."""
    write_fleet(tmp_path, pictures, emulator.url)
    dice, kills = random.Random(seed), 0
    context = multiprocessing.get_context("forkserver")
    for _ in range(2):
        coordinator = context.Process(target=apply_elsewhere, args=({**os.environ}, tmp_path))
        coordinator.start()
        assert coordinator.pid is not None
        with Killer(emulator, [coordinator.pid].copy, dice, 1):
            coordinator.join()
        kills += coordinator.exitcode == -signal.SIGKILL
    assert kills
    apply(tmp_path)
    check_world(emulator, tmp_path)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_killed_workers_of_dask_began_is_completed(
    tmp_path: Path, pictures: Path, emulator: EmulatorThread, dask_workers: DaskWorkers, seed: int
) -> None:
    """Dask gives a task to another worker itself: it ran twice, and begins nothing twice."""
    write_fleet(tmp_path, pictures, emulator.url)
    with Killer(emulator, dask_workers.pids, random.Random(seed), KILLS) as killer:
        apply(tmp_path, f"dask={dask_workers.address}")
    assert killer.kills
    check_world(emulator, tmp_path)


class DaskWorkers:
    """A cluster of two workers on this machine, and the process ids of its workers."""

    def __init__(self, cluster: Any) -> None:
        self.address: str = cluster.scheduler_address
        self._cluster = cluster

    def pids(self) -> list[int]:
        return [nanny.pid for nanny in self._cluster.workers.values() if nanny.pid is not None and is_up(nanny)]


def is_up(nanny: Any) -> bool:
    """A worker that dies while it starts is not replaced by Dask."""
    return bool(nanny.status.name == "running")


@pytest.fixture(scope="module")
def dask_workers() -> Iterator[DaskWorkers]:
    distributed = pytest.importorskip("distributed", reason="the extra fleet is not installed")
    environment = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret"}
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs="CRITICAL",
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        env=environment,
    ) as cluster:
        ended = threading.Event()
        keeper = threading.Thread(target=_keep_up, args=(cluster, 2, ended))
        keeper.start()
        yield DaskWorkers(cluster)
        ended.set()
        keeper.join()

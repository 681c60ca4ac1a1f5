"""One seed of the soak with a fleet: the soak's manifest in several projects, under chaos, while processes die.

What is killed: a worker process of `processes`, or of Dask's cluster on this machine, several times in a run that goes
on; or the command itself, with every process that it started.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.soak import manifest
from tests.soak.command import finish, start
from tests.soak.manifest import Expected
from tests.soak.run import Soaked, chances, finished
from tests.soak.service import Service
from tests.soak.verdict import Verdict, judge

PROJECTS = ("proj-a", "proj-b")
VICTIMS = ("processes", "dask", "coordinator")
APPLY = ("fleet", "apply", "--auto-approve", "--poll-interval", "0.1", "--rate-limit", "0", "--max", "2")
KILLS_AT_MOST = 4
KILLED_RUNS = 2
RUNS_AT_MOST = 8


def soak_fleet(seed: int, service: Service, folder: Path, *, changed: bool = True) -> Soaked:
    """Run one seed in an empty folder, against a service that is emptied first. The seed says what is killed."""
    dice, soaked = random.Random(seed), Soaked(seed=seed)
    victim = VICTIMS[seed % len(VICTIMS)]
    started = time.monotonic()
    service.reset()
    log = folder.parent / f"{folder.name}.log"
    for stage in (manifest.first, manifest.second)[: 2 if changed else 1]:
        expected = [stage(folder / project) for project in PROJECTS]
        _write_fleet(folder, service.url)
        if not _converge(service, folder, log, dice, soaked, victim):
            break
        soaked.verdict = _judged(service.snapshot(), folder, expected)
        if soaked.verdict.all:
            break
    return finished(soaked, service, log, started)


def _write_fleet(folder: Path, url: str) -> None:
    for name in PROJECTS:
        with (folder / name / "scenario.yaml").open("a") as file:
            file.write(f"project: {name}\n")
    lines = [f"  - {{ project: {name}, manifests: {name}/scenario.yaml, endpoint: '{url}' }}" for name in PROJECTS]
    (folder / "fleet.yaml").write_text("version: 1\nprojects:\n" + "\n".join(lines) + "\n")


def _converge(service: Service, folder: Path, log: Path, dice: random.Random, soaked: Soaked, victim: str) -> bool:
    """Runs with deaths, then quiet ones; whether everything is applied and a plan is empty."""
    engine = "dask" if victim == "dask" else "processes"
    code: int | None = None
    for number in range(RUNS_AT_MOST):
        is_killed = number < KILLED_RUNS
        # a request that hangs is given up after a minute: workers do not have the soak's own bound
        service.misbehave(chances(dice, without=("hang",)) if is_killed else {}, dice.randrange(1 << 30))
        soaked.runs += 1
        process = start(folder, service.url, log, *APPLY, "--engine", engine, has_children=True)
        if is_killed:
            soaked.kills += _kill(process, service, dice, victim)
        code = finish(process, 180)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"exit code {code}, {soaked.kills} kills\n")
        if code == 0 and not is_killed:
            break
    if code != 0:
        soaked.problem = f"not applied after {RUNS_AT_MOST} runs: exit code {code}"
        return False
    soaked.runs += 1
    code = finish(start(folder, service.url, log, "fleet", "plan", "--detailed-exitcode", has_children=True))
    if code != 0:
        soaked.problem = f"a plan after the last apply is not empty: exit code {code}"
    for project in PROJECTS:  # pictures that could not be downloaded under faults
        if finish(start(folder / project, service.url, log, "samples", "draw", "--auto-approve")) != 0:
            soaked.problem = soaked.problem or f"pictures of the samples of {project} could not be looked at"
    return soaked.problem is None


def _kill(process: ForkServerProcess, service: Service, dice: random.Random, victim: str) -> int:
    """Kills until the command ends, or enough died; how many."""
    assert process.pid is not None
    kills, wanted = 0, 1 if victim == "coordinator" else dice.randrange(1, KILLS_AT_MOST + 1)
    while kills < wanted:
        until, deadline = service.arrived() + dice.randrange(1, 60), time.monotonic() + 30
        while service.arrived() < until and time.monotonic() < deadline:
            process.join(0.005)
            if not process.is_alive():
                return kills
        victims = [process.pid] if victim == "coordinator" else workers_of(process.pid)
        if victims:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(dice.choice(victims), signal.SIGKILL)
                kills += 1
    return kills


def workers_of(pid: int) -> list[int]:
    """Processes below a command that work on tasks: not the servers that multiprocessing forks from."""
    found = []
    for child in _children(pid):
        line = _command_line(child)
        if "multiprocessing.forkserver" in line:
            found += _children(child)
        elif "multiprocessing.spawn" in line:  # Dask's
            found.append(child)
        else:
            found += workers_of(child)
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return found


def _command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _judged(snapshot: dict[str, Any], folder: Path, expected: list[Expected]) -> Verdict:
    """Of each project by itself, as one."""
    found = [judge(_of(snapshot, name), folder / name, one) for name, one in zip(PROJECTS, expected, strict=True)]
    return Verdict(
        duplicates=tuple(line for one in found for line in one.duplicates),
        second_trainings=tuple(line for one in found for line in one.second_trainings),
        second_samples=tuple(line for one in found for line in one.second_samples),
        lost=tuple(line for one in found for line in one.lost),
        wrong=tuple(line for one in found for line in one.wrong),
    )


def _of(snapshot: dict[str, Any], project: str) -> dict[str, Any]:
    """The rows of one project."""
    own = {
        table: [row for row in snapshot[table] if row["project"] == project] for table in ("models", "assets", "jobs")
    }
    assets = {asset["id"] for asset in own["assets"]}
    return {**own, "training_images": [row for row in snapshot["training_images"] if row["asset"] in assets]}

"""One seed of the soak: chaos and kills until the manifest is applied, changed and applied again; then the verdict."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak import manifest
from tests.soak.command import APPLY, finish, start
from tests.soak.manifest import Expected
from tests.soak.service import Service
from tests.soak.verdict import Verdict, judge

SERVICE = (
    *("--rate-limit", "0", "--training-seconds", "0.6", "--queue-seconds", "0.1", "--latency", "4"),
    *("--parallel-custom-jobs", "2"),  # of the three or four samples that are due together
)
FAULTS = (
    "drop-answer",
    "drop-before",
    "500",
    "500-after",
    "502",
    "502-after",
    "503",
    "html",
    "429",
    "429-cooldown",
    "slow",
    "hang",
    "truncate",
)
RUNS_AT_MOST = 12
"""Runs until the manifest must be applied: those that are killed, those that chaos ends, and a quiet one at last."""

NOISY_RUNS = 3


@dataclass(slots=True, kw_only=True)
class Soaked:
    """What one seed came to. runs: processes started. faults: by kind, that hit a request."""

    seed: int
    runs: int = 0
    kills: int = 0
    adopted: int = 0
    took_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    verdict: Verdict | None = None
    problem: str | None = None
    log: str = ""
    requests: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> tuple[str, ...]:
        """Everything that is wrong; empty when all is well."""
        return (*(() if self.problem is None else (self.problem,)), *(self.verdict.all if self.verdict else ()))


def soak(seed: int, service: Service, folder: Path, *, changed: bool = True, kills: int = 3) -> Soaked:
    """Run one seed in an empty folder, against a service that is emptied first."""
    dice = random.Random(seed)
    soaked = Soaked(seed=seed)
    started = time.monotonic()
    service.reset()
    stages: list[Callable[[Path], Expected]] = [manifest.first]
    if changed:
        stages.append(manifest.second)
    log = folder.parent / f"{folder.name}.log"
    for stage in stages:
        expected = stage(folder)
        if not _converge(service, folder, log, dice, soaked, kills):
            break
        soaked.verdict = judge(service.snapshot(), folder, expected)
        if soaked.verdict.all:
            break
    return finished(soaked, service, log, started)


def finished(soaked: Soaked, service: Service, log: Path, started: float) -> Soaked:
    """With what was said and asked in all of its runs. started: of the monotonic clock."""
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    soaked.log = said
    soaked.adopted = said.count("adopted ")
    requests = service.requests()
    soaked.requests = [f"{r['at_ms']} {r['method']} {r['path']} {r['status']} {r['fault'] or ''}" for r in requests]
    soaked.faults = Counter(str(r["fault"]) for r in requests if r["fault"])
    soaked.took_s = time.monotonic() - started
    return soaked


def _converge(service: Service, folder: Path, log: Path, dice: random.Random, soaked: Soaked, kills: int) -> bool:
    """Kill, disturb, and let the last runs end; whether the manifest is applied and a plan of it is empty."""
    for _ in range(kills):
        service.misbehave(chances(dice), dice.randrange(1 << 30))
        soaked.runs += 1
        soaked.kills += _killed(service, folder, log, dice)
    code: int | None = None
    for number in range(RUNS_AT_MOST):
        service.misbehave(chances(dice) if number < NOISY_RUNS else {}, dice.randrange(1 << 30))
        soaked.runs += 1
        code = finish(start(folder, service.url, log, *APPLY))
        if code == 0:
            break
    service.misbehave({}, 0)
    if code != 0:
        soaked.problem = f"not applied after {RUNS_AT_MOST} more runs: exit code {code}"
        return False
    soaked.runs += 1
    code = finish(start(folder, service.url, log, "plan", "--detailed-exitcode"))
    if code != 0:
        soaked.problem = f"a plan after the last apply is not empty: exit code {code}"
        return False
    code = finish(start(folder, service.url, log, "samples", "draw", "--auto-approve"))  # pictures not downloaded yet
    if code != 0:
        soaked.problem = f"pictures of samples could not be looked at: exit code {code}"
        return False
    return True


def chances(dice: random.Random, without: tuple[str, ...] = ()) -> dict[str, float]:
    """A few kinds of faults, together at 4 to 30 percent of all requests."""
    kinds = [kind for kind in dice.sample(FAULTS, dice.randrange(2, len(FAULTS))) if kind not in without]
    total = dice.choice((0.04, 0.08, 0.15, 0.3))
    weights = [dice.random() * (0.2 if kind in ("hang", "429-cooldown") else 1.0) for kind in kinds]
    return {kind: total * weight / sum(weights) for kind, weight in zip(kinds, weights, strict=True)}


def _killed(service: Service, folder: Path, log: Path, dice: random.Random) -> int:
    """Start an apply and kill it after some time, or when so many requests came and a few milliseconds; 1 if it was."""
    process = start(folder, service.url, log, *APPLY)
    if dice.random() < 0.4:
        process.join(dice.random() * 3.0)
    else:
        until = service.arrived() + dice.randrange(1, 70)
        deadline = time.monotonic() + 20
        while process.is_alive() and service.arrived() < until and time.monotonic() < deadline:
            time.sleep(0.002)
        process.join(dice.random() * 0.04)
    was_running = process.is_alive()
    process.kill()
    process.join()
    with log.open("a", encoding="utf-8") as file:
        file.write("KILLED\n" if was_running else f"ended by itself: {process.exitcode}\n")
    return int(was_running)


def empty(folder: Path) -> Path:
    """The folder, emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder

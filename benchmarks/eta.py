"""How accurate the estimate of the time left is: what the views showed against the actual time, minute by minute.

    python benchmarks/eta.py            # a simulated clock: seconds
    python benchmarks/eta.py --real     # the command line against the embedded Scenario, by the clock: seven minutes

Simulated (tests/soak/eta.py): engine, request budget and estimate are the tool's own, the service is a fake behind a
sliding window that responds 429 with a Retry-After in whole seconds. 1,010 requests of 500 captioned images take about
ten minutes under each bound. The same runs are a test: tests/soak/test_outlook.py.

Real: 300 captioned images, 606 requests, the service allows 100 a minute. Once with the tool's own bound of 100, once
with none, so that it has to learn; both at the same time. The `budget.seconds_left` of each line of `--events` is
compared with the time until the last line that is not about a training.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the simulation lives among the tests

from tests.soak.eta import CASES, errors, watched_run

Said = tuple[float, float, float]
"""Seconds since the start, seconds said to be left, seconds it took from there."""


def real_run(own_limit: int) -> list[Said]:
    from _service import emulator, run_tool
    from _workload import make_workload

    with (
        emulator("--rate-limit", "100", "--training-seconds", "1", "--max-training-images", "100") as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        make_workload(folder, 3, 100, 30_000)
        options = ("--rate-limit", str(own_limit), "--no-wait", "--events", "events.jsonl")
        done = run_tool(url, folder, "apply", "--auto-approve", *options)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        events = [json.loads(line) for line in Path(folder, "events.jsonl").read_text().splitlines()]
    times = [datetime.fromisoformat(event["@timestamp"]).timestamp() for event in events]
    finished = [at for at, event in zip(times, events, strict=True) if event["type"] == "apply_complete"]
    start, over = times[0], max(finished)
    return [
        (at - start, left, over - at)
        for at, event in zip(times, events, strict=True)
        if (left := event.get("budget", {}).get("seconds_left")) is not None and at - start >= 60 and over - at >= 30
    ]


def show(name: str, found: list[Said]) -> None:
    off = [said / took - 1 for _, said, took in found]
    at, _, took = found[0]
    print(f"{name}: {at + took:.0f} s of requests; what was said was off by {min(off):+.0%} to {max(off):+.0%}")
    for minute in range(1, int((at + took) / 60)):
        at, said, took = min(found, key=lambda one: abs(one[0] - minute * 60))
        print(f"  after {at / 60:4.1f} min: said {said:4.0f} s, took {took:4.0f} s, {said / took - 1:+.0%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", action="store_true", help="by the clock")
    if parser.parse_args().real:
        bounds = {"own bound, 100 / 60 s": 100, "the service's, 100 / 60 s": 0}
        with ThreadPoolExecutor() as pool:
            for name, found in zip(bounds, pool.map(real_run, bounds.values()), strict=True):
                show(name, found)
        return
    os.fsync = lambda descriptor: None  # power is not what the simulation is about
    for name, (own_limit, limiter) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            told = watched_run(Path(folder), own_limit=own_limit, limiter=limiter, models=5, images=100)
        show(name, errors(told))


if __name__ == "__main__":
    main()

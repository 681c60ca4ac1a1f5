"""From SIGKILL to resumed work: how long until the next apply's first new write reaches the service.

    python benchmarks/resume_after_kill.py

An apply of two models over forty captioned pictures is killed in the middle of its uploads and started again at once,
as a supervisor would. Measured by the clock: from the kill to the first write that is new, in the emulator's request
log; the start of a Python process is in it. A call that was in flight when the run died and is not found on the
service is looked for until it is eight seconds old, since the service may still be carrying it out; those rounds are
reported separately.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from _service import emulator, requests_seen
from _workload import make_workload

SERVICE = ("--rate-limit", "0", "--training-seconds", "0.2", "--queue-seconds", "0", "--latency", "20")
COMMAND = ("apply", "--auto-approve", "-q", "--rate-limit", "0", "--no-wait", "--parallelism", "4")
LOOKED_FOR_S = 5.0
"""Rounds slower than this waited for a call that may still have been in flight."""


def start(url: str, folder: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "SCENARIO_SDK_API_KEY": "key",
        "SCENARIO_SDK_API_SECRET": "secret",
        "SCENARIO_BASE_URL": url,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "scenario_apply", *COMMAND],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def writes(url: str) -> list[dict[str, object]]:
    return [r for r in requests_seen(url) if r["method"] != "GET" and "get-bulk" not in str(r["path"])]


def one_round(number: int) -> float:
    """Seconds from the kill to the first new write."""
    dice = random.Random(number)
    with tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder, emulator(*SERVICE) as url:
        root = os.path.realpath(folder)
        make_workload(root, 2, 20, 50_000)
        first = start(url, root)
        until = dice.randrange(10, 50)
        while len(writes(url)) < until and first.poll() is None:
            time.sleep(0.005)
        first.kill()
        first.wait()
        killed_ms = time.time() * 1000
        before = len(writes(url))
        second = start(url, root)
        if second.wait(60):
            raise SystemExit("the second apply failed")
        after = writes(url)[before:]
        uploads = sum(1 for r in writes(url) if r["method"] == "POST" and str(r["path"]).endswith("/training-images"))
        if uploads != 40:
            raise SystemExit(f"{uploads} uploads of 40 pictures")
        new = [float(str(r["at_ms"])) for r in after if float(str(r["at_ms"])) > killed_ms]
        return (new[0] - killed_ms) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    times = [one_round(number) for number in range(options.rounds)]
    quick = sorted(t for t in times if t < LOOKED_FOR_S)
    slow = sorted(t for t in times if t >= LOOKED_FOR_S)
    for name, found in (("carried on at once", quick), ("first looked for a call in flight", slow)):
        if found:
            middle = statistics.median(found)
            print(f"{name:34} {len(found):3} rounds, median {middle:5.2f} s ({found[0]:.2f} to {found[-1]:.2f})")
    print(f"pictures uploaded twice            {0:3} (a round in which one is ends the benchmark)")


if __name__ == "__main__":
    main()

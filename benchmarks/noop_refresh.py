"""An apply with nothing to do over 1,000 models that the service holds: requests and time.

    python benchmarks/noop_refresh.py

The models are made and trained first, with a first apply against the emulator (a minute or so, not measured). What is
measured is a whole process: manifest, images, state, refresh, plan. It must send exactly twenty requests of fifty
models each; read one by one, as in the guides, a thousand models take 21,000 requests.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import Counter

from _service import emulator, requests_seen, run_tool
from _workload import make_workload

SERVICE = ("--rate-limit", "0", "--training-seconds", "0.05", "--queue-seconds", "0", "--parallel-training", "100000")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder, emulator(*SERVICE) as url:
        root = os.path.realpath(folder)
        make_workload(root, options.models, options.images, 2000)
        started = time.perf_counter()
        first = run_tool(url, root, "apply", "--auto-approve", "-q", "--rate-limit", "0")
        if first.returncode:
            raise SystemExit(first.stdout[-2000:] + first.stderr[-2000:])
        print(f"{options.models} models x {options.images} images were made in {time.perf_counter() - started:.0f} s")
        times, sent = [], Counter[str]()
        for _ in range(options.rounds):
            before = requests_seen(url)[-1]["number"]
            started = time.perf_counter()
            done = run_tool(url, root, "apply", "--auto-approve")
            times.append(time.perf_counter() - started)
            if done.returncode:
                raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
            sent = Counter(f"{r['method']} {r['path']}" for r in requests_seen(url) if int(str(r["number"])) > before)
        floor = []
        for _ in range(options.rounds):
            started = time.perf_counter()
            run_tool(url, root, "plan", "--no-refresh")
            floor.append(time.perf_counter() - started)
    print(f"an apply with nothing to do: {sent.total()} requests: {dict(sent)}")
    print(f"  {statistics.median(times):.2f} s, median of {options.rounds} ({min(times):.2f} to {max(times):.2f})")
    print(f"  of which {statistics.median(floor):.2f} s without the service (plan --no-refresh)")


if __name__ == "__main__":
    main()

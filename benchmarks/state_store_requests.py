"""What a state store is asked: a plan of nothing, an apply of a hundred uploads, a kill and the recovery from it.

    python benchmarks/state_store_requests.py
    python benchmarks/state_store_requests.py --stores s3 postgres --models 2 --images 5

Requests to S3 (moto) and to an HTTP state server, statements of PostgreSQL; of files, flushes to the disk and files
that were opened. The recovery runs in another folder, as another machine would, with nothing but the state's URL; where
a lock outlives its run, force-unlock comes first. An HTTP server keeps one document, so that a call is recorded by
writing the state.

Ends with an error when a run writes more than one object per creating or paid call, or more than one state every five
seconds beside those of its beginning and end, or when anything is uploaded or trained twice.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable

from _counted_stores import STORES, Count, CountedStore, shown
from _service import emulator, requests_seen
from _workload import make_workload

STATE_EVERY_S = 5.0
STATES_AROUND = 6
"""States that a run writes beside those: what recovery found, the mark of the run, after the prices, the end."""
PAID = re.compile(r"POST .*/(?:models|training-images)$|PUT .*/train$")
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("state", "read", "state"),
    ("state", "write", "state"),
    ("calls", "write", "call"),
    ("calls", "delete", "call"),
    ("calls", "read", "call"),
    ("backups", "write", "backup"),
    ("lease", "write", "lease"),
)


class Run:
    """The tool with one store and one service; what each command asked of the store."""

    def __init__(self, store: CountedStore, service: str) -> None:
        self.store = store
        self.service = service
        self.before = store.seen()

    def start(self, folder: str, *arguments: str) -> subprocess.Popen[str]:
        keys = {"SCENARIO_SDK_API_KEY": "key", "SCENARIO_SDK_API_SECRET": "secret", "SCENARIO_BASE_URL": self.service}
        return subprocess.Popen(
            [sys.executable, *self.store.program, *arguments, "--state", self.store.state],
            cwd=folder,
            env={**os.environ, **keys, **self.store.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> None:
        text, _ = process.communicate(timeout=600)
        if process.returncode:
            raise SystemExit(f"{self.store.name}: {text}")

    def asked(self) -> Counter[Count]:
        """What the store was asked since this was last called."""
        now = self.store.seen()
        new, self.before = now - self.before, now
        return new

    def paid(self) -> list[str]:
        """The calls that create or spend, with the model's name where they carry one."""
        all_seen = [seen for seen in requests_seen(self.service) if "dryRun" not in str(seen["query"])]
        lines = (f"{seen['method']} {seen['path']}" for seen in all_seen)
        return [line for line in lines if PAID.search(line)]


def measure(name: str, options: argparse.Namespace, folder: str) -> dict[str, Counter[Count]]:
    """What one store is asked in each situation."""
    rounds: dict[str, Counter[Count]] = {}
    service = (
        "--rate-limit",
        "0",
        "--training-seconds",
        "0.2",
        "--queue-seconds",
        "0",
        "--latency",
        str(options.latency),
    )
    apply = ("apply", "--auto-approve", "-q", "--poll-interval", "0.5", "--parallelism", "4", "--rate-limit", "0")
    here, there = os.path.join(folder, "here"), os.path.join(folder, "there")
    make_workload(here, options.models, options.images, 10_000)
    with STORES[name](folder) as store, emulator(*service) as url:
        run = Run(store, url)
        begun = time.monotonic()
        run.finish(run.start(here, *apply))
        rounds["apply"] = run.asked()
        judge(name, rounds["apply"], len(run.paid()), time.monotonic() - begun)
        run.finish(run.start(here, "plan"))
        rounds["plan of nothing"] = run.asked()
    os.makedirs(os.path.join(folder, "second"))
    with STORES[name](os.path.join(folder, "second")) as store, emulator(*service) as url:
        run = Run(store, url)
        first = run.start(here, *apply)
        while len(run.paid()) < options.models * options.images // 2 and first.poll() is None:
            time.sleep(0.02)
        first.kill()
        first.communicate()
        rounds["until the kill"] = run.asked()
        paid = len(run.paid())
        shutil.copytree(here, there, ignore=shutil.ignore_patterns(".scenario"))
        begun = time.monotonic()
        if not store.lock_ends_with_its_run:
            run.finish(run.start(there, "force-unlock"))
        run.finish(run.start(there, *apply))
        rounds["recovery"] = run.asked()
        judge(name, rounds["recovery"], len(run.paid()) - paid, time.monotonic() - begun)
        expect_nothing_twice(name, run.paid(), options)
    return rounds


def judge(name: str, asked: Counter[Count], paid: int, seconds: float) -> None:
    """Raises SystemExit for a store that was asked too often."""
    if name in ("s3", "postgres") and asked["write", "call"] > paid:
        raise SystemExit(f"{name}: {asked['write', 'call']} objects for {paid} calls that create or spend")
    most = STATES_AROUND + seconds / STATE_EVERY_S + (paid if name == "http" else 0)
    if asked["write", "state"] > most:
        raise SystemExit(f"{name}: {asked['write', 'state']} states in {seconds:.1f} s")


def expect_nothing_twice(name: str, paid: Iterable[str], options: argparse.Namespace) -> None:
    kinds = {"training-images": "uploads", "train": "trainings", "models": "models"}
    found = Counter(kinds[line.rpartition("/")[2]] for line in paid)
    wanted = {"uploads": options.models * options.images, "trainings": options.models, "models": options.models}
    if found != wanted:
        raise SystemExit(f"{name}: {dict(found)} instead of {wanted}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", nargs="+", choices=sorted(STORES), default=list(STORES))
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--images", type=int, default=20, help="of each model")
    parser.add_argument("--latency", type=int, default=150, help="milliseconds of each request to the service")
    parser.add_argument("--verbose", action="store_true", help="everything that was counted")
    options = parser.parse_args()
    print(f"{options.models} models x {options.images} images, each request to the service {options.latency} ms\n")
    heads = [f"{kind} {what}" for kind, what, _ in COLUMNS]
    print(f"{'':26}" + "".join(f"{head:>15}" for head in heads) + f"{'all':>7}")
    for name in options.stores:
        with tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder:
            for situation, asked in measure(name, options, os.path.realpath(folder)).items():
                counts = "".join(f"{asked[what, kind]:15}" for _, what, kind in COLUMNS)
                print(f"{name:9} {situation:16}{counts}{asked.total():7}")
                if options.verbose:
                    print(f"          {shown(asked)}")


if __name__ == "__main__":
    main()

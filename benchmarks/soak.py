"""Chaos and kills over a manifest with flux, sd-xl, edit pairs, a composition and shared pictures, seed by seed.

    python benchmarks/soak.py --seeds 200
    python benchmarks/soak.py --fleet --seeds 30

Every seed: the manifest is applied under random faults while the command is killed with SIGKILL at random instants,
until a run gets through; then it is changed (a picture, a caption, parameters) and the same is done again. After each
half the emulator's own store is compared with the state: what exists twice, was trained twice, or is known to only
one of the two is counted. Samples are drawn, too, each once. Exit code 1 if anything is wrong. What is wrong with a
seed is printed with its number; --only N repeats that seed and prints the output of the command.

--fleet: the same by `fleet apply` in two projects. By turns, workers of `processes`, workers of Dask and the command
itself are killed.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the soak lives among the tests

from tests.soak.fleet_seed import soak_fleet
from tests.soak.run import SERVICE, Soaked, empty, soak
from tests.soak.service import Service


class Services:
    """One emulator a worker thread."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._mine = threading.local()
        self._lock = threading.Lock()

    def mine(self) -> Service:
        if not hasattr(self._mine, "service"):
            with self._lock:
                self._mine.service = self._stack.enter_context(Service(*SERVICE))
        service: Service = self._mine.service
        return service


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", type=int, help="this seed alone, and what the command said")
    parser.add_argument("--fleet", action="store_true", help="a fleet of two projects, whose workers are killed, too")
    parser.add_argument("--jobs", type=int, default=3, help="seeds at once, each with an emulator of its own")
    parser.add_argument("--kills", type=int, default=3, help="runs of each half that are killed")
    parser.add_argument("--logs", type=Path, help="a folder for what was said and asked in seeds with complaints")
    parser.add_argument("--minutes", type=float, help="start no seed after so long")
    options = parser.parse_args()
    seeds = [options.only] if options.only is not None else range(options.first, options.first + options.seeds)
    started = time.monotonic()
    found: list[Soaked] = []
    with contextlib.ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scenario-soak-")))
        services = Services(stack)

        def work(seed: int) -> Soaked | None:
            if options.minutes is not None and time.monotonic() - started > options.minutes * 60:
                return None
            if options.fleet:
                return soak_fleet(seed, services.mine(), empty(root / str(seed)))
            return soak(seed, services.mine(), empty(root / str(seed)), kills=options.kills)

        with ThreadPoolExecutor(options.jobs) as pool:
            for future in as_completed([pool.submit(work, seed) for seed in seeds]):
                soaked = future.result()
                if soaked is None:
                    continue
                found.append(soaked)
                print(
                    f"seed {soaked.seed}: {soaked.runs} runs, {soaked.kills} kills, {soaked.took_s:.0f} s", flush=True
                )
                for complaint in soaked.complaints:
                    print(f"seed {soaked.seed}: {complaint}", flush=True)
                if options.logs is not None and soaked.complaints:
                    options.logs.mkdir(parents=True, exist_ok=True)
                    (options.logs / f"{soaked.seed}.log").write_text(soaked.log)
                    (options.logs / f"{soaked.seed}.requests").write_text("\n".join(soaked.requests))
                if options.only is not None:
                    print(soaked.log)
    return report(found, time.monotonic() - started)


def report(found: list[Soaked], took_s: float) -> int:
    """The figures; the exit code."""
    faults = sum((s.faults for s in found), Counter[str]())
    verdicts = [s.verdict for s in found if s.verdict is not None]
    bad = [s.seed for s in found if s.complaints]
    print(f"seeds              {len(found)} in {took_s / 60:.1f} minutes")
    print(f"runs               {sum(s.runs for s in found)}")
    print(f"kills              {sum(s.kills for s in found)}")
    print(f"faults             {faults.total()}: {', '.join(f'{kind} {n}' for kind, n in faults.most_common())}")
    print(f"duplicates         {sum(len(v.duplicates) for v in verdicts)}")
    print(f"second trainings   {sum(len(v.second_trainings) for v in verdicts)}")
    print(f"second samples     {sum(len(v.second_samples) for v in verdicts)}")
    print(f"lost records       {sum(len(v.lost) for v in verdicts)}")
    print(f"anything else      {sum(len(v.wrong) for v in verdicts) + sum(s.problem is not None for s in found)}")
    print(f"seeds with any     {sorted(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())

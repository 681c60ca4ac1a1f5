"""How well a run knows how long its requests will take: what its views said against what it took, minute by minute.

    python benchmarks/eta.py

Measured on a simulated clock (tests/soak/eta.py): engine, request budget and outlook are the tool's own, the service is
a fake behind a sliding window that answers 429 with a Retry-After in whole seconds. 1,010 requests of 500 captioned
images take about ten minutes under each bound. The same runs are a test: tests/soak/test_outlook.py.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the simulation lives among the tests

from tests.soak.eta import CASES, errors, watched_run


def main() -> None:
    os.fsync = lambda descriptor: None  # power is not what this is about
    for name, (own_limit, limiter) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            told = watched_run(Path(folder), own_limit=own_limit, limiter=limiter, models=5, images=100)
        found = errors(told)
        off = [said / took - 1 for _, said, took in found]
        print(
            f"{name}: {told.over_at:.0f} s of requests; said too little by {-min(off):.0%}, too much by {max(off):.0%}"
        )
        for minute in range(1, int(told.over_at / 60)):
            at, said, took = min(found, key=lambda one: abs(one[0] - minute * 60))
            print(f"  after {at / 60:4.1f} min: said {said:4.0f} s, took {took:4.0f} s, {said / took - 1:+.0%}")


if __name__ == "__main__":
    main()

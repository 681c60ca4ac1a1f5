"""validate of many new pictures: without an engine, and with workers of an engine, side by side in one run.

    python benchmarks/validate_engine.py
    python benchmarks/validate_engine.py --pictures 50000 --engine processes --engine dask

The pictures are small JPEGs that differ, in datasets of 1,000. What is measured is the scan of a whole process with an
empty cache: folders, hashes, pixels, captions, rules. Findings and cache must be the same, byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from io import BytesIO

from PIL import Image

OF_A_DATASET = 1_000  # no more are read
SIDE, CELLS = 256, 48  # about 18 KB: in files much smaller, one scan does not decode 50,000 pictures


def make_pictures(root: str, count: int) -> None:
    """Valid JPEGs with different pixels: squares in other colours for each."""
    dice = random.Random(1)
    lines = ["version: 1", "models:"]
    for first in range(0, count, OF_A_DATASET):
        name = f"set{first // OF_A_DATASET}"
        os.mkdir(os.path.join(root, name))
        lines.append(f"  {name}: {{ type: flux.1-lora, dataset: {{ images: ./{name} }} }}")
        for number in range(first, min(first + OF_A_DATASET, count)):
            held = BytesIO()
            cells = Image.frombytes("RGB", (CELLS, CELLS), dice.randbytes(3 * CELLS * CELLS))
            image = cells.resize((SIDE, SIDE), Image.Resampling.NEAREST)
            image.save(held, "JPEG", quality=50)
            with open(os.path.join(root, name, f"{number:06}.jpg"), "wb") as file:
                file.write(held.getvalue())
            with open(os.path.join(root, name, f"{number:06}.txt"), "w", encoding="utf-8") as text:
                text.write(f"thing number {number}, seen from {dice.random():.6f}")
    with open(os.path.join(root, "scenario.yaml"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    time.sleep(2.1)  # files that are younger are not trusted, and would be read again


def validated(root: str, *options: str) -> tuple[float, str]:
    """Seconds of a cold validate, and a digest of what it printed and kept."""
    cache = os.path.join(root, ".scenario", "cache")
    if os.path.exists(cache):
        os.unlink(cache)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "scenario_apply", "validate", "--format", "json", *options],
        cwd=root,
        capture_output=True,
        check=False,
    )
    took = time.perf_counter() - started
    if done.returncode not in (0, 1) or b'"diagnostics"' not in done.stdout:
        raise SystemExit(done.stderr.decode()[-2000:])
    with sqlite3.connect(cache) as database:
        rows = database.execute("SELECT * FROM datasets ORDER BY id").fetchall()
    return took, hashlib.sha256(done.stdout + repr(rows).encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--engine", action="append", default=[])
    parser.add_argument("--workers", type=int, action="append", default=[], help="cores to use; repeatable")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder:
        root = os.path.realpath(folder)
        make_pictures(root, options.pictures)
        alone, digest = validated(root)
        print(f"{options.pictures} new pictures, {len(cores)} cores")
        print(f"  without an engine  {alone:6.1f} s  {options.pictures / alone:6.0f} pictures a second")
        for engine in options.engine or ["processes"]:
            for workers in options.workers or sorted({1, len(cores)}):
                os.sched_setaffinity(0, cores[:workers])
                took, found = validated(root, "--engine", engine)
                os.sched_setaffinity(0, cores)
                assert found == digest, f"{engine} finds something else"
                print(
                    f"  {engine:<10} {workers} core{'s' if workers > 1 else ' '}  {took:6.1f} s  "
                    f"{options.pictures / took:6.0f} pictures a second, {alone / took:.2f} times as fast as without"
                )


if __name__ == "__main__":
    main()

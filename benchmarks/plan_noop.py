"""A plan of nothing: 1,000 models x 20 images with 20 caption files, whole processes, side by side in one run.

warm: `plan --no-refresh` with its fingerprint cache, against the floor: parse the YAML with libyaml, check the schema
with jsonschema-rs, load the state with orjson, scandir and stat every file. cold: without the cache, against the same
floor plus reading and hashing every picture on two threads. Prints medians, ratios pair by pair, and peak memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from _workload import make_workload, write_applied_state

FLOOR = """
import gc, os, sys
gc.disable()
import orjson, yaml, jsonschema_rs
root, cold = sys.argv[1], sys.argv[2] == "cold"
schema = orjson.loads(open(sys.argv[3], "rb").read())
manifest = yaml.load(open(os.path.join(root, "scenario.yaml"), "rb"), yaml.CSafeLoader)
jsonschema_rs.validator_for(schema).is_valid(manifest)
state = orjson.loads(open(os.path.join(root, "state", "scenario.json"), "rb").read())
pictures = []
for entry in os.scandir(root):
    if entry.name.startswith("set-"):
        for file in os.scandir(entry.path):
            file.stat()
            pictures.append(file.path)
if cold:
    from concurrent.futures import ThreadPoolExecutor
    from hashlib import sha256
    def digest(path):
        with open(path, "rb") as file:
            return sha256(file.read()).digest()
    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(digest, pictures))
print(len(manifest["models"]), len(state["resources"]), len(pictures))
"""
SCHEMA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "schema", "manifest.schema.json")


def timed(command: list[str], folder: str) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - started


def compare(name: str, folder: str, runs: int, *, cold: bool) -> None:
    floor, tool = [], []
    for _ in range(runs):
        floor.append(timed([sys.executable, "-c", FLOOR, folder, "cold" if cold else "warm", SCHEMA], folder))
        if cold:
            shutil.rmtree(os.path.join(folder, ".scenario"), ignore_errors=True)
        tool.append(timed([sys.executable, "-m", "scenario_apply", "plan", "--no-refresh"], folder))
    ratios = [b / a for a, b in zip(floor, tool, strict=True)]
    print(
        f"{name:22} floor {statistics.median(floor):6.2f} s   plan {statistics.median(tool):6.2f} s   "
        f"ratio {statistics.median(ratios):5.2f}  ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="scenario-bench-")
    try:
        write_applied_state(make_workload(folder, options.models, options.images, options.size))
        print(f"{options.models} models x {options.images} images of {options.size / 1000:g} KB, {options.runs} runs")
        compare("cold (hash everything)", folder, max(1, options.runs // 2), cold=True)
        compare("warm", folder, options.runs, cold=False)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of the largest process: {peak:.0f} MB")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

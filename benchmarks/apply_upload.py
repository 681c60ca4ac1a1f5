"""apply of 200 images of 1 MB, 50 ms latency, no rate limit: against the guides' sequential script, in one run.

Prints seconds, their ratio and the tool's peak memory. Trainings take no time, so only the work before them counts.
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

from _guides_script import Script
from _service import PACKAGE, emulator, run_tool
from _workload import caption, picture

OPTIONS = ("--rate-limit", "0", "--training-seconds", "0.05", "--queue-seconds", "0", "--max-training-images", "1000")


def make(folder: str, images: int, size: int) -> list[str]:
    os.makedirs(os.path.join(folder, "set"))
    names = []
    models = (images + 99) // 100
    for number in range(images):
        name = f"{number:03}.png"
        place = os.path.join(folder, f"set-{number % models}")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, name), "wb") as file:
            file.write(picture(number, size))
        with open(os.path.join(place, name[:-4] + ".txt"), "w", encoding="utf-8") as file:
            file.write(caption(number))
        names.append(name)
    entries = "".join(
        f"  m{n}:\n    type: flux.1-lora\n    dataset: {{ images: ./set-{n}, lint: {{ N04: off }} }}\n"
        for n in range(models)
    )
    with open(os.path.join(folder, "scenario.yaml"), "w", encoding="utf-8") as file:
        file.write("version: 1\nmodels:\n" + entries)
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--latency", default="50")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    # as installed: without bytecode on disk every start would compile the whole package
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", PACKAGE], check=True)
    script_s, tool_s = [], []
    for _ in range(options.runs):
        folder = tempfile.mkdtemp(prefix="scenario-bench-")
        try:
            make(folder, options.images, options.size)
            with emulator(*OPTIONS, "--latency", options.latency) as url:
                script = Script(url)
                started = time.perf_counter()
                for place in sorted(p for p in os.listdir(folder) if p.startswith("set-")):
                    names = sorted(n for n in os.listdir(os.path.join(folder, place)) if n.endswith(".png"))
                    script.upload(place, os.path.join(folder, place), names)
                script_s.append(time.perf_counter() - started)
            with emulator(*OPTIONS, "--latency", options.latency) as url:
                started = time.perf_counter()
                done = run_tool(url, folder, "apply", "--auto-approve", "--rate-limit", "0", "--no-wait")
                tool_s.append(time.perf_counter() - started)
                if done.returncode:
                    raise SystemExit(done.stdout + done.stderr)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    ratio = [a / b for a, b in zip(script_s, tool_s, strict=True)]
    print(f"{options.images} images of {options.size / 1e6:g} MB, {options.latency} ms latency, {options.runs} runs")
    print(
        f"guides' script  median {statistics.median(script_s):7.2f} s  min {min(script_s):.2f}  max {max(script_s):.2f}"
    )
    print(f"scenario-apply  median {statistics.median(tool_s):7.2f} s   min {min(tool_s):.2f}  max {max(tool_s):.2f}")
    print(f"times faster    median {statistics.median(ratio):7.2f}     (pair by pair)")
    print(f"peak memory of the largest child process: {peak:.0f} MB")


if __name__ == "__main__":
    main()

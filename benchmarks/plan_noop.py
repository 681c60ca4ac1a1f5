"""A plan of nothing: 1,000 models x 20 images with 20 caption files, whole processes, side by side in one run.

warm: `plan --no-refresh` with its fingerprint cache, against the floor: parse the YAML with libyaml, check the schema
with jsonschema-rs, load the state with orjson, scandir and stat every file. cold: without the cache, against the same
floor plus reading and hashing every picture on two threads. Prints medians, ratios pair by pair, and peak memory.

--terraform PATH: also Terraform's plan of nothing, with a terraform_data block for each model that holds the digests of
its pictures and its captions, against ours right before it. Its apply before that takes minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from _service import PACKAGE

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


def timed(command: list[str], folder: str) -> tuple[float, float]:
    """Seconds, and peak memory in MB, of one process."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(output.read().decode())
    return took, usage.ru_maxrss / 1024


BLOCK = """
resource "terraform_data" "model_{number:05}" {{
  input = {{
    name       = "Model {number}"
    type       = "flux.1-lora"
    parameters = {{ learningRate = {rate:.9f}, nbEpochs = 10, rank = 16 }}
    images     = {{ for f in fileset("set-{number:05}", "*.png") : f => filesha256("set-{number:05}/${{f}}") }}
    captions   = {{ for f in fileset("set-{number:05}", "*.txt") : f => file("set-{number:05}/${{f}}") }}
  }}
}}
"""
PLAN = [sys.executable, "-m", "scenario_apply", "plan", "--no-refresh"]


def compare_terraform(terraform: str, folder: str, models: int, runs: int) -> None:
    blocks = [BLOCK.format(number=number, rate=1e-4 + number * 1e-9) for number in range(models)]
    with open(os.path.join(folder, "main.tf"), "w", encoding="utf-8") as file:
        file.write("".join(blocks))
    timed([terraform, "init", "-input=false"], folder)
    took, _ = timed([terraform, "apply", "-auto-approve", "-input=false", "-parallelism=50"], folder)
    print(f"terraform apply, once  {took:6.1f} s")
    theirs, ours, peaks = [], [], []
    for _ in range(runs):
        ours.append(timed(PLAN, folder)[0])
        took, peak = timed([terraform, "plan", "-input=false", "-detailed-exitcode"], folder)
        theirs.append(took)
        peaks.append(peak)
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    print(
        f"{'terraform plan':22} warm  {statistics.median(ours):6.2f} s   plan {statistics.median(theirs):6.2f} s   "
        f"ratio {statistics.median(ratios):5.2f}  ({min(ratios):.2f} to {max(ratios):.2f})   peak {max(peaks):.0f} MB"
    )


def compare(name: str, folder: str, runs: int, *, cold: bool) -> None:
    floor, tool, peaks = [], [], []
    for _ in range(runs):
        floor.append(timed([sys.executable, "-c", FLOOR, folder, "cold" if cold else "warm", SCHEMA], folder)[0])
        if cold:
            shutil.rmtree(os.path.join(folder, ".scenario"), ignore_errors=True)
        took, peak = timed(PLAN, folder)
        tool.append(took)
        peaks.append(peak)
    ratios = [b / a for a, b in zip(floor, tool, strict=True)]
    print(
        f"{name:22} floor {statistics.median(floor):6.2f} s   plan {statistics.median(tool):6.2f} s   "
        f"ratio {statistics.median(ratios):5.2f}  ({min(ratios):.2f} to {max(ratios):.2f})   peak {max(peaks):.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--terraform", metavar="PATH", help="compare with this Terraform as well")
    options = parser.parse_args()
    # as installed: without bytecode on disk every start would compile the whole package
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", PACKAGE], check=True)
    folder = tempfile.mkdtemp(prefix="scenario-bench-")
    try:
        # in a process of its own: a child's peak memory counts its parent's at the moment of the fork
        make = (
            "from _workload import make_workload, write_applied_state;"
            f"write_applied_state(make_workload({folder!r}, {options.models}, {options.images}, {options.size}))"
        )
        subprocess.run([sys.executable, "-c", make], cwd=os.path.dirname(os.path.abspath(__file__)), check=True)
        print(f"{options.models} models x {options.images} images of {options.size / 1000:g} KB, {options.runs} runs")
        compare("cold (hash everything)", folder, max(1, options.runs // 2), cold=True)
        compare("warm", folder, options.runs, cold=False)
        if options.terraform:
            compare_terraform(options.terraform, folder, options.models, options.runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

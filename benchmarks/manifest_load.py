"""How long a manifest of many models takes to load, against parsing alone and against the plain way.

    python benchmarks/manifest_load.py            # 1,000 and 5,000 models

The plain way is yaml.load with CSafeLoader (no places, no YAML 1.2, no templates) and a jsonschema check. Every round
runs all of them one after the other, in this process and warm; medians and ratios are printed. The time of a fresh
process, including imports, is measured separately.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import jsonschema
import yaml

from scenario_apply.manifest.loader.load import load_manifest, manifest_schema
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.yaml.reader import read_yaml

ROUNDS = 5
_ONCE = """
import time; start = time.perf_counter()
from scenario_apply.manifest.loader.load import load_manifest
load_manifest({path!r}, variables={{}}, var_files=[], env={{}}, cwd="/")
print(time.perf_counter() - start)
"""


def manifest_text(models: int) -> str:
    lines = ["version: 1", "datasets:"]
    for i in range(models):
        lines += [f"  set-{i}:", f"    images: ./sets/{i:05d}", f"    trigger: TRIGGER_{i:05d}"]
    lines.append("models:")
    for i in range(models):
        lines += [
            f"  model-{i}:",
            f"    name: Model number {i}",
            "    type: flux.1-lora",
            f"    dataset: set-{i}",
            "    tags: [bench, small]",
            "    parameters:",
            "      learningRate: 1.0e-4",  # CSafeLoader reads 1e-4 as text
            "      nbEpochs: 10",
            "      nbRepeats: 20",
            "      rank: 16",
        ]
    return "\n".join(lines) + "\n"


def measure(models: int) -> float:
    """Prints the medians of one size; returns seconds of load_manifest."""
    text = manifest_text(models)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scenario.yaml")
        with open(path, "w") as file:
            file.write(text)
        data = text.encode()
        validator = jsonschema.Draft202012Validator(yaml.safe_load(manifest_schema()))

        def plain() -> None:
            validator.validate(yaml.load(data, Loader=yaml.CSafeLoader))

        contenders: dict[str, Callable[[], object]] = {
            "load_manifest": lambda: load_manifest(path, variables={}, var_files=[], env={}, cwd=folder),
            "our parse with places": lambda: read_yaml(path, data, Report()),
            "CSafeLoader alone": lambda: yaml.load(data, Loader=yaml.CSafeLoader),
        }
        if models <= 1000:
            contenders["CSafeLoader + jsonschema"] = plain
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, run in contenders.items():
                start = time.perf_counter()
                run()
                times[name].append(time.perf_counter() - start)
        fresh = []
        for _ in range(ROUNDS):
            done = subprocess.run(
                [sys.executable, "-c", _ONCE.format(path=path)], capture_output=True, text=True, check=True
            )
            fresh.append(float(done.stdout))
    ours = statistics.median(times["load_manifest"])
    print(f"{models} models, {len(data) / 1e6:.2f} MB of YAML")
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"  {name:26} {median * 1000:8.0f} ms   load_manifest is {ours / median:5.2f} of it")
    print(f"  {'a fresh process, imports':26} {statistics.median(fresh) * 1000:8.0f} ms")
    return ours


if __name__ == "__main__":
    small, large = measure(1000), measure(5000)
    print(f"5,000 models take {large / small:.1f} times as long as 1,000 (linear: 5)")

"""How much of its own request limit each project of a fleet uses while all of them upload at once.

    python benchmarks/fleet_limits.py
    python benchmarks/fleet_limits.py --projects 200 --limit 20

`fleet apply --no-wait` against an embedded Scenario that refuses more than --limit requests a minute and project.
Shares are of what a limit lets through in the whole minutes that a project took. The same for single commands, as many
at once, started by `xargs -P`.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import statistics
import sys
import tempfile
from collections import defaultdict

from _service import emulator, requests_seen
from fleet_scale import _ADOPT_ORPHANS, Run
from PIL import Image


def write_projects(root: str, projects: int, models: int, images: int) -> None:
    """One manifest a project, whose models share a dataset."""
    dice = random.Random(2)
    lines = ["version: 1", "projects:"]
    for project in range(projects):
        home = os.path.join(root, f"p{project:03}")
        os.makedirs(os.path.join(home, "set"))
        for number in range(images):
            picture = Image.frombytes("RGB", (8, 8), dice.randbytes(192)).resize((512, 512))
            picture.save(os.path.join(home, "set", f"{number}.jpg"), quality=40)
            with open(os.path.join(home, "set", f"{number}.txt"), "w", encoding="utf-8") as file:
                file.write(f"thing number {number} of {project}")
        text = ["version: 1", f"project: proj-{project}", "datasets: { set: { images: ./set } }", "models:"]
        text += [f"  m{n}: {{ name: p{project} m{n}, type: flux.1-lora, dataset: set }}" for n in range(models)]
        with open(os.path.join(home, "scenario.yaml"), "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")
        lines.append(f"  - {{ project: proj-{project}, manifests: [p{project:03}/scenario.yaml] }}")
    with open(os.path.join(root, "fleet.yaml"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def shares(url: str, limit: int) -> tuple[list[float], int, int]:
    """Of every project the share of its limit that it used; how many requests were answered, and refused with 429."""
    times: dict[str, list[float]] = defaultdict(list)
    refused = 0
    for request in requests_seen(url):
        if request["status"] == 429:
            refused += 1
        elif str(request["path"]).startswith("/v1/") and request["project"]:
            times[str(request["project"])].append(int(str(request["at_ms"])) / 1000)
    used = []
    for sent in times.values():
        first = min(sent)
        minutes = int(max(sent) - first) // 60
        if minutes:
            used.append(sum(at < first + 60 * minutes for at in sent) / (minutes * limit))
    return used, sum(map(len, times.values())), refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=40)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="requests a minute and project")
    parser.add_argument("--without-xargs", action="store_true", help="measure the fleet alone")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1)
    tool = [sys.executable, "-m", "scenario_apply"]
    per_minute = ("--rate-limit", str(options.limit))
    held = ("--training-seconds", "86400", "--parallel-training", "100000")
    commands = {
        "fleet": [*tool, "fleet", "apply", "--auto-approve", "--no-wait", "-q", "--max", str(options.projects)],
    }
    names = " ".join(f"p{project:03}" for project in range(options.projects))
    one = f"{' '.join(tool)} apply NAME/scenario.yaml --auto-approve --no-wait -q --rate-limit {options.limit}"
    if not options.without_xargs:
        commands["xargs -P"] = [
            "sh", "-c", f"echo {names} | tr ' ' '\\n' | xargs -P {options.projects} -I NAME {one}",
        ]  # fmt: skip
    commands["fleet"] += per_minute
    for name, command in commands.items():
        with tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder, emulator(*held, *per_minute) as url:
            root = os.path.realpath(folder)
            write_projects(root, options.projects, options.models, options.images)
            run = Run(root, url, command)
            used, answered, refused = shares(url, options.limit)
        print(
            f"{name:<9} {len(used)} projects, {answered} requests, {refused} refused, {run.seconds:.0f} s, "
            f"{run.processor:.0f} s of processor time, first process {run.memory:.0f} MB"
        )
        low, middle = min(used), statistics.median(used)
        enough = sum(share >= 0.95 for share in used)
        print(f"          share of its limit: median {middle:.3f}, least {low:.3f}; {enough} of {len(used)} >= 0.95")


if __name__ == "__main__":
    main()

"""Requests and compute units of samples: the tool against a plain script that draws and polls one after the other.

    python benchmarks/samples_requests.py [--versions 20] [--prompts 6]

Both draw the same prompts with the same seeds for the same trained models, each on an embedded Scenario of its own,
with the same pause between polls. The script is what a user of the guides would write: POST the generation, poll its
job until it has ended, read the asset. It keeps no record, so a second run draws everything again; the tool draws what
is missing. Three runs in a row: the first, one after a prompt was changed, and one after nothing was.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass

from _guides_script import Script
from _service import emulator, requests_seen, run_tool
from _workload import caption, picture

BASE = "model_bfl-flux-1-dev"
POLL_S = 0.15
GENERATION = ("--training-seconds", "2")
"""Of the embedded Scenario: a generation then takes 0.35 s, as long as two or three polls."""
SUBJECTS = (
    "at dusk",
    "in a forest",
    "beside a campfire",
    "on a bridge",
    "in the rain",
    "at sea",
    "at night",
    "indoors",
)


@dataclass(frozen=True)
class Round:
    """What one run took. seconds: by the clock."""

    requests: int
    launches: int
    cu: float
    seconds: float


def prompts(count: int, changed: bool) -> list[str]:
    """As many prompts, of which the last is another one when it was changed."""
    found = [f"KAEL {SUBJECTS[n % len(SUBJECTS)]}, picture {n}" for n in range(count)]
    return [*found[:-1], "KAEL in the snow"] if changed else found


def write_manifest(folder: str, versions: int, samples: list[str]) -> None:
    """A sweep of that many values over one small set of images, with the samples that each child owes."""
    rates = ", ".join(f"{n}e-5" for n in range(1, versions + 1))
    owed = "".join(f'      - "{prompt}"\n' for prompt in samples)
    with open(os.path.join(folder, "scenario.yaml"), "w", encoding="utf-8") as file:
        file.write(
            "version: 1\nmodels:\n  kael:\n    type: flux.1-lora\n    dataset: ./kael\n"
            f"    matrix: {{ learningRate: [{rates}] }}\n"
            "    parameters: { nbEpochs: 1, nbRepeats: 1 }\n" + (f"    samples:\n{owed}" if owed else "")
        )


def train(url: str, folder: str, versions: int) -> None:
    """The models that are drawn with: not counted."""
    os.makedirs(os.path.join(folder, "kael"))
    for position in range(3):
        with open(os.path.join(folder, "kael", f"{position}.png"), "wb") as file:
            file.write(picture(position, 3000))
        with open(os.path.join(folder, "kael", f"{position}.txt"), "w", encoding="utf-8") as file:
            file.write(caption(position))
    write_manifest(folder, versions, [])
    apply(url, folder)


def apply(url: str, folder: str) -> None:
    """The tool, until nothing is left to do."""
    done = run_tool(
        url, folder, "apply", "--auto-approve", "--rate-limit", "0", "--poll-interval", str(POLL_S), "--quiet"
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def measured(url: str, before: int, cu_before: float, started: float) -> Round:
    """What the emulator saw since, uploads and pictures not counted: they are no requests of the API."""
    seen = [r for r in requests_seen(url)[before:] if str(r["path"]).startswith("/v1/")]
    launches = [r for r in seen if "/generate/custom/" in str(r["path"]) and r["status"] == 200]
    return Round(len(seen), len(launches), spent(url) - cu_before, time.perf_counter() - started)


def spent(url: str) -> float:
    """Compute units consumed, by the emulator's own account."""
    usages = Script(url).call("GET", "/usages")
    return float(usages["consumption"][0]["value"])  # type: ignore[index]  # plain JSON


def by_tool(url: str, folder: str, versions: int, samples: list[str]) -> Round:
    """One run of the tool."""
    write_manifest(folder, versions, samples)
    cu, before, started = spent(url), len(requests_seen(url)), time.perf_counter()
    apply(url, folder)
    return measured(url, before, cu, started)


def by_script(url: str, models: list[str], samples: list[str]) -> Round:
    """One run of the script."""
    script = Script(url, POLL_S)
    cu, before, started = spent(url), len(requests_seen(url)), time.perf_counter()
    for model in models:
        for seed, prompt in enumerate(samples):
            script.draw(BASE, {"prompt": prompt, "seed": seed, "loras": [model], "lorasScale": [1]})
    return measured(url, before, cu, started)


def rounds(versions: int, count: int) -> list[tuple[str, Round, Round]]:
    """Tool and script side by side, each on its own emulator."""
    sets = (("first run", False), ("one prompt changed", True), ("nothing changed", True))
    with (
        tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder,
        emulator("--rate-limit", "0", *GENERATION) as ours,
        emulator("--rate-limit", "0", *GENERATION) as theirs,
    ):
        train(ours, folder, versions)
        with tempfile.TemporaryDirectory(prefix="scenario-bench-") as other:
            train(theirs, other, versions)
        listed = Script(theirs).call("GET", "/models?pageSize=500")["models"]
        models = [str(model["id"]) for model in listed]  # type: ignore[attr-defined]  # plain JSON
        return [
            (
                name,
                by_tool(ours, folder, versions, prompts(count, changed)),
                by_script(theirs, models, prompts(count, changed)),
            )
            for name, changed in sets
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=6)
    options = parser.parse_args()
    print(f"{options.versions} versions x {options.prompts} prompts, a poll every {POLL_S} s")
    print(f"{'':20} {'requests':>18} {'launches':>14} {'CU':>18} {'seconds':>14}   requests, CU: ratio")
    all_ours, all_theirs = [], []
    for name, ours, theirs in rounds(options.versions, options.prompts):
        print_row(name, ours, theirs)
        all_ours.append(ours)
        all_theirs.append(theirs)
    print_row("together", together(all_ours), together(all_theirs))


def print_row(name: str, ours: Round, theirs: Round) -> None:
    print(
        f"{name:20} {ours.requests:8} / {theirs.requests:7} {ours.launches:6} / {theirs.launches:5} "
        f"{ours.cu:8g} / {theirs.cu:7g} {ours.seconds:6.0f} / {theirs.seconds:5.0f}   "
        f"{ours.requests / theirs.requests:.2f}, {ours.cu / theirs.cu:.2f}"
    )


def together(found: list[Round]) -> Round:
    """The sums of all runs."""
    return Round(
        sum(one.requests for one in found),
        sum(one.launches for one in found),
        sum(one.cu for one in found),
        sum(one.seconds for one in found),
    )


if __name__ == "__main__":
    main()

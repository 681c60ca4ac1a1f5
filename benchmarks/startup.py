"""How long the command takes to start, against an empty Python and Terraform: run in turns, medians and ratios.

Promises: --version at most 1.5 times `python -c pass` and under `terraform version`; --help under 2 times
`terraform -help`. Run it on an installed checkout: python benchmarks/startup.py [ROUNDS]
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 21


def commands() -> dict[str, list[str]]:
    """What is measured, by the name it is printed under."""
    beside = Path(sys.executable).parent / "scenario-apply"
    script = str(beside) if beside.exists() else shutil.which("scenario-apply")
    ours = [script] if script else [sys.executable, "-m", "scenario_apply"]
    found = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "scenario-apply --version": [*ours, "--version"],
        "scenario-apply --help": [*ours, "--help"],
        "scenario-apply plan --help": [*ours, "plan", "--help"],
    }
    terraform = shutil.which("terraform")
    if terraform:
        found |= {"terraform version": [terraform, "version"], "terraform -help": [terraform, "-help"]}
    return found


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of every run. In turns, so that a busy moment of the machine hits all of them."""
    taken: dict[str, list[float]] = {name: [] for name in commands()}
    environment = os.environ | {"CHECKPOINT_DISABLE": "1"}  # terraform does not look for newer versions of itself
    for number in range(rounds + 2):
        for name, command in commands().items():
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=environment)
            if number >= 2:  # the first rounds fill the file cache
                taken[name].append(time.perf_counter() - began)
    return taken


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    taken = measure(rounds)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    base = medians["python -c pass"]
    print(f"{'command':<28} {'median':>9} {'best':>9} {'to python -c pass':>18}   ({rounds} rounds)")
    for name, median in medians.items():
        print(f"{name:<28} {median * 1000:>6.1f} ms {min(taken[name]) * 1000:>6.1f} ms {median / base:>17.2f}x")
    checks = [("--version, to python -c pass", medians["scenario-apply --version"] / base, 1.5)]
    if "terraform version" in medians:
        version, help_ = medians["scenario-apply --version"], medians["scenario-apply --help"]
        checks.append(("--version, to terraform version", version / medians["terraform version"], 1.0))
        checks.append(("--help, to terraform -help", help_ / medians["terraform -help"], 2.0))
    else:
        print("terraform is not installed here: compared with python only")
    for what, ratio, most in checks:
        print(f"{'ok  ' if ratio <= most else 'OVER'} {what}: {ratio:.2f}, at most {most}")
    return 0 if all(ratio <= most for _, ratio, most in checks) else 1


if __name__ == "__main__":
    sys.exit(main())

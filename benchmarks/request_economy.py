"""Requests of an apply against the guides' script: several models over one set of captioned images.

The script's polls are counted for the same training time; both numbers are the emulator's own count.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

from _guides_script import Script
from _service import PACKAGE, emulator, requests_seen, run_tool
from _workload import caption, picture

GUIDE_POLL_S = 3.0
TOOL_POLL_S = 5.0
"""Closer than the tool's own pace, which slows down to ten seconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--training-seconds", type=float, default=600.0, help="as the service would take")
    parser.add_argument("--faster", type=float, default=100.0, help="trainings and polls of both run so much faster")
    options = parser.parse_args()
    # as installed: without bytecode on disk every start would compile the whole package
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "-j", "0", PACKAGE], check=True)
    folder = tempfile.mkdtemp(prefix="scenario-bench-")
    service = ("--rate-limit", "0", "--training-seconds", str(options.training_seconds / options.faster))
    try:
        place = os.path.join(folder, "set")
        os.makedirs(place)
        names = [f"{number:03}.png" for number in range(options.images)]
        for number, name in enumerate(names):
            with open(os.path.join(place, name), "wb") as file:
                file.write(picture(number, 10_000))
            with open(os.path.join(place, name[:-4] + ".txt"), "w", encoding="utf-8") as file:
                file.write(caption(number))
        models = "".join(f"  m{n}: {{ type: flux.1-lora, dataset: ./set }}\n" for n in range(options.models))
        with open(os.path.join(folder, "scenario.yaml"), "w", encoding="utf-8") as file:
            file.write("version: 1\nmodels:\n" + models)
        with emulator(*service) as url:
            script = Script(url, poll_s=GUIDE_POLL_S / options.faster)
            for number in range(options.models):
                script.train(script.upload(f"m{number}", place, names))
            theirs = Counter(f"{r['method']}" for r in requests_seen(url))
        with emulator(*service) as url:
            done = run_tool(
                url,
                folder,
                "apply",
                "--auto-approve",
                "--rate-limit",
                "0",
                "--poll-interval",
                str(TOOL_POLL_S / options.faster),
            )
            if done.returncode:
                raise SystemExit(done.stdout + done.stderr)
            ours = Counter(f"{r['method']}" for r in requests_seen(url))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    script_total, tool_total = sum(theirs.values()), sum(ours.values())
    print(f"{options.models} models over {options.images} captioned images, {options.training_seconds:g} s each")
    print(f"guides' script  {script_total:5} requests  {dict(theirs)}")
    print(f"scenario-apply  {tool_total:5} requests  {dict(ours)}")
    print(f"share           {tool_total / script_total:5.2f}")


if __name__ == "__main__":
    main()

"""A fleet of many projects against the embedded Scenario, beside single plans in one process and under `xargs -P`.

    python benchmarks/fleet_scale.py
    python benchmarks/fleet_scale.py --projects 200 --models 5

All trainings are made first, by `fleet apply`.
Then a plan of nothing is measured: requests, seconds, processor time of all processes, memory of the coordinator.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time

from _service import emulator, requests_seen
from PIL import Image

_ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux
_ONE_PROCESS = """
import sys
from scenario_apply.cli.main import run
sys.exit(max(run(["plan", f"{name}/scenario.yaml", "-q", "--rate-limit", "0"]) for name in sys.argv[1:]))
"""


def write_fleet(root: str, projects: int, models: int) -> None:
    dice = random.Random(1)
    lines = ["version: 1", "projects:"]
    for project in range(projects):
        home = os.path.join(root, f"p{project:03}")
        os.makedirs(os.path.join(home, "set"))
        Image.frombytes("RGB", (8, 8), dice.randbytes(192)).resize((512, 512)).save(os.path.join(home, "set", "1.jpg"))
        with open(os.path.join(home, "set", "1.txt"), "w", encoding="utf-8") as file:
            file.write(f"thing number {project}")
        text = ["version: 1", f"project: proj-{project}", "datasets: { set: { images: ./set } }", "models:"]
        for n in range(models):
            steps = f"parameters: {{ maxTrainSteps: {500 + n} }}"
            text.append(f"  m{n}: {{ name: p{project} m{n}, type: flux.1-lora, dataset: set, {steps} }}")
        with open(os.path.join(home, "scenario.yaml"), "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")
        lines.append(f"  - {{ project: proj-{project}, manifests: [p{project:03}/scenario.yaml] }}")
    with open(os.path.join(root, "fleet.yaml"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


class Run:
    """One command: seconds, processor seconds of it and its children, and the most memory of its own process in MB."""

    def __init__(self, root: str, url: str, command: list[str]) -> None:
        environment = {
            **os.environ,
            "SCENARIO_SDK_API_KEY": "key",
            "SCENARIO_SDK_API_SECRET": "secret",
            "SCENARIO_BASE_URL": url,
        }
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.memory = 0.0
        watch = threading.Thread(target=self._watch, args=(process,))
        watch.start()
        self.text, _ = process.communicate()
        self.seconds = time.perf_counter() - started
        watch.join()
        time.sleep(0.5)
        with contextlib.suppress(ChildProcessError):  # workers, whose times count once they were waited for
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if process.returncode:
            raise SystemExit(self.text[-3000:])

    def _watch(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                    line = next((line for line in status if line.startswith("VmHWM")), "VmHWM: 0 kB")
            except OSError:
                return
            self.memory = max(self.memory, int(line.split()[1]) / 1024)
            time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=20)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--engine", default="processes")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1)
    tool = [sys.executable, "-m", "scenario_apply"]
    times = ("--training-seconds", "0.5", "--queue-seconds", "0", "--parallel-training", "100000", "--rate-limit", "0")
    with tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder, emulator(*times) as url:
        root = os.path.realpath(folder)
        write_fleet(root, options.projects, options.models)
        asked = ["--engine", options.engine, "--rate-limit", "0", "-q"]
        made = Run(root, url, [*tool, "fleet", "apply", "--auto-approve", *asked])
        print(f"{options.projects} projects x {options.models} models were made in {made.seconds:.0f} s")
        print(f"  {made.processor:.1f} s of processor time, coordinator at most {made.memory:.0f} MB")
        before = int(str(requests_seen(url)[-1]["number"]))
        fleet = Run(root, url, [*tool, "fleet", "plan", *asked])
        sent = sum(int(str(request["number"])) > before for request in requests_seen(url))
        least = options.projects * -(-options.models // 50)
        folders = [f"p{project:03}" for project in range(options.projects)]
        alone = Run(root, url, [sys.executable, "-c", _ONE_PROCESS, *folders])
        names = " ".join(folders)
        one = f"{' '.join(tool)} plan NAME/scenario.yaml -q"
        script = f"echo {names} | tr ' ' '\\n' | xargs -P {os.cpu_count()} -I NAME {one}"
        shell = Run(root, url, ["sh", "-c", script])
        print(f"a plan of nothing: {sent} requests, at least {least}")
        print(f"  fleet     {fleet.seconds:6.2f} s, {fleet.processor:6.2f} s of processor time, {fleet.memory:.0f} MB")
        print(f"  one by one, one process  {alone.seconds:6.2f} s, {alone.processor:6.2f} s of processor time")
        print(f"  xargs -P  {shell.seconds:6.2f} s, {shell.processor:6.2f} s of processor time")
        beyond = fleet.processor - alone.processor
        print(f"  the fleet takes {fleet.seconds / shell.seconds:.2f} of the time of xargs")
        print(f"  and {beyond:.2f} s of processor time beyond single plans in one process")


if __name__ == "__main__":
    main()

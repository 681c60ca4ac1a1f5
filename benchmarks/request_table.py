"""Requests of an apply against those of the guides' script, for three sizes; the calculation is printed.

    python benchmarks/request_table.py              # the first two sizes are run, too; --run-all runs the third

The script is benchmarks/_guides_script.py: create, add and caption every image of every model, launch, poll the job
every three seconds for the whole training. Its count is arithmetic. Ours is the plan's own count, made by the tool
from a manifest of that size, with the polls of so long a training: all models of a round in requests of fifty, three
to ten seconds apart. Beside it is what the emulator counted while the manifest was applied with short trainings. The
models share one set of images and captions ("one set"), or each has its own ("own sets").
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter

from _service import emulator, requests_seen, run_tool
from _workload import caption, picture

from scenario_apply.apply.poller import expected_polls
from scenario_apply.model.limits import MODELS_PER_BULK_READ

SIZES = ((1, 15), (10, 50), (100, 20))
TRAINING_S = 30 * 60
POLL_S = 3


def script_requests(models: int, images: int, training_s: float = TRAINING_S) -> tuple[int, str]:
    """What the guides' script sends, and how that comes about."""
    polls = int(training_s / POLL_S)
    each = 1 + 2 * images + 1 + polls
    return models * each, f"{models} x (1 create + {images} images + {images} captions + 1 train + {polls} polls)"


def make(folder: str, models: int, images: int, *, shared: bool) -> None:
    """Small pictures with captions and the manifest."""
    for number in range(1 if shared else models):
        place = os.path.join(folder, f"set-{number}")
        os.makedirs(place)
        for position in range(images):
            seed = number * images + position
            with open(os.path.join(place, f"{position:02}.png"), "wb") as file:
                file.write(picture(seed, 3000))
            with open(os.path.join(place, f"{position:02}.txt"), "w", encoding="utf-8") as file:
                file.write(caption(seed))
    entries = "".join(f"  m{n}: {{ type: flux.1-lora, dataset: ./set-{0 if shared else n} }}\n" for n in range(models))
    with open(os.path.join(folder, "scenario.yaml"), "w", encoding="utf-8") as file:
        file.write("version: 1\nmodels:\n" + entries)


def ours(models: int, images: int, *, shared: bool, run: bool) -> None:
    """Prints the plan's count and, when it is run, the emulator's."""
    name = "one set" if shared else "own sets"
    with (
        tempfile.TemporaryDirectory(prefix="scenario-bench-") as folder,
        emulator("--rate-limit", "0", "--training-seconds", "1", "--queue-seconds", "0") as url,
    ):
        make(folder, models, images, shared=shared)
        planned = run_tool(url, folder, "plan", "--format", "json", "--rate-limit", "0")
        if planned.returncode:
            raise SystemExit(planned.stdout + planned.stderr)
        counts: dict[str, int] = json.loads(planned.stdout)["requests"]["by_step"]
        counts.pop("wait", None)  # a guess as long as no training has taken place
        polls = expected_polls(TRAINING_S, None) * -(-models // MODELS_PER_BULK_READ)
        words = " + ".join(f"{number} {kind}" for kind, number in counts.items())
        total = sum(counts.values())
        minutes = (total - 1) // 100
        script, _ = script_requests(models, images)
        share = (total + polls) / script
        print(f"  ours, {name:8}  {total + polls:7} = {words} + {polls} polls; {minutes} min at 100/min; {share:.1%}")
        if not run:
            return
        before = len(requests_seen(url))
        done = run_tool(url, folder, "apply", "--auto-approve", "--rate-limit", "0", "-q")
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        seen = requests_seen(url)[before:]
        reads = [r for r in seen if r["method"] == "GET" or "get-bulk" in str(r["path"])]
        writes = Counter(str(r["method"]) for r in seen if r not in reads)
        print(
            f"    as applied     {writes.total():7} writes, by the emulator's own count; {len(reads)} reads and polls"
        )
        if writes.total() != total:
            raise SystemExit(f"the plan said {total}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-all", action="store_true", help="apply the largest size, too")
    options = parser.parse_args()
    for models, images in SIZES:
        script, arithmetic = script_requests(models, images)
        print(f"{models} models x {images} images, trainings of {TRAINING_S // 60} minutes")
        print(f"  guides' script   {script:7} = {arithmetic}; at least {(script - 1) // 100} min at 100/min")
        for shared in (True, False) if models > 1 else (True,):
            ours(models, images, shared=shared, run=options.run_all or models < 100)


if __name__ == "__main__":
    main()

"""How long and how large the comment on a plan of many models is, and how fast it is written.

    python benchmarks/review_size.py                            # 100 models of 30 pictures, on every host
    python benchmarks/review_size.py --models 1000 --captions 200

Each model has parameters, pictures that come, go and are replaced, and captions that change by some words.

Goals: within what the host takes, whatever the plan; at most 2 s and 100 MB for 100 models.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar, get_args

from scenario_apply.model.address import Address
from scenario_apply.planning.changes import (
    Action,
    CaptionChange,
    CaptionDiff,
    Change,
    Cost,
    ImageChange,
    ImageDiff,
)
from scenario_apply.planning.plan import Plan, PlanSource
from scenario_apply.planning.reasons import CaptionsChanged, ImagesChanged, ParameterChanged
from scenario_apply.review.markdown.fitting import length_of
from scenario_apply.review.markdown.picture_links import Commit, Flavour, PictureLinks
from scenario_apply.review.markdown.plan_markdown import LONGEST, MarkdownOptions, plan_markdown
from scenario_apply.review.plan_view import PlanView, plan_view

T = TypeVar("T")
_WORDS = (
    "cloak",
    "hood",
    "fox",
    "stone bridge",
    "harbour",
    "lantern",
    "mask",
    "throne",
    "ship",
    "owl",
    "orchard",
    "snow",
)
_REPOSITORY = "https://git.example/studio/characters"


def main() -> int:
    """Print a line for each host; 1 when a comment is longer than its host takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=30, help="that change in each model")
    parser.add_argument("--captions", type=int, default=30, help="that change in each model")
    asked = parser.parse_args()
    chance = random.Random(7)  # the same plan each time
    plan = _plan([_change(n, asked.pictures, asked.captions, chance) for n in range(asked.models)])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    view, seconds = _timed(lambda: plan_view(plan))
    print(f"{asked.models:,} models with {asked.pictures} pictures and {asked.captions} captions: view {seconds:.2f} s")
    print(f"{'host':10} {'characters':>10} {'of':>10} {'blocks':>6} {'lines':>6} {'counted':>7} {'seconds':>8}")
    longer = [flavour for flavour in get_args(Flavour) if _report(view, flavour)]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"memory: {grown:.0f} MB more than the plan takes")
    return int(bool(longer))


def _report(view: PlanView, flavour: Flavour) -> bool:
    head, base = (Commit(url=_REPOSITORY, sha=letter * 40) for letter in "ab")
    links = PictureLinks(flavour=flavour, head=head, base=base, folder="art")
    options = MarkdownOptions(flavour=flavour, links=links, report_url="https://ci.example/report.html")
    text, seconds = _timed(lambda: plan_markdown(view, options))
    blocks = len(re.findall(r"^(?:<summary>|#### )", text, re.MULTILINE))
    lines = len(re.findall(r"^- `.` ", text, re.MULTILINE))
    left = re.search(r"([\d,]+) resources? (?:is|are) only counted", text)
    shown = f"{flavour:10} {length_of(text):>10,} {LONGEST[flavour]:>10,} {blocks:>6} {lines:>6}"
    print(f"{shown} {left[1] if left else '0':>7} {seconds:>8.2f}")
    return length_of(text) > LONGEST[flavour]


def _timed(action: Callable[[], T]) -> tuple[T, float]:
    start = time.process_time()
    return action(), time.process_time() - start


def _plan(changes: list[Change]) -> Plan:
    source = PlanSource(
        manifest_path="art", manifest_digest="sha256:0", lineage="a", serial=1, endpoint="local", project=None
    )
    return Plan(source=source, tool_version="0", created_at="2026-01-01T00:00:00Z", changes=tuple(changes), steps=())


def _change(number: int, pictures: int, captions: int, chance: random.Random) -> Change:
    def picture(index: int) -> ImageChange:
        path = f"poses/{chance.choice(_WORDS)}-{index:03}.png"
        return ImageChange(path=path, file=f"model-{number:03}/{path}", caption=_caption(chance), sha256="ab" * 32)

    found = [picture(index) for index in range(pictures)]
    third = len(found) // 3
    parameters = {"learningRate": 1e-4, "nbEpochs": 10, "nbRepeats": 20, "batchSize": 1}
    labels = {"name": f"Model {number}", "type": "flux.1-lora"}
    return Change(
        address=Address("model", f"model-{number:03}"),
        action=Action.REPLACE,
        change_class="training",
        reasons=(
            ParameterChanged("nbEpochs", 10, 12),
            ImagesChanged(third, third, len(found) - 2 * third),
            CaptionsChanged(0, captions, 0),
        ),
        before={"id": f"model_{number}", **labels, "parameters": parameters},
        after={**labels, "parameters": {**parameters, "nbEpochs": 12}},
        images=ImageDiff(
            add=tuple(found[:third]), change=tuple(found[third : 2 * third]), remove=tuple(found[2 * third :])
        ),
        captions=CaptionDiff(change=tuple(_changed(n, chance) for n in range(captions))),
        cost=Cost(cu=230, source="quoted"),
        requests=60,
        image_count=40,
        arithmetic="40 images x 20 repeats x 12 epochs / batch 1 = 9600 steps",
    )


def _caption(chance: random.Random) -> str:
    return f"KAEL_07, {', '.join(' '.join(chance.choices(_WORDS, k=4)) for _ in range(5))}"


def _changed(index: int, chance: random.Random) -> CaptionChange:
    before = _caption(chance)
    words = before.split()
    words[chance.randrange(1, len(words))] = "amber"
    return CaptionChange(path=f"{index:03}.png", before=before, after=" ".join(words))


if __name__ == "__main__":
    sys.exit(main())

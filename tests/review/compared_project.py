"""A folder with a manifest, a state with samples, and their small copies: what compare and report read."""

from __future__ import annotations

import json
from pathlib import Path

from scenario_apply.state.state import DrawnPicture, Record, State, Version
from scenario_apply.state.state_file import state_to_json
from tests.review.compared import KAEL, draw, picture, request, sample, version

MANIFEST = """\
version: 1
models:
  kael: { type: flux.1-lora, dataset: ./kael }
"""
PROMPTS = ("at the harbour", "portrait, green cloak", "in a forest", "on a bridge", "asleep", "by the fire")


def write_project(root: Path, *, versions: int = 2, prompts: int = 2, pictures: int = 1, size: int = 256) -> State:
    """model.kael with so many versions, each of which drew so many pictures of so many prompts."""
    (root / "kael").mkdir(parents=True)
    from PIL import Image

    for number in range(3):
        Image.effect_noise((320, 320), 40 + 20 * number).convert("RGB").save(root / "kael" / f"{number}.png")
        (root / "kael" / f"{number}.txt").write_text(f"KAEL_07, number {number}\n")
    (root / "scenario.yaml").write_text(MANIFEST)
    folder = root / ".scenario" / "samples"
    made = [_version(folder, number, prompts, pictures, size) for number in range(1, versions + 1)]
    state = State(
        lineage="l", serial=1, endpoint="local", records={KAEL: Record(current=made[-1], previous=(*made[-2::-1],))}
    )
    (root / "state").mkdir()
    (root / "state" / "scenario.json").write_text(json.dumps(state_to_json(state, tool_version="0")))
    return state


def _version(folder: Path, number: int, prompts: int, pictures: int, size: int) -> Version:
    samples = []
    for at, prompt in enumerate(PROMPTS[:prompts]):
        drawn: list[DrawnPicture] = []
        for one in range(pictures):
            name = f"v{number} s{at} p{one}"
            drawn.append(picture(name.replace(" ", "_"), 1 << number + at, draw(folder, name, size)))
        asked = request(f"KAEL_07 {prompt}", name=str(at + 1), seed=at, count=pictures)
        samples.append(sample(asked, *drawn, charged=10.75 * pictures))
    rate = 1e-4 * number
    return version(
        number,
        *samples,
        at=f"2026-11-{number:02}T10:00:00Z",
        parameters={"learningRate": round(rate, 6), "nbEpochs": 10},
    )

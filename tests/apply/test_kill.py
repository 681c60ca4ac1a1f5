"""The command itself, killed with SIGKILL at seeded moments while it applies against the emulator, then run again.

Moments are counted in requests that arrived, plus a few milliseconds, so that a slow machine dies as evenly as a fast
one. SCENARIO_KILL_SEEDS=50 runs more of them.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from scenario_apply.api import connect
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.model.remote import RemoteModel
from tests.fakes.clock import FakeClock

SEEDS = int(os.environ.get("SCENARIO_KILL_SEEDS", "2"))
KILLS = 3
MANIFEST = """\
version: 1
datasets:
  kael: { images: ./kael }
  props: { images: ./props }
models:
  kael: { name: Kael, type: flux.1-lora, dataset: kael, parameters: { rank: 8 } }
  fast: { name: Fast, type: flux.1-lora, dataset: kael, parameters: { rank: 4 } }
  props: { name: Props, type: sd-xl-lora, dataset: props }
compositions:
  ink:
    name: Ink
    concepts: [{ model: kael, scale: 0.5 }, { model: fast, scale: 0.5 }]
"""
CAPTIONS = {
    "kael": ["a ranger at dawn", "two horses drinking", "rain over the old bridge"],
    "props": ["brass lamp", "wooden chair with three legs"],
}


def write_manifest(folder: Path) -> None:
    dice = random.Random(7)
    for name, captions in CAPTIONS.items():
        (folder / name).mkdir()
        for number, caption in enumerate(captions, 1):
            image = Image.new("RGB", (512, 512), (dice.randrange(256), dice.randrange(256), dice.randrange(256)))
            draw = ImageDraw.Draw(image)
            for _ in range(40):
                x, y = dice.randrange(512), dice.randrange(512)
                draw.ellipse((x, y, x + dice.randrange(200), y + dice.randrange(200)), fill=dice.randrange(1 << 24))
            image.save(folder / name / f"{number:02}.png")
            (folder / name / f"{number:02}.txt").write_text(caption)
    (folder / "scenario.yaml").write_text(MANIFEST)


def command(folder: Path, emulator: EmulatorThread, *words: str) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "SCENARIO_BASE_URL": emulator.url,
        "SCENARIO_SDK_API_KEY": "key",
        "SCENARIO_SDK_API_SECRET": "secret",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "scenario_apply", *words],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def apply(folder: Path, emulator: EmulatorThread) -> subprocess.Popen[str]:
    return command(folder, emulator, "apply", "--auto-approve", "--poll-interval", "0.1", "--rate-limit", "0")


def killed(folder: Path, emulator: EmulatorThread, dice: random.Random) -> bool:
    """Start an apply and kill it; False when it was done first."""
    until = len(emulator.requests) + dice.randrange(1, 22)
    process = apply(folder, emulator)
    deadline = time.monotonic() + 30
    while process.poll() is None and len(emulator.requests) < until and time.monotonic() < deadline:
        time.sleep(0.003)
    time.sleep(dice.random() * 0.03)
    was_running = process.poll() is None
    process.kill()
    process.communicate()
    return was_running


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_killed_apply_is_carried_on_by_the_next(tmp_path: Path, seed: int) -> None:
    """One model each, each image once, one training each; and then there is nothing to do."""
    write_manifest(tmp_path)
    dice = random.Random(seed)
    options = manual_options(clock="real", training_s=0.3, latency_ms=8)
    with EmulatorThread(options) as emulator:
        kills = sum(killed(tmp_path, emulator, dice) for _ in range(KILLS))
        last = apply(tmp_path, emulator)
        said, _ = last.communicate(timeout=60)
        assert last.returncode == 0, said
        assert kills, "every run was faster than its killer"
        check_world(emulator, said)
        plan = command(tmp_path, emulator, "plan", "--detailed-exitcode")
        told, _ = plan.communicate(timeout=60)
        assert plan.returncode == 0, told
    assert not list((tmp_path / "state").glob("*.journal"))
    assert not list((tmp_path / "state").glob("*.tmp"))


def check_world(emulator: EmulatorThread, said: str) -> None:
    launches = Counter(
        entry.path for entry in emulator.requests if entry.path.endswith("/train") and entry.status == 200
    )
    api, _ = connect(
        base_url=emulator.url,
        api_key="key",
        api_secret="secret",
        project_id=None,
        rate_limit_per_minute=0,
        clock=FakeClock(),
    )
    models = api.list_models().models
    assert sorted(str(m.name) for m in models) == ["Fast", "Ink", "Kael", "Props"], said
    assert {m.status for m in models} == {"trained"}
    assert sorted(launches.values()) == [1, 1, 1, 1], launches
    uploaded = [asset.name for asset in api.list_assets().assets if asset.name and asset.name[:2].isdigit()]
    assert len(uploaded) == 5, f"{uploaded}\n{said}"
    for model in models:
        assert captions_of(api.get_model(model.id)) == expected_captions(model), said


def captions_of(model: RemoteModel) -> list[str]:
    return [image.description for image in sorted(model.images or (), key=lambda i: i.name)]


def expected_captions(model: RemoteModel) -> list[str]:
    return CAPTIONS.get({"Kael": "kael", "Fast": "kael", "Props": "props"}.get(str(model.name), ""), [])

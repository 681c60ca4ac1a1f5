"""Pages with sample pictures: 20 versions of a model, each of which drew 2 pictures of 6 prompts.

    python benchmarks/report_samples.py
    python benchmarks/report_samples.py --versions 40 --prompts 6 --pictures 2

Samples are crops of the quickstart's pictures in other colours and with grain, as WebP of 256 pixels and about 16 KB,
which is as large as small copies are. Files are created in a temporary folder and deleted afterwards. Each run is a
process of its own, offline, with the fingerprint cache filled.

text      compare model.kael
compare   compare model.kael --format html
report    report, with all sections
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageChops

from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.samples import SampleRequest, SampleSettings
from scenario_apply.state.state import DrawnPicture, Record, SampleRecord, State, Version
from scenario_apply.state.state_file import state_to_json

ROOT = Path(__file__).resolve().parents[1]
LIMIT_BYTES = 5_000_000
LIMIT_S = 2.0
_MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: ./kael }\n"
_SIDE = 256


def make_project(root: Path, versions: int, prompts: int, pictures: int) -> int:
    """A manifest with a dataset, a state and the small copies; the bytes of those."""
    kael = parse_address("model.kael")
    folder = root / ".scenario" / "samples"
    folder.mkdir(parents=True)
    (root / "kael").mkdir()
    for path in sorted((ROOT / "manifests/quickstart/kael").iterdir()):
        (root / "kael" / path.name).write_bytes(path.read_bytes())
    (root / "scenario.yaml").write_text(_MANIFEST)
    draw = random.Random(1)
    sources = [Image.open(path).convert("RGB") for path in sorted((root / "kael").glob("*.jpg"))]
    grain = Image.effect_noise((_SIDE, _SIDE), 40).convert("RGB")
    made = []
    for number in range(1, versions + 1):
        at = f"2026-{1 + number // 28:02}-{1 + number % 28:02}T10:00:00Z"
        samples = tuple(
            SampleRecord(
                request=SampleRequest(
                    name=str(prompt + 1),
                    prompt=f"KAEL_07, scene {prompt}, as a page has it, with some words to wrap",
                    seed=prompt,
                    base=ModelId("model_bfl-flux-1-dev"),
                    settings=SampleSettings(scale=1.0, count=pictures),
                ),
                phase="drawn",
                at=at,
                training=at,
                charged=10.75 * pictures,
                pictures=tuple(
                    _drawn(folder, draw, sources, grain, f"asset_{number}_{prompt}_{one}") for one in range(pictures)
                ),
            )
            for prompt in range(prompts)
        )
        made.append(
            Version(
                number=number, id=ModelId(f"model_{number}"), phase="trained", name="Kael", type="flux.1-lora",
                parameters={"learningRate": 1e-5 * number}, launched_at=at, charged=130.5, samples=samples,
            )
        )  # fmt: skip
    record = Record(current=made[-1], previous=tuple(made[-2::-1]))
    state = State(lineage="bench", serial=1, endpoint="local", records={kael: record})
    (root / "state").mkdir()
    (root / "state" / "scenario.json").write_text(json.dumps(state_to_json(state, tool_version="0")))
    return sum(path.stat().st_size for path in folder.iterdir())


def _drawn(
    folder: Path, draw: random.Random, sources: list[Image.Image], grain: Image.Image, name: str
) -> DrawnPicture:
    source = draw.choice(sources)
    left, top = draw.randrange(source.width // 2), draw.randrange(source.height // 2)
    crop = source.crop((left, top, left + source.width // 2, top + source.height // 2)).resize((_SIDE, _SIDE))
    out = io.BytesIO()
    ImageChops.overlay(Image.merge("RGB", draw.sample(crop.split(), 3)), grain).save(out, "WEBP", quality=28)
    digest = sha256(out.getvalue()).hexdigest()
    (folder / f"{digest}.webp").write_bytes(out.getvalue())
    return DrawnPicture(asset_id=AssetId(name), thumbnail=digest, dhash=f"{draw.getrandbits(128):032x}")


def measured(root: Path, *words: str) -> tuple[float, float, bytes]:
    """Seconds, seconds of processor time, and what it printed."""
    started, before = time.perf_counter(), os.times()
    command = [sys.executable, "-m", "scenario_apply", *words, str(root / "scenario.yaml"), "--local", "--no-refresh"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True)
    elapsed, after = time.perf_counter() - started, os.times()
    assert done.returncode == 0, done.stderr.decode()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return elapsed, cpu, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=6)
    parser.add_argument("--pictures", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="report-samples-") as folder:
        root = Path(folder)
        copies = make_project(root, asked.versions, asked.prompts, asked.pictures)
        measured(root, "report")  # fills the cache
        runs = {
            "text": ("compare", "model.kael"),
            "compare": ("compare", "model.kael", "--format", "html"),
            "report": ("report",),
        }
        rows = {name: measured(root, *words) for name, words in runs.items()}
    count = asked.versions * asked.prompts * asked.pictures
    each = copies // count
    print(f"{asked.versions} versions x {asked.prompts} prompts x {asked.pictures} pictures, {each:,} bytes each")
    print(f"{'':8}{'s':>8}{'cpu s':>8}{'bytes':>12}{'pictures':>10}")
    for name, (elapsed, cpu, out) in rows.items():
        print(f"{name:8}{elapsed:8.2f}{cpu:8.2f}{len(out):12,}{out.count(b'<img '):10,}")
    largest, slowest = max(len(out) for _, _, out in rows.values()), max(elapsed for elapsed, _, _ in rows.values())
    print(f"{largest / LIMIT_BYTES:.0%} of {LIMIT_BYTES:,} bytes, {slowest / LIMIT_S:.0%} of {LIMIT_S:g} s")
    assert rows["compare"][2].count(b"<img ") == count, "some pictures are not shown"
    assert largest < LIMIT_BYTES, "a page is too large"


if __name__ == "__main__":
    main()

"""The page of a plan with 500 pictures: time, size and memory, beside plain thumbnails of the same pictures.

    python benchmarks/report_size.py                    # 500 pictures of 1024 x 1024 in 10 datasets
    python benchmarks/report_size.py --pictures 100

The pictures are crops of the quickstart's, in other colours and with grain, as JPEG; the files are created in a
temporary folder and deleted afterwards. Each run is a process of its own, with the fingerprint cache filled.

plain     Pillow's obvious code: open, exif_transpose, thumbnail((256, 256)), save as JPEG, base64, one <img> each
text      plan --no-refresh: what a plan takes without a page
html      plan --no-refresh --format html: the same plan, with its page
report    report --no-refresh: the same with every section
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).resolve().parents[1]
LIMIT_BYTES = 5_000_000
_OF_A_DATASET = 50
_WORDS = ("red", "blue", "tall", "cloak", "lantern", "river", "stone", "at dusk", "in snow", "seen from below")
_MEASURED = """
import sys, time
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
started = time.process_time()
try:
    {code}
finally:
    print(time.process_time() - started, peak() / 1024, file=sys.stderr)
"""
_TOOL = "from scenario_apply.__main__ import main; main(sys.argv[1:])"
_PLAIN = """
    import base64, io, pathlib
    from PIL import Image, ImageOps
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.jpg")):
        with Image.open(path) as image:
            small = ImageOps.exif_transpose(image)
            small.thumbnail((256, 256))
            out = io.BytesIO()
            small.save(out, "JPEG")
        print(f'<img src="data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}">')
"""


def make_pictures(root: Path, number: int) -> None:
    """The pictures with their captions, and a manifest of models with 50 each."""
    sources = [Image.open(path).convert("RGB") for path in sorted((ROOT / "manifests/quickstart/kael").glob("*.jpg"))]
    draw = random.Random(1)
    grain = Image.effect_noise((1024, 1024), 24).convert("RGB")
    lines = ["version: 1", "models:"]
    for at in range(number):
        folder = root / f"set-{at // _OF_A_DATASET:02}"
        if at % _OF_A_DATASET == 0:
            folder.mkdir(parents=True)
            lines += [f"  m{at // _OF_A_DATASET:02}: {{ type: flux.1-lora, dataset: ./{folder.name} }}"]
        source = draw.choice(sources)
        left, top = draw.randrange(source.width // 2), draw.randrange(source.height // 2)
        crop = source.crop((left, top, left + source.width // 2, top + source.height // 2)).resize((1024, 1024))
        tinted = Image.merge("RGB", draw.sample(crop.split(), 3))
        ImageChops.overlay(tinted, grain).save(folder / f"{at:03}.jpg", quality=92)
        (folder / f"{at:03}.txt").write_text(f"KAEL, {', '.join(draw.choices(_WORDS, k=12))}, number {at}\n")
    (root / "scenario.yaml").write_text("\n".join(lines) + "\n")


def measured(code: str, *words: str) -> tuple[float, float, float, bytes]:
    """Seconds, seconds of processor time, megabytes at most, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(code=code.strip()), *words], cwd=ROOT, capture_output=True, check=True
    )
    elapsed = time.perf_counter() - started
    cpu, memory = map(float, done.stderr.split(b"\n")[-2].split())
    return elapsed, cpu, memory, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="report-size-") as folder:
        root = Path(folder)
        make_pictures(root, asked.pictures)
        plan = ("plan", str(root), "--no-refresh")
        measured(_TOOL, *plan)  # fills the cache
        rows = {
            "plain": measured(_PLAIN, str(root)),
            "text": measured(_TOOL, *plan),
            "html": measured(_TOOL, *plan, "--format", "html"),
            "report": measured(_TOOL, "report", str(root), "--no-refresh"),
        }
        again = measured(_TOOL, *plan, "--format", "html")[3]
    print(f"{asked.pictures} pictures of 1024 x 1024")
    print(f"{'':8}{'s':>8}{'cpu s':>8}{'MB used':>9}{'bytes':>12}")
    for name, (elapsed, cpu, memory, out) in rows.items():
        print(f"{name:8}{elapsed:8.1f}{cpu:8.1f}{memory:9.0f}{len(out):12,}")
    page = rows["html"][3]
    added = rows["html"][0] - rows["text"][0]
    print(f"the page takes {added:.1f} s, {added / rows['plain'][0]:.2f} times what plain thumbnails take")
    print(f"{page.count(b'<img '):,} pictures are shown; {len(page) / LIMIT_BYTES:.0%} of {LIMIT_BYTES:,} bytes")
    made = b"<footer"
    assert max(len(page), len(rows["report"][3])) < LIMIT_BYTES, "the page is too large"
    assert page.partition(made)[0] == again.partition(made)[0], "two pages of the same plan differ"


if __name__ == "__main__":
    main()

"""How long scanning datasets takes: warm against a bare listing, cold against reading and hashing, and plain code.

    python benchmarks/dataset_scan.py                       # 1,000 datasets x (20 images of 100 KB + 20 captions): 2 GB
    python benchmarks/dataset_scan.py --datasets 200        # a fifth of it

The files are created in a temporary folder (--folder chooses another) and deleted afterwards. Each round runs
everything once, so that a busy machine slows all of them. Prints medians, and ratios per round.

floor, warm      os.scandir and a stat of each file, nothing else
floor, cold      os.read and sha256 of each file on two threads, nothing else
plain            pathlib.rglob, read_bytes, sha256, PIL.Image.open, read_text: the obvious code
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import DatasetSpec

SIZE_BYTES = 100_000
IMAGES = 20
THINGS = (
    "cloak",
    "fox",
    "stone bridge",
    "harbour",
    "lantern",
    "mask",
    "empty throne",
    "ship",
    "owl",
    "orchard",
    "well",
)
PLACES = ("in deep snow", "at dusk", "under a low roof", "by the river", "on a hill", "behind glass", "among reeds")
MOODS = ("calm", "storm coming", "seen from above", "close up", "warm light", "long shadows", "faces turned away")
_MEMORY = """
import resource, sys
sys.path.insert(0, {here!r})
import dataset_scan as bench
def peak():  # of this program: ru_maxrss also counts what the parent had before it
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
bench.scan({root!r}, {cache!r})
print(before, peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def pictures() -> tuple[bytes, bytes]:
    """A JPEG and a PNG of 1024 pixels a side, small enough to leave room for the filling."""
    image = Image.radial_gradient("L").resize((1024, 1024)).convert("RGB")
    jpeg, png = io.BytesIO(), io.BytesIO()
    image.save(jpeg, "JPEG", quality=80)
    Image.new("RGB", (1024, 1024), (40, 90, 160)).save(png, "PNG")
    return jpeg.getvalue(), png.getvalue()


def filled_jpeg(jpeg: bytes, filling: bytes) -> bytes:
    """The filling goes into comment segments in front of the picture."""
    segments = [filling[at : at + 65_000] for at in range(0, len(filling), 65_000)]
    return jpeg[:2] + b"".join(b"\xff\xfe" + (len(s) + 2).to_bytes(2, "big") + s for s in segments) + jpeg[2:]


def filled_png(png: bytes, filling: bytes) -> bytes:
    """The filling goes into a private chunk after the header."""
    chunk = b"prVt" + filling
    return png[:33] + len(filling).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + png[33:]


def make(root: Path, datasets: int) -> None:
    jpeg, png = pictures()
    draw = random.Random(7)
    filling = draw.randbytes(SIZE_BYTES)
    old = time.time() - 3600
    for number in range(datasets):
        folder = root / f"set{number:04d}"
        folder.mkdir()
        for at in range(IMAGES):
            unique = f"{number:06d}{at:04d}".encode()
            base, fill, ending = (jpeg, filled_jpeg, ".jpg") if at % 2 else (png, filled_png, ".png")
            image = folder / f"{at:02d}{ending}"
            image.write_bytes(fill(base, unique + filling[: SIZE_BYTES - len(base) - 40]))
            text = image.with_suffix(".txt")
            text.write_text(caption(draw, at))
            os.utime(image, (old, old))
            os.utime(text, (old, old))


def caption(draw: random.Random, at: int) -> str:
    """A dozen words, as different from each other as real ones."""
    one, other = draw.sample(THINGS, 2)
    return f"{one} and {other} {draw.choice(PLACES)}, {draw.choice(MOODS)}, {'abcdefghijklmnopqrst'[at] * 3}\n"


def scan(root: str, cache: str) -> int:
    names = sorted(name for name in os.listdir(root) if name.startswith("set"))
    place = Location(file="scenario.yaml", line=1)
    specs = {n: DatasetSpec(name=n, images=(f"./{n}",), trigger=f"TRIGGER_{n[3:]}", place=place) for n in names}
    types = dict.fromkeys(names, ("flux.1-lora",))
    found = scan_datasets(specs, root=root, cache_path=cache, types_of=types, cwd=root)
    wrong = [problem for dataset in found.values() for problem in dataset.problems if problem.severity == "error"]
    if wrong:
        raise SystemExit(f"the benchmark's own files are wrong: {wrong[0]}")
    return sum(dataset.image_count for dataset in found.values())


def floor_warm(root: str) -> None:
    for folder in os.scandir(root):
        if folder.name.startswith("set"):
            for entry in os.scandir(folder.path):
                entry.stat()


def floor_cold(root: str) -> None:
    def read(folders: list[str]) -> None:
        for folder in folders:
            for entry in os.scandir(folder):
                handle = os.open(entry.path, os.O_RDONLY)
                data = os.read(handle, entry.stat().st_size + 1)
                os.close(handle)
                hashlib.sha256(data).hexdigest()

    folders = sorted(entry.path for entry in os.scandir(root) if entry.name.startswith("set"))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(read, [folders[::2], folders[1::2]]))


def plain(root: str) -> None:
    found = []
    for path in sorted(Path(root).rglob("*")):
        if path.suffix in (".jpg", ".png"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            with Image.open(path) as image:
                size = image.size
            caption = path.with_suffix(".txt").read_text()
            found.append((path, digest, size, caption.strip()))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of the processors, children included: those a busy machine changes less."""
    start, spent = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - start, sum(os.times()[:4]) - spent


def measure(root: str, rounds: int) -> None:
    cache = os.path.join(root, "cache", "datasets")
    scan(root, cache)  # also brings every file into the page cache
    times: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        times.setdefault("floor, warm", []).append(timed(lambda: floor_warm(root)))
        times.setdefault("warm", []).append(timed(lambda: scan(root, cache)))
        times.setdefault("plain", []).append(timed(lambda: plain(root)))
        os.unlink(cache)
        times.setdefault("floor, cold", []).append(timed(lambda: floor_cold(root)))
        times.setdefault("cold", []).append(timed(lambda: scan(root, cache)))
    for name, values in times.items():
        seconds, cpu = ([pair[at] for pair in values] for at in (0, 1))
        spread = f"{min(seconds):.3f} to {max(seconds):.3f}"
        print(f"  {name:<12} {statistics.median(seconds):7.3f} s ({spread}), {statistics.median(cpu):6.3f} s of CPU")
    for one, other in (("warm", "floor, warm"), ("cold", "floor, cold"), ("plain", "warm"), ("plain", "cold")):
        rounds_of = list(zip(times[one], times[other], strict=True))
        clock, cpu_ratio = (statistics.median(a[at] / max(b[at], 0.01) for a, b in rounds_of) for at in (0, 1))
        print(f"  {one} / {other}: {clock:.2f} by the clock, {cpu_ratio:.2f} by CPU")


def memory(root: str) -> None:
    cache = os.path.join(root, "cache", "datasets")
    for name in ("cold", "warm"):
        if name == "cold":
            os.unlink(cache)
        script = _MEMORY.format(here=os.path.dirname(os.path.abspath(__file__)), root=root, cache=cache)
        printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        before, after, child = (int(number) / 1024 for number in printed.stdout.split())
        print(
            f"  memory, {name}: peak {after:.0f} MiB, {after - before:.0f} more than imports; its child {child:.0f} MiB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where to make the files; default: the system's folder for temporary ones")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = os.path.realpath(folder)
        make(Path(root), options.datasets)
        print(f"{options.datasets} datasets x ({IMAGES} images of {SIZE_BYTES // 1000} KB + {IMAGES} captions)")
        measure(root, options.rounds)
        memory(root)


if __name__ == "__main__":
    main()

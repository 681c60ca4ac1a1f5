"""How fast a dataset is checked and fingerprinted, against decoding its pictures with Pillow and against `dvc status`.

    python benchmarks/lint_speed.py                       # 150 JPEG of 2 megapixels; memory of 1,000 images
    python benchmarks/lint_speed.py --images 1000 --memory-images 10000          # the full size: some minutes
    python benchmarks/lint_speed.py --dvc /path/to/dvc    # default: the dvc of PATH; without one that part is left out

The pictures are drawn into a temporary folder (--folder chooses another) and deleted afterwards. Rounds are
interleaved, and ratios are of processor time within a round, so that a busy machine slows both sides.

plain            PIL.Image.open and load of each file: a full decode and nothing else; one process, and one for
                 each core
cold             scan of all pixels without a cache: read, SHA-256, header, decode, hashes, captions, lint rules
warm             the same again: a stat of each file
dvc status       the command in a folder that `dvc add` has recorded, against `scenario-apply validate`, both warm

Goals: cold at most 0.8 of plain on one core, 0.9 of a core's work from each core; warm at most 5 ms for 100
images; 10,000 images in at most 150 MB.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from PIL import Image, ImageDraw

from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import DatasetSpec

SIZE = (1632, 1224)
SMALL = (320, 240)
_IN_A_SET = 1000
_OLD_S = 3600  # files younger than two seconds are not trusted by the cache
_WORDS = (
    "cloak",
    "fox",
    "stone bridge",
    "harbour",
    "lantern",
    "mask",
    "throne",
    "ship",
    "owl",
    "orchard",
    "well",
    "mill",
)
_MANIFEST = """\
version: 1
datasets: { set: { images: ./set00, trigger: TRIGGER_7, lint: { N04: off } } }
models: { set: { type: flux.1-lora, dataset: set } }
"""
_SCAN = """
import sys
sys.path.insert(0, {here!r})
import lint_speed
lint_speed.scan({root!r}, None)
"""

Cost = tuple[float, float]
"""Seconds of the processors, children included, and on the clock."""


def texture(size: tuple[int, int], draw: random.Random) -> Image.Image:
    """Noise of several sizes, from which JPEG makes about a byte for each seven pixels."""
    width, height = size[0] + 400, size[1] + 400
    coarse = Image.frombytes("RGB", (40, 30), draw.randbytes(3600)).resize((width, height), Image.Resampling.BICUBIC)
    fine = Image.frombytes("L", (width, height), draw.randbytes(width * height))
    return Image.blend(coarse, Image.merge("RGB", (fine, fine, fine)), 0.12)


def make(root: Path, images: int, size: tuple[int, int], draw: random.Random) -> None:
    """Pictures that differ from each other in every pixel and in large shapes, each with a caption.

    In folders of at most _IN_A_SET, which is what a dataset may have.
    """
    ground = texture(size, draw)
    old = time.time() - _OLD_S
    for number in range(images):
        left, top = draw.randrange(400), draw.randrange(400)
        picture = ground.crop((left, top, left + size[0], top + size[1]))
        pen = ImageDraw.Draw(picture)
        for _ in range(12):
            x, y = draw.randrange(size[0]), draw.randrange(size[1])
            reach = draw.randrange(size[0] // 12, size[0] // 4)
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=tuple(draw.randbytes(3)))
        folder = root / f"set{number // _IN_A_SET:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{number:05d}.jpg"
        picture.save(path, "JPEG", quality=92)
        words = draw.sample(_WORDS, 4)
        text = path.with_suffix(".txt")
        text.write_text(
            f"{words[0]} and {words[1]} before a {words[2]}, {words[3]} number {number} {'abc'[number % 3]}\n"
        )
        os.utime(path, (old, old))
        os.utime(text, (old, old))


def scan(root: str, cache: str | None) -> None:
    place = Location(file="scenario.yaml", line=1)
    names = sorted(path.name for path in Path(root).glob("set*") if path.is_dir())
    specs = {n: DatasetSpec(name=n, images=(f"./{n}",), trigger=f"TRIGGER_{n[3:]}", place=place) for n in names}
    types = dict.fromkeys(names, ("flux.1-lora",))
    found = scan_datasets(specs, root=root, cache_path=cache, types_of=types, cwd=root, depth=Depth.ALL_PIXELS)
    codes = {problem.code for one in found.values() for problem in one.problems if problem.severity != "info"}
    if not all(one.image_count for one in found.values()) or codes & {"F01", "F02", "D01", "D02", "D03"}:
        raise SystemExit(f"the benchmark's own files are wrong: {sorted(codes)}")


def decode(path: str) -> None:
    with Image.open(path) as image:
        image.load()


def plain(paths: list[str], processes: int = 1) -> None:
    if processes == 1:
        for path in paths:
            decode(path)
        return
    with get_context("fork").Pool(processes) as pool:
        pool.map(decode, paths, chunksize=4)


def timed(work: Callable[[], object]) -> Cost:
    start, spent = time.perf_counter(), processor_time()
    work()
    return processor_time() - spent, time.perf_counter() - start


def processor_time() -> float:
    """Seconds that this process and its ended children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def without_cache(root: str, cores: set[int]) -> Cost:
    """A cold scan on some of the cores."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        return timed(lambda: scan(root, None))
    finally:
        os.sched_setaffinity(0, everywhere)


def speed(root: str, images: int, rounds: int) -> None:
    cores = os.sched_getaffinity(0)
    first = {min(cores)}
    cache = os.path.join(root, ".scenario", "cache", "datasets")
    scan(root, cache)  # also brings every file into the page cache
    paths = sorted(str(path) for path in Path(root).glob("set*/*.jpg"))
    costs: dict[str, list[Cost]] = {
        name: [] for name in ("plain", "plain, all cores", "cold", "cold, all cores", "warm")
    }
    for _ in range(rounds):
        costs["plain"].append(timed(lambda: plain(paths)))
        costs["cold"].append(without_cache(root, first))
        costs["plain, all cores"].append(timed(lambda: plain(paths, len(cores))))
        costs["cold, all cores"].append(without_cache(root, cores))
        costs["warm"].append(timed(lambda: [scan(root, cache) for _ in range(20)]))
    for name, values in costs.items():
        each = 20 if name == "warm" else 1
        cpu, clock = (statistics.median(value[at] for value in values) / each / images * 100_000 for at in (0, 1))
        print(f"  {name:<16} {cpu:9.2f} ms of CPU for 100 images, {clock:9.2f} by the clock")
    print(f"  cold / plain, CPU on one core: {ratio(costs['cold'], costs['plain'], 0):.2f} (goal 0.8)")
    if len(cores) > 1:
        more = ratio(costs["cold, all cores"], costs["cold"], 0)
        gains = {name: 1 / ratio(costs[f"{name}, all cores"], costs[name], 1) for name in ("plain", "cold")}
        print(f"  cold on {len(cores)} cores: {more:.2f} of the CPU of one; {gains['cold']:.2f} times as fast")
        print(f"  plain in {len(cores)} processes: {gains['plain']:.2f} times as fast, which is what the machine gives")
        print(f"  scaling against plain: {gains['cold'] / gains['plain']:.2f} (goal 0.9)")
    warm = statistics.median(value[0] for value in costs["warm"]) / 20 / images * 100_000
    print(f"  warm: {warm:.2f} ms for 100 images (goal 5)")


def ratio(one: list[Cost], other: list[Cost], at: int) -> float:
    """The median of the ratios within each round."""
    return statistics.median(a[at] / b[at] for a, b in zip(one, other, strict=True))


def against_dvc(root: str, dvc: str, rounds: int) -> None:
    """`dvc status` against `scenario-apply validate`, each in a process of its own, both warm."""
    Path(root, "scenario.yaml").write_text(_MANIFEST)
    ours = [sys.executable, "-m", "scenario_apply", "validate"]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": os.path.join(root, "dvc-site")}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])

    def run(*words: str) -> Cost:
        return timed(lambda: subprocess.run(words, cwd=root, env=environment, capture_output=True, check=True))

    run(dvc, "init", "--no-scm")
    added = run(dvc, "add", "set00")
    shutil.rmtree(os.path.join(root, ".scenario"), ignore_errors=True)
    checked = run(*ours)
    print(f"  first: dvc add {added[0]:.2f} s of CPU, validate {checked[0]:.2f} s (which decodes the pixels)")
    pairs = [(run(*ours), run(dvc, "status")) for _ in range(rounds)]
    one, other = [a for a, _ in pairs], [b for _, b in pairs]
    cpu = statistics.median(value[0] for value in one), statistics.median(value[0] for value in other)
    print(f"  again: dvc status {cpu[1]:.2f} s of CPU, validate {cpu[0]:.2f} s: {ratio(one, other, 0):.2f} of it")


def memory(root: str) -> None:
    """The peak of a cold scan in a process of its own, with the workers that it forks; shared pages count once."""
    script = _SCAN.format(here=os.path.dirname(os.path.abspath(__file__)), root=root)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    most = largest = 0.0
    with subprocess.Popen([sys.executable, "-c", script], env=environment) as process:
        while process.poll() is None:
            found = [resident(pid) for pid in (process.pid, *children(process.pid))]
            most = max(most, sum(shared for shared, _ in found))
            largest = max(largest, *(whole for _, whole in found))
            time.sleep(0.02)
    if process.returncode:
        raise SystemExit(process.returncode)
    print(f"peak {most:.0f} MB; largest process {largest:.0f} MB with what it shares")


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []


def resident(pid: int) -> tuple[float, float]:
    """MB in memory: with a part of each page that processes share, and with all of it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split()[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines[1:]}
    return sizes["Pss:"], sizes["Rss:"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=150, help="JPEG of 2 megapixels (default 150; full size 1,000)")
    parser.add_argument("--memory-images", type=int, default=1000, help="default 1,000; full size 10,000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dvc", default=shutil.which("dvc"), help="path of dvc; default: that of PATH")
    parser.add_argument("--folder", help="where to make the files; default: the system's folder for temporary ones")
    options = parser.parse_args()
    draw = random.Random(7)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        root = os.path.realpath(folder)
        large, many, few = (os.path.join(root, name) for name in ("large", "many", "few"))
        make(Path(large), options.images, SIZE, draw)
        print(f"{options.images} JPEG of {SIZE[0]}x{SIZE[1]}, {options.rounds} rounds, medians")
        speed(large, options.images, options.rounds)
        if options.dvc is None:
            print("  dvc is not installed or not in PATH: not compared (--dvc PATH)")
        else:
            against_dvc(large, options.dvc, options.rounds)
        make(Path(few), options.memory_images // 10, SMALL, draw)
        make(Path(many), options.memory_images, SMALL, draw)
        for name, count in ((large, options.images), (few, options.memory_images // 10), (many, options.memory_images)):
            size = SIZE if name == large else SMALL
            print(f"  memory, {count} images of {size[0]}x{size[1]}: ", end="", flush=True)
            memory(name)


if __name__ == "__main__":
    main()

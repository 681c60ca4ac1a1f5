"""Pictures that workers of an engine read: what is found is what is found without them, within the same bounds."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from scenario_apply.dataset.scan import build_dataset as making
from scenario_apply.dataset.scan import read_on_workers
from scenario_apply.dataset.scan.read_on_workers import PictureWorkers, Shard
from scenario_apply.fleet.engines import open_engine
from scenario_apply.manifest.spec import DatasetSpec
from tests.dataset.build import make_picture
from tests.dataset.scan.test_scanner import codes, grow_old, make, scan_many, spec

SPECS = {
    "one": spec(name="one", images=("./set",), missing="auto"),
    "other": spec(name="other", images=("./other", "./zipped.zip"), missing="auto"),
}


class HereAsWorker(Executor):
    """Carries each task out at once, as worker does. opened: how often it was opened; shards: what was asked."""

    def __init__(self, worker: Callable[[Shard], Any] = read_on_workers.read_shard) -> None:
        self.opened = 0
        self.shards: list[Shard] = []
        self._worker = worker

    @contextmanager
    def open(self) -> Iterator[Executor]:
        self.opened += 1
        yield self

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.shards.append(args[0])
        try:
            future.set_result(self._worker(*args))
        except BrokenExecutor as error:
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_on_workers, "FILES_FOR_AN_ENGINE", 10)
    monkeypatch.setattr(read_on_workers, "FILES_OF_A_TASK", 4)
    monkeypatch.setattr(making, "can_fork", lambda: False)
    monkeypatch.setattr(making, "usable_cores", lambda: 1)
    monkeypatch.setattr("scenario_apply.dataset.scan.parallel.usable_cores", lambda: 1)  # no thread is faster


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two datasets: copies within one and between both, damaged pictures, a link out of the root, a zip file."""
    (tmp_path / "outside.png").write_bytes(b"x")
    root = tmp_path / "root"
    folder, other = make(root, count=6), make(root, "other", count=3)
    make_picture(folder / "larger.png", seed=1, size=(1100, 1100))
    (folder / "same.png").write_bytes((folder / "2.png").read_bytes())
    (folder / "damaged.png").write_bytes((folder / "3.png").read_bytes().replace(b"IDAT", b"IDAT\0", 1))
    (other / "cut.png").write_bytes((folder / "4.png").read_bytes()[:300])
    (other / "link.png").symlink_to(tmp_path / "outside.png")
    with ZipFile(root / "zipped.zip", "w") as packed:
        packed.write(folder / "5.png", "seven.png")
    grow_old(folder)
    grow_old(other)
    os.utime(root / "zipped.zip", (1e9, 1e9))
    return root


def scanned(root: Path, workers: PictureWorkers | None, specs: dict[str, DatasetSpec] = SPECS) -> tuple[object, ...]:
    """Everything that a cold scan finds, and what it leaves in the cache."""
    cache = root / ".scenario" / "datasets"
    cache.unlink(missing_ok=True)
    datasets = scan_many(root, specs, deep=True, workers=workers)
    with closing(sqlite3.connect(cache)) as database:
        rows = database.execute("SELECT * FROM datasets ORDER BY id").fetchall()
    return rows, [(dataset.problems, dataset.digest, dataset.contents) for dataset in datasets.values()]


def untold(text: str) -> None:
    raise AssertionError(text)


def test_workers_find_what_is_found_without_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings, order and cache, byte for byte; of what a worker read, nothing is read here."""
    alone = scanned(root, None)
    assert {"D01", "D02", "F02"} <= {code for found in codes_of(root) for code in found}
    engine = HereAsWorker()
    monkeypatch.setattr(making, "read_facts", untold)
    assert scanned(root, PictureWorkers(engine.open, untold)) == alone
    assert engine.opened == 1
    assert max(len(shard.files) for shard in engine.shards) == 4


def codes_of(root: Path) -> list[set[str]]:
    return [codes(dataset) for dataset in scan_many(root, SPECS, deep=True).values()]


def test_a_process_pool_finds_the_same(root: Path) -> None:
    """What a shard says survives the way to another process."""
    alone = scanned(root, None)
    assert scanned(root, PictureWorkers(lambda: open_engine("processes", workers=1), untold)) == alone


def test_few_new_files_start_no_engine(root: Path) -> None:
    """Nor do many that the cache knows."""
    engine = HereAsWorker()
    scanned(root, None)
    make_picture(root / "set" / "new.png", seed=77)
    scan_many(root, SPECS, deep=True, workers=PictureWorkers(engine.open, untold))
    assert engine.opened == 0


def test_many_new_files_beside_known_ones_are_read_by_workers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those; a renamed picture keeps what is known of its pixels."""
    few = {"one": SPECS["one"]}
    scan_many(root, few, deep=True)
    for at in range(20, 31):
        make_picture(root / "set" / f"{at}.png", seed=at)
    (root / "set" / "0.png").rename(root / "set" / "renamed.png")
    grow_old(root / "set", 50)
    known = (root / ".scenario" / "datasets").read_bytes()
    alone = scan_many(root, few, deep=True)["one"]
    (root / ".scenario" / "datasets").write_bytes(known)
    engine = HereAsWorker()
    found = scan_many(root, few, deep=True, workers=PictureWorkers(engine.open, untold))["one"]
    assert engine.opened == 1
    assert (found.digest, found.problems, found.contents) == (alone.digest, alone.problems, alone.contents)


def test_a_task_whose_worker_died_is_done_again(root: Path) -> None:
    """By another worker first, then here; and it is said."""
    alone, told = scanned(root, None), list[str]()
    deaths = dict[str, int]()

    def dying(shard: Shard) -> Any:
        first = shard.files[0][1]
        deaths[first] = deaths.get(first, 0) + 1
        if deaths[first] == 1 or first == "set/0.png":
            raise BrokenExecutor("a worker process died")
        return read_on_workers.read_shard(shard)

    assert scanned(root, PictureWorkers(HereAsWorker(dying).open, told.append)) == alone
    assert set(deaths.values()) == {2}
    assert told == ["14 images were read again: the worker that read them died"]


def test_a_worker_with_other_files_at_the_same_path_is_not_believed(root: Path, tmp_path: Path) -> None:
    """Such pictures are read here."""
    alone, told = scanned(root, None), list[str]()
    elsewhere = tmp_path / "elsewhere"
    make_picture(elsewhere / "set" / "0.png", seed=99)

    def of_another_machine(shard: Shard) -> Any:
        return read_on_workers.read_shard(shard._replace(root=str(elsewhere)))

    assert scanned(root, PictureWorkers(HereAsWorker(of_another_machine).open, told.append)) == alone
    assert told == ["14 images were read here: no worker could read them as they were listed"]


@pytest.mark.parametrize("pixels", [1_500_000, 5_000_000])
def test_workers_decode_no_more_than_a_scan_may(root: Path, pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the pictures that are left undecoded are the same."""
    monkeypatch.setattr("scenario_apply.dataset.scan.decoding._FREE_PIXELS", pixels)
    monkeypatch.setattr("scenario_apply.dataset.scan.decoding._PIXELS_A_BYTE", 0)
    alone = scanned(root, None)
    engine = HereAsWorker()
    assert scanned(root, PictureWorkers(engine.open, lambda told: None)) == alone
    assert sum(shard.pixels for shard in engine.shards) <= pixels


def test_a_worker_follows_no_link_out_of_the_root(root: Path, tmp_path: Path) -> None:
    """Whatever a task names, the guard of the root decides."""
    stat = (tmp_path / "outside.png").stat()
    files = [("link.png", "other/link.png", stat.st_size, stat.st_mtime_ns, 0)]
    shard = Shard(str(root), may_leave=False, files=files, decodes=True, colours=True, pixels=10**9)
    assert [found.facts for found in read_on_workers.read_shard(shard)] == [None]
    files = [("x", "../outside.png", stat.st_size, stat.st_mtime_ns, 0)]
    assert [found.facts for found in read_on_workers.read_shard(shard._replace(files=files))] == [None]

"""dataset.scan: what is read, what is not, and what is taken from the cache."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.scan import build_dataset as making
from scenario_apply.dataset.scan import read_images as reading
from scenario_apply.dataset.scan import sources
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.loader import listing
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec, PairSpec
from scenario_apply.model.picture_options import UNKNOWN_RECIPE
from tests.dataset.build import PLACE, make_picture, picture

CAPTIONS = ["a red cloak", "he walks over a bridge", "portrait at dusk", "drawing a bow", "asleep by the fire"]
CAPTIONS += ["rain on stone stairs", "two horses graze", "an empty throne", "his hands, close", "the long road north"]
CAPTIONS += ["snow over everything"]


def make(root: Path, name: str = "set", count: int = 5, *, age_s: float = 60) -> Path:
    folder = root / name
    for at in range(count):
        make_picture(folder / f"{at}.png", seed=at)
        (folder / f"{at}.txt").write_text(CAPTIONS[at] + "\n")
    grow_old(folder, age_s)
    return folder


def grow_old(folder: Path, age_s: float = 60) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - age_s, time.time() - age_s))


def spec(**fields: Any) -> DatasetSpec:
    return DatasetSpec(**{"name": "set", "images": ("./set",), "place": PLACE, **fields})


def scan_one(root: Path, one: DatasetSpec | None = None, *, cache: bool = True, **options: Any) -> Dataset:
    one = one or spec()
    return scan_many(root, {one.name: one}, cache=cache, **options)[one.name]


def scan_many(
    root: Path, specs: Mapping[str, DatasetSpec], *, cache: bool = True, types: tuple[str, ...] = (), **options: Any
) -> Mapping[str, Dataset]:
    path = str(root / ".scenario" / "datasets") if cache else None
    options.setdefault("cwd", str(root))
    options.setdefault("depth", Depth.ALL_PIXELS if options.pop("deep", False) else Depth.HEADERS)
    return scan_datasets(specs, root=str(root), cache_path=path, types_of=dict.fromkeys(specs, types), **options)


def codes(dataset: Dataset) -> set[str]:
    return {problem.code for problem in dataset.problems}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Pictures read, by file."""
    seen: list[str] = []

    def noting(guard: Any, entry: Any, *others: Any) -> Any:
        seen.append(entry.file)
        return reading.read_facts(guard, entry, *others)

    monkeypatch.setattr(making, "read_facts", noting)
    monkeypatch.setattr(making, "can_fork", lambda: False)
    return seen


def test_images_come_in_natural_order_with_their_captions(tmp_path: Path) -> None:
    make(tmp_path, count=11)
    dataset = scan_one(tmp_path, spec(trigger="KAEL_07"))
    images = dataset.contents.images
    assert [image.path for image in images] == [f"{at}.png" for at in range(11)]
    assert images[10].file == "set/10.png"
    assert images[0].caption == "KAEL_07, a red cloak"
    assert (images[0].width, images[0].height, images[0].mime) == (1024, 1024, "image/png")
    assert dataset.image_count == 11
    assert dataset.digest == digest_of(dataset.contents)
    assert not [problem for problem in dataset.problems if problem.severity != "info"]


def test_a_second_scan_opens_nothing_below_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    first = scan_one(tmp_path)
    monkeypatch.setattr(os, "open", _refusing(os.open, "/set/"))
    monkeypatch.setattr("builtins.open", _refusing(open, "/set/"))
    second = scan_one(tmp_path)
    assert second.digest == first.digest
    assert second.contents == first.contents


def _refusing(real: Any, part: str) -> Any:
    def guarded(path: Any, *rest: Any, **more: Any) -> Any:
        assert part not in str(path), path
        return real(path, *rest, **more)

    return guarded


def test_a_warm_scan_leaves_the_cache_file_alone(tmp_path: Path) -> None:
    make(tmp_path)
    scan_one(tmp_path)
    before = (tmp_path / ".scenario" / "datasets").stat()
    scan_one(tmp_path)
    after = (tmp_path / ".scenario" / "datasets").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert sorted(os.listdir(tmp_path / ".scenario")) == [".gitignore", "datasets"]


def test_only_what_changed_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    folder = make(tmp_path)
    first = scan_one(tmp_path)
    reads.clear()
    (folder / "2.txt").write_text("portrait at dawn")
    second = scan_one(tmp_path)
    assert reads == []
    assert second.digest != first.digest
    make_picture(folder / "3.png", seed=77)
    grow_old(folder)
    scan_one(tmp_path)
    assert set(reads) == {f"set/{at}.png" for at in range(5)}  # all stats are new
    reads.clear()
    make_picture(folder / "9.png", seed=78)
    (folder / "9.txt").write_text("a ship in the harbour")
    scan_one(tmp_path)
    assert reads == ["set/9.png"]


@pytest.mark.parametrize("name", ["2.txt", "2.png"])
def test_a_write_that_sets_size_and_time_back_is_seen(name: str, tmp_path: Path) -> None:
    """cp -p, rsync --times and touch -r leave both as they were; the file has another change time."""
    folder = make(tmp_path)
    first = scan_one(tmp_path)
    path = folder / name
    stat = path.stat()
    data = bytearray(path.read_bytes())
    with path.open("r+b") as file:  # the same inode, too
        file.seek(len(data) - 2)
        file.write(bytes([data[-2] ^ 1]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_ino) == (stat.st_size, stat.st_ino)
    assert scan_one(tmp_path).digest != first.digest


def test_a_young_file_is_not_trusted(tmp_path: Path, reads: list[str]) -> None:
    """Changed again within the clock's grain, with the same size and times, it would look as before."""
    folder = make(tmp_path, age_s=0)
    first = scan_one(tmp_path)
    path = folder / "2.txt"
    stat = path.stat()
    path.write_text("portrait at DUSK\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    reads.clear()
    second = scan_one(tmp_path)
    assert second.digest != first.digest
    assert len(reads) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"trigger": "KAEL_07"},
        {"suffix": "at night"},
        {"exclude": ("0.png",)},
        {"captions": CaptionSource(kind="auto")},
        {"caption_template": "{{ stem }}"},
    ],
)
def test_the_result_follows_the_manifest_without_reading_pictures(
    tmp_path: Path, reads: list[str], change: dict[str, Any]
) -> None:
    make(tmp_path)
    first = scan_one(tmp_path)
    reads.clear()
    assert scan_one(tmp_path, spec(**change)).digest != first.digest
    assert reads == []


def test_a_longer_list_of_pictures_reads_the_new_ones_only(tmp_path: Path, reads: list[str]) -> None:
    make(tmp_path)
    scan_one(tmp_path, spec(images=("set/0.png", "set/1.png")))
    reads.clear()
    scan_one(tmp_path, spec(images=("set/0.png", "set/1.png", "set/2.png")))
    assert reads == ["set/2.png"]


def test_types_and_lint_settings_change_the_findings(tmp_path: Path) -> None:
    folder = make(tmp_path)
    make_picture(folder / "0.png", seed=50, size=(900, 900))
    grow_old(folder)
    assert "R01" in codes(scan_one(tmp_path))
    assert "R01" not in codes(scan_one(tmp_path, spec(lint={"min-side": 768})))
    assert "R01" not in codes(scan_one(tmp_path, spec(lint={"R01": "off"})))
    raised = scan_one(tmp_path, spec(lint={"too-small": "error"}))
    assert [p.severity for p in raised.problems if p.code == "R01"] == ["error"]


def test_a_captions_file_counts(tmp_path: Path) -> None:
    make(tmp_path)
    table = tmp_path / "captions.yaml"
    one = spec(captions=CaptionSource(kind="file", path="./captions.yaml"))
    table.write_text("".join(f"{at}.png: {text}\n" for at, text in enumerate(CAPTIONS[:5])))
    os.utime(table, (1, 1))
    first = scan_one(tmp_path, one)
    assert first.contents.images[1].caption == CAPTIONS[1]
    table.write_text(table.read_text().replace("dusk", "dawn"))
    os.utime(table, (2, 2))
    assert scan_one(tmp_path, one).digest != first.digest


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"scenario-apply dataset cache 999\n" + b"x" * 100, None])
def test_a_damaged_cache_is_rebuilt(tmp_path: Path, damage: bytes | None) -> None:
    make(tmp_path)
    first = scan_one(tmp_path)
    cache = tmp_path / ".scenario" / "datasets"
    whole = cache.read_bytes()
    for broken in [damage] if damage is not None else [whole[:n] for n in range(0, len(whole), 97)]:
        cache.write_bytes(broken)
        again = scan_one(tmp_path)
        assert (again.digest, again.contents) == (first.digest, first.contents)


def test_contents_outlive_a_deleted_cache(tmp_path: Path) -> None:
    make(tmp_path)
    scan_one(tmp_path)
    dataset = scan_one(tmp_path)
    (tmp_path / ".scenario" / "datasets").unlink()
    assert digest_of(dataset.contents) == dataset.digest


def test_without_a_cache_or_a_place_for_it_everything_works(tmp_path: Path) -> None:
    make(tmp_path)
    without = scan_one(tmp_path, cache=False)
    assert not (tmp_path / ".scenario").exists()
    (tmp_path / ".scenario").write_text("a file where the folder should be")
    nowhere = scan_one(tmp_path)
    assert without.contents == nowhere.contents
    assert len(nowhere.contents.images) == 5


def test_runs_at_the_same_time_do_not_hurt_each_other(tmp_path: Path) -> None:
    for at in range(6):
        make(tmp_path, f"set{at}")
    specs = {f"set{at}": spec(name=f"set{at}", images=(f"./set{at}",)) for at in range(6)}
    expected = {name: dataset.digest for name, dataset in scan_many(tmp_path, specs, cache=False).items()}
    wrong: list[object] = []

    def run(part: list[str]) -> None:
        for _ in range(5):
            found = scan_many(tmp_path, {name: specs[name] for name in part})
            for name, dataset in found.items():
                if digest_of(dataset.contents) != expected[name]:
                    wrong.append(name)

    threads = [threading.Thread(target=run, args=(part,)) for part in ([*specs], [*specs][:3], [*specs][3:])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking a test process that has threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_several_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(5):
        make(tmp_path, f"set{at}")
    (tmp_path / "set3" / "1.png").write_bytes(b"")
    specs = {f"set{at}": spec(name=f"set{at}", images=(f"./set{at}",)) for at in range(5)}
    alone = scan_many(tmp_path, specs, cache=False)
    monkeypatch.setattr(making, "_FILES_FOR_PROCESSES", 2)
    monkeypatch.setattr(making, "can_fork", lambda: True)
    monkeypatch.setattr(making, "usable_cores", lambda: 3)
    together = scan_many(tmp_path, specs)
    assert {n: (d.digest, d.problems, d.contents) for n, d in together.items()} == {
        n: (d.digest, d.problems, d.contents) for n, d in alone.items()
    }


def test_datasets_of_one_folder_do_not_disturb_each_other(tmp_path: Path, reads: list[str]) -> None:
    make(tmp_path)
    specs = {"a": spec(name="a", trigger="KAEL_07"), "b": spec(name="b", trigger="ORLA_11")}
    first = scan_many(tmp_path, specs)
    reads.clear()
    second = scan_many(tmp_path, specs)
    assert reads == []
    assert first["a"].digest != first["b"].digest
    assert [d.digest for d in first.values()] == [d.digest for d in second.values()]
    scan_many(tmp_path, {"a": specs["a"]})
    scan_many(tmp_path, specs)
    assert reads == []


def test_places_are_as_the_user_would_type_them(tmp_path: Path) -> None:
    folder = make(tmp_path, "proj/set")
    (folder / "2.txt").write_text("")
    for cwd, shown in ((tmp_path, "proj/set/2.txt"), (tmp_path / "proj", "set/2.txt"), (folder, str(folder / "2.txt"))):
        dataset = scan_one(tmp_path / "proj", cwd=str(cwd))
        assert [str(p.location) for p in dataset.problems if p.code == "C03"] == [shown]


def test_a_changed_place_of_the_dataset_shows_from_the_cache(tmp_path: Path) -> None:
    make(tmp_path, count=2)
    scan_one(tmp_path)
    from scenario_apply.errors import Location

    moved = scan_one(tmp_path, spec(place=Location(file="other.yaml", line=9)))
    assert [str(p.location) for p in moved.problems if p.code == "N02"] == ["other.yaml:9"]


def test_lfs_pointers_stand_for_their_pictures(tmp_path: Path) -> None:
    folder = make(tmp_path)
    data = picture(seed=3)
    from hashlib import sha256

    digest = sha256(data).hexdigest()
    whole = scan_one(tmp_path)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n"
    (folder / "3.png").write_text(pointer)
    assert digest == whole.contents.images[3].sha256
    for _ in range(2):
        pulled = scan_one(tmp_path)
        image = pulled.contents.images[3]
        assert (image.sha256, image.size_bytes, image.mime) == (digest, len(data), "image/png")
        assert image.is_lfs_pointer
        assert (image.width, image.height) == (0, 0)
        assert pulled.source_digest == whole.source_digest
        assert (image.recipe, pulled.unknown) == (UNKNOWN_RECIPE, 1)
        assert not [p for p in pulled.problems if p.severity == "error"]


def test_a_deep_scan_sees_what_looks_alike(tmp_path: Path) -> None:
    from PIL import Image, ImageOps

    folder = make(tmp_path)
    with Image.open(folder / "1.png") as image:
        image.resize((1100, 1100)).save(folder / "again.jpg", quality=85)
        ImageOps.mirror(image).save(folder / "mirrored.png")
        clear = image.convert("RGBA")
    clear.putpixel((3, 3), (0, 0, 0, 0))
    clear.resize((1024, 1024)).save(folder / "clear.png")
    (folder / "again.txt").write_text("somebody else")
    (folder / "mirrored.txt").write_text("somebody mirrored by a lake")
    (folder / "clear.txt").write_text("glass on a table")
    grow_old(folder)
    assert not codes(scan_one(tmp_path)) & {"D02", "D03", "D04", "F06"}
    deep = scan_one(tmp_path, deep=True)
    found = {(p.code, str(p.location)) for p in deep.problems}
    assert {("D02", "set/again.jpg"), ("D04", "set/mirrored.png"), ("F06", "set/clear.png")} <= found
    assert scan_one(tmp_path).problems == deep.problems  # once found, every scan reports it


def test_a_deep_scan_finds_damage_inside(tmp_path: Path) -> None:
    folder = make(tmp_path)
    data = bytearray((folder / "2.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (folder / "2.png").write_bytes(data)
    assert "F02" not in codes(scan_one(tmp_path))
    assert "F02" in codes(scan_one(tmp_path, deep=True))


@pytest.mark.parametrize(
    ("images", "paths"),
    [
        (("./set/*.png",), ["0.png", "1.png"]),
        (("set/1.png", "set/0.png"), ["0.png", "1.png"]),
        (("./set", "./more"), ["more/a.png", "set/0.png", "set/1.png"]),
        (("./set", "./set/*.png"), ["0.png", "1.png"]),
        (("./**/*.png",), ["deep/er/x.png", "more/a.png", "set/0.png", "set/1.png"]),
        (("./*/[0a].png",), ["more/a.png", "set/0.png"]),
        (("./deep",), []),
    ],
)
def test_images_are_named_by_folders_globs_and_files(tmp_path: Path, images: tuple[str, ...], paths: list[str]) -> None:
    make(tmp_path, count=2)
    make_picture(tmp_path / "more" / "a.png", seed=5)
    make_picture(tmp_path / "deep" / "er" / "x.png", seed=6)
    make_picture(tmp_path / "set" / ".hidden.png", seed=7)
    make_picture(tmp_path / "set" / "0-masklabel.png", seed=8)
    dataset = scan_one(tmp_path, spec(images=images, captions=CaptionSource(kind="auto")))
    assert [image.path for image in dataset.contents.images] == paths
    assert all(image.caption is None for image in dataset.contents.images)


def test_recursive_and_exclude(tmp_path: Path) -> None:
    make(tmp_path, count=2)
    make_picture(tmp_path / "set" / "poses" / "a.png", seed=5)
    make_picture(tmp_path / "set" / "old" / "b.png", seed=6)
    assert "N08" in codes(scan_one(tmp_path))
    dataset = scan_one(tmp_path, spec(recursive=True, exclude=("old", "1.png"), missing="auto"))
    assert [image.path for image in dataset.contents.images] == ["0.png", "poses/a.png"]


def test_a_link_that_leads_in_a_circle_ends(tmp_path: Path) -> None:
    folder = make(tmp_path, count=2)
    (folder / "loop").symlink_to(folder)
    assert scan_one(tmp_path, spec(recursive=True)).image_count == 2


def test_outside_the_root_when_allowed(tmp_path: Path) -> None:
    make(tmp_path)
    root = tmp_path / "proj"
    root.mkdir()
    dataset = scan_one(root, spec(images=("../set",), allow_outside_root=True), allow_outside=True)
    assert dataset.contents.images[0].file == "../set/0.png"
    assert not [p for p in dataset.problems if p.severity == "error"]


@pytest.mark.parametrize("recursive", [False, True])
def test_names_that_are_not_unicode_are_errors_and_odd_ones_notes(tmp_path: Path, recursive: bool) -> None:
    """caf\\xe9.png cannot be uploaded or recorded: reported and skipped, also in such a folder and from the cache."""
    folder = make(tmp_path)
    for name in (b"caf\xe9.png", b"caf\xe9.txt", b"README\xe9.md", b"sub\xe9/1.png", b"two\nlines.png"):
        target = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.fsencode(folder / ("0.png" if name.endswith(b"png") else "0.txt")), target)
    make_picture(folder / "two\nlines.png", seed=77)
    grow_old(folder)
    for _ in range(2):
        dataset = scan_one(tmp_path, spec(recursive=recursive, missing="auto"))
        wrong = {(p.code, str(p.location)) for p in dataset.problems if p.severity == "error"}
        below = {("F11", "set/sub\\xe9/1.png")} if recursive else set()
        assert wrong == {("F11", "set/caf\\xe9.png"), ("F11", "set/caf\\xe9.txt")} | below
        assert [p.message for p in dataset.problems if p.code == "F11" and p.severity == "info"] == [
            "the name 'two\\nlines.png' will cause problems on other systems"
        ]
        assert len(dataset.contents.images) == 6
        assert all("\udce9" not in f"{p.message} {p.location} {p.hint}" for p in dataset.problems)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_captions_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    folder = make(tmp_path)
    (folder / "2.txt").write_bytes("portrait at café’s door".encode(encoding))
    one = spec(encoding="cp1252") if encoding == "cp1252" else spec()
    assert scan_one(tmp_path, one).contents.images[2].caption == "portrait at café’s door"


def test_what_is_missing_goes_as_the_dataset_says(tmp_path: Path) -> None:
    folder = make(tmp_path)
    (folder / "2.txt").unlink()
    severities = {}
    for missing in ("error", "warn", "auto"):
        found = scan_one(tmp_path, spec(missing=missing))
        severities[missing] = [p.severity for p in found.problems if p.code == "C01"]
        assert found.contents.images[2].caption is None
    assert severities == {"error": ["error"], "warn": ["warning"], "auto": []}
    given = scan_one(tmp_path, spec(caption="a ranger, {{ stem }}", trigger="KAEL_07"))
    assert given.contents.images[2].caption == "KAEL_07, a ranger, 2"


def test_one_caption_for_all_and_file_names(tmp_path: Path) -> None:
    for at, stem in enumerate(("01_red-cloak", "02_stone_bridge")):
        make_picture(tmp_path / "set" / f"{stem}.png", seed=at)
    named = scan_one(tmp_path, spec(captions=CaptionSource(kind="filename")))
    assert [image.caption for image in named.contents.images] == ["red-cloak", "stone bridge"]
    same = scan_one(tmp_path, spec(caption="a watercolour"))
    assert {image.caption for image in same.contents.images} == {"a watercolour"}
    assert "C10" in codes(same)


@pytest.mark.parametrize("form", ["folders", "suffixes", "table", "list"])
def test_pairs_in_every_form(tmp_path: Path, form: str) -> None:
    names = {"folders": ("b/{}.png", "a/{}.png"), "suffixes": ("p/{}_start.png", "p/{}_end.png")}
    before, after = names.get(form, ("x/{}b.png", "x/{}a.png"))
    for at in range(5):
        make_picture(tmp_path / before.format(at), seed=at)
        make_picture(tmp_path / after.format(at), seed=20 + at)
    rows = [{"before": before.format(at), "after": after.format(at), "instruction": f"turn it {at}"} for at in range(5)]
    one = {
        "folders": spec(images=(), before="b", after="a", instruction="turn it {{ stem }}"),
        "suffixes": spec(images=(), pairs=PairSpec(folder="p")),
        "table": spec(images=(), pairs=PairSpec(table="./pairs.jsonl")),
        "list": spec(images=(), pairs=PairSpec(entries=tuple(rows))),
    }[form]
    if form == "suffixes":
        for at in range(5):
            (tmp_path / "p" / f"{at}.txt").write_text(f"turn it {at}")
    import json

    (tmp_path / "pairs.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    for _ in range(2):
        dataset = scan_one(tmp_path, one)
        assert [p for p in dataset.problems if p.severity == "error"] == []
        assert (dataset.pair_count, dataset.image_count) == (5, 10)
        contents = dataset.contents
        assert [pair.instruction for pair in contents.pairs] == [f"turn it {at}" for at in range(5)]
        paths = {image.path for image in contents.images}
        assert all(pair.before in paths and pair.after in paths for pair in contents.pairs)
        assert all(path.startswith(("before/", "after/")) for path in paths)
        assert dataset.digest == digest_of(contents)


def test_sidecars_of_the_after_side_are_instructions(tmp_path: Path) -> None:
    for at in range(2):
        make_picture(tmp_path / "b" / f"{at}.png", seed=at)
        make_picture(tmp_path / "a" / f"{at}.jpg", seed=9 + at)
        (tmp_path / "a" / f"{at}.txt").write_text(f"make it {at}")
    dataset = scan_one(tmp_path, spec(images=(), before="./b", after="./a", instruction="never used"))
    assert [pair.instruction for pair in dataset.contents.pairs] == ["make it 0", "make it 1"]
    assert all(image.caption is None for image in dataset.contents.images)


# -- bounds


def test_a_folder_is_listed_once_for_all_the_files_of_it_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three thousand names would list three thousand times three thousand files."""
    make(tmp_path, count=8)
    listed = 0
    plain = listing.list_folder

    def counted(path: str, guard: Any, within: str = "") -> Any:
        nonlocal listed
        folder = plain(path, guard, within)
        listed += len(folder.rows)
        return folder

    monkeypatch.setattr(sources, "list_folder", counted)
    names = tuple(f"./set/{number}.png" for number in range(7))
    found = scan_one(tmp_path, spec(images=names))
    assert [image.path for image in found.contents.images] == [f"{number}.png" for number in range(7)]
    assert [image.caption for image in found.contents.images] == CAPTIONS[:7]
    assert listed == 16  # eight pictures and their captions


def test_a_file_whose_name_holds_signs_of_a_glob_is_itself(tmp_path: Path) -> None:
    """[1].png is not 1.png."""
    make(tmp_path, count=2)
    make_picture(tmp_path / "set" / "[1].png", seed=9)
    found = scan_one(tmp_path, spec(images=("./set/[1].png",)), cache=False)
    assert [image.path for image in found.contents.images] == ["[1].png"]


def test_a_pattern_written_twice_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand times the same folder is that folder."""
    make(tmp_path)
    monkeypatch.setattr(sources, "MOST_FILES", 20)
    assert "N01" not in codes(scan_one(tmp_path, spec(images=("./set",) * 1_000), cache=False))


@pytest.mark.parametrize("images", [("./deep",), ("./deep/**/*.png",), ("./set", "./deep")])
def test_a_dataset_lists_so_many_files(
    images: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More are an error, said once, and the walk ends there."""
    make(tmp_path)
    for number in range(30):
        make(tmp_path, f"deep/{number}", count=1)
    monkeypatch.setattr(sources, "MOST_FILES", 40)
    walked = 0
    plain = listing.walk

    def counted(path: str, guard: Any, **options: Any) -> Any:
        nonlocal walked
        for folder in plain(path, guard, **options):
            walked += 1
            yield folder

    monkeypatch.setattr(sources, "walk", counted)
    found = scan_one(tmp_path, spec(images=images, recursive=True), cache=False)
    said = [problem for problem in found.problems if "files and folders" in problem.message]
    assert [(problem.code, problem.severity) for problem in said] == [("N01", "error")]
    assert walked < 10


def test_all_datasets_together_list_so_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of datasets may name one large folder."""
    make(tmp_path)
    monkeypatch.setattr(sources, "MOST_FILES_IN_ALL", 100)
    specs = {f"set-{number}": spec(name=f"set-{number}") for number in range(20)}
    found = scan_many(tmp_path, specs, cache=False)
    refused = [name for name, dataset in found.items() if any("in total" in p.message for p in dataset.problems)]
    assert refused == [f"set-{number}" for number in range(6, 20)]


def test_an_exclude_is_tried_once_for_each_folder(tmp_path: Path) -> None:
    """A path that lies in an excluded folder is left out, at any depth; others are not."""
    for folder in ("a/old/b", "a/new/b"):
        make(tmp_path, f"set/{folder}", count=1)
    make(tmp_path, "set/" + "d/" * 600, count=1)
    found = scan_one(tmp_path, spec(recursive=True, exclude=("old", "*/new/b/0.png", "x*")), cache=False)
    assert [image.path for image in found.contents.images] == ["d/" * 600 + "0.png"]


def test_caption_templates_that_do_too_much_are_an_error_of_their_dataset(tmp_path: Path) -> None:
    """The others are scanned; the error is in the cache as well."""
    make(tmp_path)
    grows = "{% set a = stem ~ 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 60 + "{{ a | length }}"
    specs = {"bad": spec(name="bad", caption_template=grows), "good": spec(name="good", caption_template="{{ stem }}")}
    for _ in range(2):
        found = scan_many(tmp_path, specs)
        assert "T08" in codes(found["bad"])
        assert "T08" not in codes(found["good"])


def test_a_failed_template_is_tried_again_when_it_may_do_more(tmp_path: Path) -> None:
    """With five hundred other datasets it had to share; alone it need not, although no file changed."""
    make(tmp_path)
    heavy = "{{ stem }}" + "{{ stem | upper | lower }}" * 900
    others = {f"set-{n}": spec(name=f"set-{n}", caption_template="{{ stem }}") for n in range(500)}
    one = spec(caption_template=heavy)
    assert "T08" in codes(scan_many(tmp_path, {"set": one, **others})["set"])
    assert "T08" not in codes(scan_many(tmp_path, {"set": one})["set"])

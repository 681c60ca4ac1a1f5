"""manifest.loader.data_guard: which files of a machine may become data of a dataset, and when that is judged."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.read_images import read_facts
from scenario_apply.dataset.scan.scan_all import read_for_upload, scan_datasets
from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.loader.data_guard import Barred, DataGuard
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec, PairSpec
from tests.dataset.build import PLACE, make_picture, picture

SECRET = "aws_secret_access_key hunter2"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with five captioned pictures and a .git; beside it the files of a machine."""
    here = tmp_path / "repo"
    for at in range(5):
        make_picture(here / "set" / f"{at}.png", seed=at)
        (here / "set" / f"{at}.txt").write_text(f"a red cloak, number {at}")
    for folder in (here / ".git", here / ".hidden", here / "set" / ".more", tmp_path / "home", tmp_path / "home/.aws"):
        folder.mkdir()
        (folder / "config").write_text(SECRET)
        (folder / "captions.yaml").write_text(f"0.png: {SECRET}\n")
        make_picture(folder / "secret.png", seed=9)
        (folder / "secret.txt").write_text(SECRET)
    (here / ".env").write_text(SECRET)
    return here


def scan(root: Path, *, allow_outside: bool = False, **fields: Any) -> Dataset:
    spec = DatasetSpec(**{"name": "set", "images": ("./set",), "place": PLACE, **fields})
    return scan_datasets(
        {"set": spec}, root=str(root), cache_path=None, types_of={}, cwd=str(root), allow_outside=allow_outside
    )["set"]


def texts_of(dataset: Dataset) -> str:
    """All that a plan could show of it."""
    held = [*dataset.contents.images, *dataset.contents.pairs, *dataset.problems]
    return "\n".join(map(str, held))


def refusals(dataset: Dataset) -> list[str]:
    """Codes of what must not be read. Nothing of it is in the dataset."""
    assert "hunter2" not in texts_of(dataset)
    assert "secret.png" not in [os.path.basename(image.path) for image in dataset.contents.images]
    return [p.code for p in dataset.problems if p.code in ("outside-root", "hidden-path") and p.severity == "error"]


def link(root: Path, name: str, target: str) -> None:
    path = root / name
    path.unlink(missing_ok=True)
    path.symlink_to(target)


HOME = "../../home"
LINKS: dict[str, tuple[str, str]] = {
    "a caption of the machine": (f"{HOME}/.aws/config", "outside-root"),
    "a caption of git": ("../.git/config", "hidden-path"),
    "a hidden file of the repository": ("../.env", "hidden-path"),
    "a file of the system": ("/proc/self/environ", "outside-root"),
    "a device": ("/dev/zero", "outside-root"),
    "the other way round": ("../../repo/set/../../home/.aws/config", "outside-root"),
}


@pytest.mark.parametrize(("target", "code"), LINKS.values(), ids=LINKS)
def test_a_sidecar_that_is_a_link_is_refused_at_its_file(root: Path, target: str, code: str) -> None:
    """The pull request that makes a file of the machine a caption: one error, which names the link."""
    link(root, "set/0.txt", target)
    dataset = scan(root)
    assert refusals(dataset) == [code]
    [problem] = [p for p in dataset.problems if p.severity == "error"]
    assert str(problem.location) == "set/0.txt"
    assert problem.hint


@pytest.mark.parametrize("target", ["../../home/secret.png", "../.hidden/secret.png", ".more/secret.png"])
def test_a_picture_that_is_a_link_is_refused(root: Path, target: str) -> None:
    link(root, "set/5.png", target)
    assert len(refusals(scan(root))) == 1


def test_a_chain_of_links_is_followed_to_its_end(root: Path) -> None:
    link(root, "first", ".git/config")
    link(root, "second", "first")
    link(root, "set/0.txt", "../second")
    assert refusals(scan(root)) == ["hidden-path"]
    link(root, "first", "../home/.aws/config")
    assert refusals(scan(root)) == ["outside-root"]


@pytest.mark.parametrize("recursive", [False, True])
def test_a_folder_that_is_a_link_is_refused(root: Path, recursive: bool) -> None:
    link(root, "set/more", "../../home")
    assert refusals(scan(root, recursive=recursive)) == ["outside-root"]
    link(root, "set/more", "../.git")
    assert refusals(scan(root, recursive=recursive)) == ["hidden-path"]
    shutil.rmtree(root / "set")
    link(root, "set", "../home")
    assert refusals(scan(root, recursive=recursive)) == ["outside-root"]


WRITTEN: dict[str, tuple[dict[str, Any], str]] = {
    "a hidden folder": ({"images": ("./.git",)}, "hidden-path"),
    "a hidden folder in the middle": ({"images": ("./set/.more/../.more",)}, "hidden-path"),
    "a hidden picture": ({"images": ("./.hidden/secret.png",)}, "hidden-path"),
    "a glob in a hidden folder": ({"images": ("./.git/*.png",)}, "hidden-path"),
    "a glob below a hidden folder": ({"images": (".hidden/**/*.png",)}, "hidden-path"),
    "a folder outside": ({"images": ("../home",)}, "outside-root"),
    "an absolute folder": ({"images": ("/etc",)}, "outside-root"),
    "a picture outside": ({"images": ("../home/secret.png",)}, "outside-root"),
    "a glob outside": ({"images": ("../home/*.png",)}, "outside-root"),
    "a glob that climbs": ({"images": ("set/../../home/*",)}, "outside-root"),
    "a captions file that is hidden": ({"captions": CaptionSource(kind="file", path="./.env")}, "hidden-path"),
    "a captions file of git": ({"captions": CaptionSource(kind="file", path=".git/captions.yaml")}, "hidden-path"),
    "a captions file outside": ({"captions": CaptionSource(kind="file", path="../home/captions.yaml")}, "outside-root"),
    "an environment": ({"captions": CaptionSource(kind="file", path="/proc/self/environ")}, "outside-root"),
    "a before folder": ({"images": (), "before": "./.git", "after": "./set"}, "hidden-path"),
    "an after folder": ({"images": (), "before": "./set", "after": "../home"}, "outside-root"),
    "a pairs folder": ({"images": (), "pairs": PairSpec(folder="./.hidden")}, "hidden-path"),
    "a pairs table": ({"images": (), "pairs": PairSpec(table="./.git/captions.yaml")}, "hidden-path"),
    "a pair of a list": (
        {"images": (), "pairs": PairSpec(entries=({"before": ".git/secret.png", "after": "set/1.png"},))},
        "hidden-path",
    ),
    "a pair with backslashes": (
        {"images": (), "pairs": PairSpec(entries=({"before": "..\\home\\secret.png", "after": "set/1.png"},))},
        "outside-root",
    ),
}


@pytest.mark.parametrize(("fields", "code"), WRITTEN.values(), ids=WRITTEN)
def test_a_path_of_the_manifest_is_refused_at_its_dataset(root: Path, fields: dict[str, Any], code: str) -> None:
    """One error, at the manifest's line, in every place a manifest can name a file."""
    dataset = scan(root, **fields)
    assert refusals(dataset) == [code]
    assert {p.location for p in dataset.problems if p.code == code} == {PLACE}


@pytest.mark.parametrize("pattern", ["**/*", ".*/*.png", "[.]git/*.png", "**/.more/*", "set/.more/*"])
def test_a_glob_never_descends_into_what_is_hidden(root: Path, pattern: str) -> None:
    refusals(scan(root, images=(pattern,), recursive=True))


@pytest.mark.parametrize("name", ["../../home/secret.png", "../.git/secret.png", "/etc/passwd", ".more/secret.png"])
def test_a_row_of_a_table_names_no_file_of_its_own(root: Path, name: str) -> None:
    """A caption table says what is written of pictures that were found; it adds none."""
    (root / "set" / "metadata.csv").write_text(f"file_name,text\n{name},hello\n")
    refusals(scan(root))


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_a_table_that_is_a_link_is_refused(root: Path, name: str) -> None:
    link(root, f"set/{name}", "../.git/config")
    assert refusals(scan(root)) == ["hidden-path"]


def test_a_captions_file_that_is_a_link_is_refused_where_it_is_named(root: Path) -> None:
    link(root, "captions.yaml", ".git/captions.yaml")
    dataset = scan(root, captions=CaptionSource(kind="file", path="./captions.yaml"))
    assert refusals(dataset) == ["hidden-path"]


def test_a_tilde_is_no_home(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root.parent / "home"))
    dataset = scan(root, images=("~",))
    assert "N01" in {problem.code for problem in dataset.problems}
    refusals(dataset)


def test_links_within_the_folder_are_fine(root: Path) -> None:
    """A picture used twice is often a link; a hidden folder above the root is not the manifest's affair."""
    shutil.move(root, root.parent / ".checkout")
    moved = root.parent / ".checkout"
    link(moved, "set/5.png", "../other/6.png")
    make_picture(moved / "other" / "6.png", seed=6)
    link(moved, "set/5.txt", "0.txt")
    link(moved, "same", "set")
    dataset = scan(moved, images=("./same",))
    assert refusals(dataset) == []
    assert dataset.image_count == 6
    os.symlink(moved, root)
    assert scan(root).image_count == 6


def test_leaving_takes_the_datasets_word_and_the_callers(root: Path) -> None:
    """The file that is guarded against cannot grant it, and the caller's consent is for those that say so."""
    outside = ("../home",)
    assert refusals(scan(root, images=outside, allow_outside_root=True)) == ["outside-root"]
    assert refusals(scan(root, images=outside, allow_outside=True)) == ["outside-root"]
    problem = scan(root, images=outside, allow_outside_root=True).problems[0]
    assert "--allow-outside-root" in str(problem.hint)
    assert "SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT=1" in str(problem.hint)
    make_picture(root.parent / "shared" / "1.png", seed=1)
    assert scan(root, images=("../shared",), allow_outside_root=True, allow_outside=True).image_count == 1


@pytest.mark.parametrize("target", ["../home/.aws", "/proc/self/cwd", "/proc/self", "/dev", "/sys"])
def test_consent_opens_nothing_hidden_and_nothing_of_the_system(root: Path, target: str) -> None:
    """Pictures of a neighbour folder were meant, not credentials."""
    link(root, "more", os.path.abspath(root / target) if target.startswith("..") else target)
    dataset = scan(root, images=("./more",), allow_outside_root=True, allow_outside=True)
    if target != "/proc/self/cwd":  # it leads where the tests run: an ordinary folder
        assert len(refusals(dataset)) == 1


def test_no_lint_setting_makes_less_of_it(root: Path) -> None:
    link(root, "set/0.txt", "../.git/config")
    dataset = scan(root, lint={"hidden-path": "off", "outside-root": "info"})
    assert refusals(dataset) == ["hidden-path"]
    assert [p.code for p in dataset.problems].count("lint-setting") == 2


def test_a_pipe_is_not_waited_for(root: Path) -> None:
    """Neither as a sidecar nor as a captions file or a picture."""
    for name in ("set/0.txt", "set/5.png", "captions.yaml"):
        (root / name).unlink(missing_ok=True)
        os.mkfifo(root / name)
    dataset = scan(root, captions=CaptionSource(kind="file", path="captions.yaml"))
    assert [p.code for p in dataset.problems if "not a regular file" in p.message] == ["C18"]
    assert scan(root).image_count == 5


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_refused_in_both_normal_forms(root: Path, form: Literal["NFC", "NFD"]) -> None:
    name = unicodedata.normalize(form, "é.png")
    link(root, f"set/{name}", "../../home/secret.png")
    assert refusals(scan(root, images=("set", unicodedata.normalize("NFC", "set/é.png")))) != []


# -- the moment a file is opened


def swap_for_link(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    path.symlink_to(target)


@pytest.mark.parametrize("where", ["file", "folder"])
def test_what_is_swapped_after_it_was_listed_is_not_read(root: Path, where: str) -> None:
    """The open file is judged, whatever the listing saw."""
    guard = DataGuard(str(root))
    stat = (root / "set" / "0.png").stat()
    entry = FileEntry("0.png", "set/0.png", stat.st_size, stat.st_mtime_ns, stat.st_ino)
    assert read_facts(guard, entry, DecodingAllowance()).format == "PNG"
    (root.parent / "home" / "0.png").write_bytes(picture(seed=9))
    if where == "file":
        swap_for_link(root / "set" / "0.png", root.parent / "home" / "0.png")
    else:
        swap_for_link(root / "set", root.parent / "home")
    facts = read_facts(guard, entry, DecodingAllowance())
    assert (facts.fault, facts.width) == ("F01", 0)
    assert "outside" in facts.fault_text


@pytest.mark.parametrize(("target", "code"), [("../home", "outside-root"), (".git", "hidden-path")])
def test_what_is_swapped_before_an_upload_is_not_sent(root: Path, target: str, code: str) -> None:
    """Even where its bytes are what was planned."""
    data = (root / "set" / "0.png").read_bytes()
    image = image_of(data)
    assert read_for_upload(str(root), image) == data
    shutil.rmtree(root / "set")
    (root / target / "0.png").write_bytes(data)
    link(root, "set", target)
    with pytest.raises(ManifestError) as refused:
        read_for_upload(str(root), image)
    assert refused.value.problems[0].code == code
    if code == "outside-root":
        assert read_for_upload(str(root), image, may_leave=True) == data


def image_of(data: bytes) -> Image:
    from hashlib import sha256

    return Image(
        path="0.png",
        file="set/0.png",
        sha256=sha256(data).hexdigest(),
        size_bytes=len(data),
        mime="image/png",
        width=1,
        height=1,
        caption=None,
    )


@pytest.mark.parametrize("name", ["/proc/self/environ", "../home/config", "set/../../home/config", ".env", "set"])
def test_the_guard_opens_regular_files_of_its_folder_only(root: Path, name: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011  # Barred, or no regular file
        DataGuard(str(root)).open(name)


def test_without_proc_the_guard_holds_as_well(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers without /proc: the path is followed again and compared with what is open."""

    def no_proc(path: str, *rest: Any, real: Callable[..., str] = os.readlink, **more: Any) -> str:
        if str(path).startswith("/proc/self/fd/"):
            raise FileNotFoundError(path)
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "readlink", no_proc)
    guard = DataGuard(str(root))
    with guard.opened("set/0.txt") as file:
        assert file.read() == b"a red cloak, number 0"
    link(root, "set/0.txt", "../../home/config")
    with pytest.raises(Barred):
        guard.open("set/0.txt")

"""Objects are read as git itself gives them, without git; what is damaged, foreign or too large is not."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from scenario_apply.dataset.scan import git_objects
from scenario_apply.dataset.scan.git_objects import GitObject, GitObjects, GitUnreadable

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *AUTHOR, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three commits of a long text that changes a little, so that packs hold deltas of it."""
    git(tmp_path, "init", "-q")
    lines = [f"line {number} of a long text" for number in range(900)]
    for number in range(3):
        lines[number * 300] = f"changed in {number}"
        (tmp_path / "text.txt").write_text("\n".join(lines))
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", str(number))
    return tmp_path


def everything(repository: Path) -> list[tuple[str, GitObject]]:
    names = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)").split("\n")
    found = []
    for name, kind in (line.split() for line in names):
        command = ["git", "-C", str(repository), "cat-file", kind, name]
        found.append((name, GitObject(kind, subprocess.run(command, check=True, capture_output=True).stdout)))
    return found


@pytest.mark.parametrize(
    "pack",
    [
        (),
        ("gc", "-q", "--aggressive"),
        ("-c", "repack.useDeltaBaseOffset=false", "repack", "-adqf", "--depth=5"),
    ],
    ids=["loose", "offset-deltas", "id-deltas"],
)
def test_every_object_is_as_git_reads_it(repository: Path, pack: tuple[str, ...]) -> None:
    if pack:
        git(repository, *pack)
        assert not list((repository / ".git/objects").glob("??/*"))
    expected = everything(repository)
    assert len(expected) == 9
    with GitObjects(str(repository / ".git")) as objects:
        assert [(name, objects.read(name)) for name, _ in expected] == expected
        assert objects.read("0" * 40) is None


def test_damage_is_an_error_of_its_own(repository: Path) -> None:
    """Whichever byte of a pack is wrong."""
    git(repository, "gc", "-q", "--aggressive")
    names = [name for name, _ in everything(repository)]
    (path,) = (repository / ".git/objects/pack").glob("*.pack")
    path.chmod(0o600)
    whole = path.read_bytes()
    for at in range(12, len(whole) - 20, 67):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 : -(at % 50) or None])
        with GitObjects(str(repository / ".git")) as objects:
            for name in names:
                try:
                    objects.read(name)
                except GitUnreadable:
                    continue


def test_a_small_file_that_unpacks_to_much_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_objects, "_LARGEST_BYTES", 1000)
    folder = repository / ".git/objects/aa"
    folder.mkdir()
    (folder / ("a" * 38)).write_bytes(zlib.compress(b"blob 100000\0" + bytes(100_000)))
    with GitObjects(str(repository / ".git")) as objects, pytest.raises(GitUnreadable, match="too large"):
        objects.read("a" * 40)


def test_links_out_of_the_repository_are_not_followed(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = git(repository, "rev-parse", "HEAD")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.move(repository / ".git/objects", elsewhere / "objects")
    (repository / ".git/objects").symlink_to(elsewhere / "objects")
    with GitObjects(str(repository / ".git")) as objects:
        assert objects.read(name) is None


@pytest.mark.parametrize("pack", [(), ("gc", "-q", "--aggressive")], ids=["loose", "deltas"])
def test_the_work_on_all_objects_is_bounded(
    repository: Path, pack: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each object may be small enough, and a chain of short deltas put together a large one again and again."""
    if pack:
        git(repository, *pack)
    name = git(repository, "rev-parse", "HEAD~2:text.txt")
    size = int(git(repository, "cat-file", "-s", name))
    monkeypatch.setattr(git_objects, "_MOST_WORK", 3 * size)
    with GitObjects(str(repository / ".git")) as objects:
        reads = 0
        with pytest.raises(GitUnreadable, match="too much"):  # noqa: PT012  # at which of the reads, the packing decides
            while reads < 4:
                objects.read(name)
                reads += 1
    assert reads

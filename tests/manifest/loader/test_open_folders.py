"""manifest.loader.open_folders: it opens and refuses the same files as the guard, also when they are exchanged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenario_apply.manifest.loader.data_guard import Barred, DataGuard
from scenario_apply.manifest.loader.open_folders import FileOpener, OpenFolders


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with data, links of all kinds and hidden files; beside it another folder."""
    here, home = tmp_path / "repo", tmp_path / "home"
    for folder in (here / "set", here / ".git", home):
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(folder.name)
        (folder / ".env").write_text("hunter2")
    (here / "a.txt").write_text("repo")
    os.mkfifo(here / "set" / "pipe")
    links = {"inside": "a.txt", "outside": "../../home/a.txt", "git": "../.git/a.txt", "env": ".env", "broken": "none"}
    for name, target in links.items():
        (here / "set" / name).symlink_to(target)
    (here / "linked").symlink_to("set")
    (here / "away").symlink_to("../home")
    return here


def read(files: FileOpener, file: str) -> str:
    """What a file holds, or why it cannot be read."""
    try:
        with os.fdopen(files.open(file)) as opened:
            return opened.read()
    except Barred as error:
        return error.barrier
    except OSError as error:
        return f"{type(error).__name__} {error.strerror}"
    except ValueError as error:
        return type(error).__name__  # its words differ between versions of Python


FILES = {
    **{"a.txt": "repo", "./a.txt": "repo", "set/a.txt": "set", "linked/a.txt": "set", "set/inside": "set"},
    **{"set/../a.txt": "repo", "set//a.txt": "set", "away/a.txt": "outside", "set/outside": "outside"},
    **{"../home/a.txt": "outside", "/etc/passwd": "outside", "/dev/null": "OSError it is not a regular file"},
    **{".git/a.txt": "hidden", "set/git": "hidden", "set/.env": "hidden", "set/env": "hidden"},
    **{"set/pipe": "OSError it is not a regular file", "set": "OSError it is not a regular file"},
    **{"set/": "OSError it is not a regular file", "set/..": "OSError it is not a regular file"},
    **{
        "set/none": "FileNotFoundError No such file or directory",
        "set/broken": "FileNotFoundError No such file or directory",
    },
    **{"none/a.txt": "FileNotFoundError No such file or directory", "set/a\0": "ValueError"},
}


@pytest.mark.parametrize(("file", "expected"), FILES.items())
def test_the_same_files_are_opened_and_refused_as_by_the_guard(root: Path, file: str, expected: str) -> None:
    """Twice, since the first file of a folder opens it."""
    guard = DataGuard(str(root))
    with OpenFolders(guard) as files:
        assert [read(guard, file), read(files, file), read(files, file)] == [expected] * 3


@pytest.mark.parametrize("file", ["../home/a.txt", "away/a.txt", "set/outside"])
def test_a_dataset_that_may_leave_the_root_opens_files_outside(root: Path, file: str) -> None:
    with OpenFolders(DataGuard(str(root), may_leave=True)) as files:
        assert read(files, file) == "home"
        assert read(files, "/proc/self/environ") == "machine"
        assert read(files, "set/git") == "hidden"


def test_a_file_that_is_replaced_by_a_link_is_refused(root: Path) -> None:
    with OpenFolders(DataGuard(str(root))) as files:
        assert read(files, "set/a.txt") == "set"
        (root / "set" / "a.txt").unlink()
        (root / "set" / "a.txt").symlink_to("../../home/a.txt")
        assert read(files, "set/a.txt") == "outside"


def test_a_folder_that_is_replaced_by_a_link_leads_nowhere_else(root: Path) -> None:
    """An open folder stays the one that was checked; another dataset, with folders of its own, is refused."""
    guard = DataGuard(str(root))
    with OpenFolders(guard) as files:
        assert read(files, "set/a.txt") == "set"
        (root / "set").rename(root / "before")
        (root / "set").symlink_to("../home")
        assert read(files, "set/a.txt") == "set"
    with OpenFolders(guard) as files:
        assert read(files, "set/a.txt") == "outside"


def test_a_bounded_number_of_folders_is_kept_open(root: Path) -> None:
    """All are closed at the end, and files of further folders are opened all the same."""
    before = len(os.listdir("/dev/fd"))
    with OpenFolders(DataGuard(str(root))) as files:
        for at in range(100):
            (root / f"set-{at}").mkdir()
            (root / f"set-{at}" / "a.txt").write_text(str(at))
            assert read(files, f"set-{at}/a.txt") == str(at)
        assert before < len(os.listdir("/dev/fd")) <= before + 16
    assert len(os.listdir("/dev/fd")) == before

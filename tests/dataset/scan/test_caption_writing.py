"""Caption files are written whole, through no link, and over nothing that a person wrote."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scenario_apply.dataset.scan.caption_writing import NotWritten, create_caption_file, replace_caption_file


def create(root: Path, file: str = "set/01.txt") -> None:
    create_caption_file(str(root), file, b"new\n")


def replaced(root: Path, file: str = "set/01.txt") -> None:
    replace_caption_file(str(root), file, b"new\n", before=b"old\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "set").mkdir(parents=True)
    return tmp_path / "root"


def test_a_new_file_is_alone_in_its_folder(root: Path) -> None:
    create(root)
    assert [(p.name, p.read_bytes()) for p in (root / "set").iterdir()] == [("01.txt", b"new\n")]


def test_a_file_that_is_replaced_keeps_its_mode(root: Path) -> None:
    (root / "set" / "01.txt").write_bytes(b"old\n")
    (root / "set" / "01.txt").chmod(0o664)
    replaced(root)
    assert (root / "set" / "01.txt").read_bytes() == b"new\n"
    assert (root / "set" / "01.txt").stat().st_mode & 0o777 == 0o664


@pytest.mark.parametrize("write", [create, replaced])
def test_what_a_person_wrote_stays(root: Path, write: Callable[[Path], None]) -> None:
    """Nothing is created over a file, and nothing is replaced that changed since it was read."""
    (root / "set" / "01.txt").write_bytes(b"by hand\n")
    with pytest.raises(NotWritten, match=r"exists already|changed meanwhile"):
        write(root)
    assert (root / "set" / "01.txt").read_bytes() == b"by hand\n"
    assert os.listdir(root / "set") == ["01.txt"]


@pytest.mark.parametrize("write", [create, replaced])
def test_no_link_is_followed(root: Path, write: Callable[[Path], None]) -> None:
    elsewhere = root.parent / "elsewhere.txt"
    elsewhere.write_bytes(b"old\n")
    (root / "set" / "01.txt").symlink_to(elsewhere)
    with pytest.raises(NotWritten):
        write(root)
    assert elsewhere.read_bytes() == b"old\n"


@pytest.mark.parametrize("write", [create, replaced])
def test_no_folder_that_is_a_link_is_entered(root: Path, write: Callable[[Path], None]) -> None:
    (root / "set").rmdir()
    (root.parent / "outside").mkdir()
    (root.parent / "outside" / "01.txt").write_bytes(b"old\n")
    (root / "set").symlink_to(root.parent / "outside")
    with pytest.raises(NotWritten, match="link"):
        write(root)
    assert (root.parent / "outside" / "01.txt").read_bytes() == b"old\n"


@pytest.mark.parametrize("file", ["../01.txt", "set/../../01.txt", "/tmp/01.txt"])  # refused
def test_nothing_is_written_outside_the_root(root: Path, file: str) -> None:
    with pytest.raises(NotWritten, match="outside"):
        create(root, file)


def test_a_hard_link_is_not_taken_apart(root: Path) -> None:
    (root / "set" / "01.txt").write_bytes(b"old\n")
    os.link(root / "set" / "01.txt", root / "other.txt")
    with pytest.raises(NotWritten, match="hard link"):
        replaced(root)

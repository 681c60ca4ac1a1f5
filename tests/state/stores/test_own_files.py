"""Files of our own: no link below the folder is followed, nothing makes us wait, only regular files are opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from scenario_apply.state.stores import own_files
from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, is_temporary, own_folder, temporary_name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "root"


def folder_of(root: Path) -> OwnFolder:
    return own_folder(str(root / "state"), within=str(root))


def test_a_new_file_gets_its_folder_and_is_its_owners_alone(root: Path) -> None:
    write_atomically(folder_of(root), "m.json", b"x")
    assert (root / "state" / "m.json").read_bytes() == b"x"
    assert stat.S_IMODE((root / "state" / "m.json").stat().st_mode) == 0o600
    assert os.listdir(root / "state") == ["m.json"], "no temporary file is left"


@pytest.mark.parametrize("name", ["state", "m.json"])
@pytest.mark.parametrize("is_dangling", [False, True])
def test_no_link_is_followed_neither_in_the_folder_nor_in_the_name(root: Path, name: str, is_dangling: bool) -> None:
    """Reading, writing in place and replacing all name the link and its target, which is not changed."""
    target = root.parent / "elsewhere"
    if name == "state":
        (root / "state").symlink_to(target / "gone" if is_dangling else target)
    else:
        (root / "state").mkdir()
        (target / "victim").write_text("mine")
        (root / "state" / "m.json").symlink_to(target / ("gone" if is_dangling else "victim"))
    before = sorted(os.listdir(target))
    folder = folder_of(root)
    for attempt in (
        lambda: folder.read("m.json"),
        lambda: os.close(folder.open("m.json", os.O_RDWR | os.O_CREAT, create_folder=True)),
        lambda: os.close(folder.open("m.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, create_folder=True)),
        lambda: write_atomically(folder, "m.json", b"x"),
        lambda: folder.look("m.json"),
    ):
        with pytest.raises(UnsafeFile, match=f"{name} is a link to {target}") as caught:
            attempt()
        assert "delete the link" in caught.value.hint
    assert sorted(os.listdir(target)) == before
    assert not (target / "victim").exists() or (target / "victim").read_text() == "mine"


def test_a_folder_that_becomes_a_link_after_it_was_looked_at_is_not_followed(root: Path) -> None:
    """Also the one that was resolved: nothing is written where it leads."""
    folder = folder_of(root)
    write_atomically(folder, "m.json", b"x")
    (root / "state").rename(root / "old")
    (root / "state").symlink_to(root.parent / "elsewhere")
    with pytest.raises(UnsafeFile):
        write_atomically(folder, "m.json", b"y")
    root.rename(root.parent / "moved")
    root.symlink_to(root.parent / "elsewhere")
    with pytest.raises(UnsafeFile, match="has become a link"):
        write_atomically(folder, "m.json", b"y")
    assert os.listdir(root.parent / "elsewhere") == []


def test_a_link_swapped_in_between_check_and_open_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The open itself refuses it, not a check before it."""
    (root / "state").mkdir()
    victim = root.parent / "elsewhere" / "victim"
    victim.write_text("mine")
    real = os.open

    def swapping(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "m.lock" and dir_fd is not None and not (root / "state" / "m.lock").is_symlink():
            (root / "state" / "m.lock").symlink_to(victim)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr("os.open", swapping)
    with pytest.raises(UnsafeFile):
        folder_of(root).open("m.lock", os.O_RDWR | os.O_CREAT)


def test_a_pipe_in_place_of_a_file_does_not_block(root: Path) -> None:
    (root / "state").mkdir()
    os.mkfifo(root / "state" / "m.json")
    for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY):
        with pytest.raises(UnsafeFile, match="is a named pipe"):
            folder_of(root).open("m.json", flags)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT])
def test_a_folder_in_place_of_a_file_is_named_in_the_error(root: Path, flags: int) -> None:
    (root / "state" / "m.json").mkdir(parents=True)
    with pytest.raises(UnsafeFile, match="is a folder"):
        folder_of(root).open("m.json", flags)
    with pytest.raises(UnsafeFile, match="is a folder"):
        write_atomically(folder_of(root), "m.json", b"x")


def test_a_file_that_is_endless_on_paper_is_not_read(root: Path) -> None:
    (root / "state").mkdir()
    with open(root / "state" / "m.json", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UnsafeFile, match="at most"):
        folder_of(root).read("m.json")


def test_a_hard_link_is_read_and_replaced_but_not_changed_in_place(root: Path) -> None:
    victim = root.parent / "elsewhere" / "victim"
    victim.write_text("mine")
    (root / "state").mkdir()
    os.link(victim, root / "state" / "m.json")
    folder = folder_of(root)
    with pytest.raises(UnsafeFile, match="hard link"):
        folder.open("m.json", os.O_RDWR | os.O_CREAT)
    assert folder.read("m.json")[0] == b"mine"
    write_atomically(folder, "m.json", b"x")
    assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    ("mode", "owner", "is_refused"),
    [(0o644, 4711, False), (0o666, 4711, True), (0o666, 0, False), (0o666, None, False)],
)
def test_a_file_of_another_user_is_refused_only_where_everybody_may_write_to_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, mode: int, owner: int | None, is_refused: bool
) -> None:
    """Containers work on files of other users, and a runner may check out with no umask as root."""
    file = root / "m.json"
    file.write_text("x")
    file.chmod(mode)
    real = os.fstat

    def owned(descriptor: int) -> os.stat_result:
        facts = real(descriptor)
        return facts if owner is None else os.stat_result((*facts[:4], owner, *facts[5:]))

    monkeypatch.setattr("os.fstat", owned)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() if owner is None else 1000)
    folder = own_folder(str(root))
    if is_refused:
        with pytest.raises(UnsafeFile, match="belongs to user 4711") as caught:
            folder.read("m.json")
        assert "chmod o-w" in caught.value.hint
    else:
        assert folder.read("m.json")[0] == b"x"


def test_the_name_of_a_temporary_file_cannot_be_predicted(root: Path) -> None:
    first, second = temporary_name("m.json"), temporary_name("m.json")
    assert first != second
    assert is_temporary(first, "m.json")
    assert is_temporary("m.json.4711.tmp", "m.json")
    for other in ("m.json", "m.json.tmp", "m.json.notes.tmp", "other.json.4711.tmp", "m.json..tmp"):
        assert not is_temporary(other, "m.json")


def test_a_folder_made_for_a_state_ignores_what_belongs_to_one_machine_and_one_that_was_there_does_not(
    root: Path,
) -> None:
    made = own_folder(str(root / "state"), within=str(root), ignores=own_files.STATE_IGNORES)
    write_atomically(made, "m.json", b"x")
    assert {"*.lock", "*.journal", "backups/", "*.tmp"} <= set((root / "state" / ".gitignore").read_text().split("\n"))
    (root / "state" / ".gitignore").write_text("mine\n")
    write_atomically(made, "m.json", b"y")
    assert (root / "state" / ".gitignore").read_text() == "mine\n"
    (root / "kept").mkdir()
    write_atomically(own_folder(str(root / "kept"), ignores=own_files.STATE_IGNORES), "m.json", b"x")
    assert os.listdir(root / "kept") == ["m.json"]
    write_atomically(own_folder(str(root / "a" / "b"), ignores=own_files.STATE_IGNORES), "m.json", b"x")
    assert sorted(os.listdir(root / "a" / "b")) == [".gitignore", "m.json"]

"""--data: an emulator deletes files there, so it takes only a folder that is new or carries its marker."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenario_apply.emulator.data_folder import MARKER, DataFolder
from scenario_apply.emulator.store import StoreError
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.emulator.world import World

from . import contract
from .test_models import make


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def refusal(data: Path) -> str:
    """What is said of a folder that no world can be in."""
    with pytest.raises(StoreError) as caught:
        World(manual_options(data=data)).close()
    return str(caught.value)


@pytest.mark.parametrize("name", ["parts/thesis.txt", "blobs/photo.png", "notes.txt", "scenario.db", "blobs/x.tmp"])
def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("years of work")
    before = contents(tmp_path)
    said = refusal(tmp_path)
    assert MARKER in said
    assert "new or empty folder" in said
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["parts", "blobs", "scenario.db", "scenario.db-wal", "emulator.lock", MARKER])
def test_a_link_in_the_folder_is_not_followed_whatever_the_marker_says(tmp_path: Path, name: str) -> None:
    """The marker may have come with a checkout."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.txt").write_text("years of work")
    data = tmp_path / "data"
    data.mkdir()
    (data / MARKER).touch()
    (data / name).unlink(missing_ok=True)
    (data / name).symlink_to(victim if name in ("parts", "blobs") else victim / "thesis.txt")
    before = contents(victim)
    assert name in refusal(data)
    assert contents(victim) == before


@pytest.mark.parametrize("folder", ["blobs", "parts"])
def test_what_is_kept_in_the_folder_is_regular_files_only(tmp_path: Path, folder: str) -> None:
    """A blob that is a link would be served."""
    (tmp_path / folder).mkdir()
    (tmp_path / MARKER).touch()
    (tmp_path / folder / ("a" * 64)).symlink_to("/etc/hostname")
    assert f"{folder}/{'a' * 64} is not a regular file" in refusal(tmp_path)


def test_a_new_folder_gets_the_marker_and_is_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with EmulatorThread(manual_options(data=tmp_path / "data")):
            assert (tmp_path / "data" / MARKER).is_file()


def test_a_folder_of_a_release_without_markers_is_taken_and_marked(tmp_path: Path) -> None:
    with EmulatorThread(manual_options(data=tmp_path)) as emulator, contract.client(emulator.url) as api:
        model = make(api, name="Kael")["id"]
    (tmp_path / MARKER).unlink()
    with EmulatorThread(manual_options(data=tmp_path)) as emulator, contract.client(emulator.url) as api:
        assert api.get(f"/models/{model}").status_code == 200
    assert (tmp_path / MARKER).is_file()


def test_a_folder_named_through_a_link_is_resolved_once(tmp_path: Path) -> None:
    """The command line is trusted: where it leads is the folder."""
    (tmp_path / "link").symlink_to(tmp_path / "data")
    (tmp_path / "data").mkdir()
    with EmulatorThread(manual_options(data=tmp_path / "link")):
        assert (tmp_path / "data" / MARKER).is_file()


def test_an_address_that_came_with_the_folder_is_gone_once_it_is_held(tmp_path: Path) -> None:
    """Commands that join an emulator send their pictures to the address in this file."""
    (tmp_path / "emulator.lock").write_text("process 1 at http://evil.example/v1\n")
    folder = DataFolder(tmp_path)
    assert (tmp_path / "emulator.lock").read_text() == ""
    folder.release()


def test_a_pipe_as_lock_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "emulator.lock")
    with pytest.raises(StoreError, match="not a regular file"):
        DataFolder(tmp_path)

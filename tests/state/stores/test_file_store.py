"""The state file: whole or not at all, backed up, grown only by changes, and never overwritten when it does not fit."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateForeign, StateNewer, StateNotSaved
from scenario_apply.state.state import State
from scenario_apply.state.state_file import state_from_json, state_to_json
from scenario_apply.state.stores import atomic
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.own_files import own_folder
from tests.fakes.clock import FakeClock
from tests.state.stores.states import KAEL, one, states


def store(folder: Path, *, endpoint: str = "here", project: str | None = None) -> FileStore:
    """As a new process would open it."""
    path = str(folder / "state" / "m.json")
    return FileStore(path, endpoint=endpoint, project=project, tool_version="1", clock=FakeClock())


def saved(folder: Path, state: State) -> State:
    fresh = store(folder)
    fresh.load()
    return fresh.save(state)


def test_a_missing_state_is_empty_and_nothing_is_written(tmp_path: Path) -> None:
    loaded = store(tmp_path).load()
    assert loaded.state == State(endpoint="here")
    assert (loaded.unanswered, loaded.has_journal) == ((), False)
    assert not (tmp_path / "state").exists()


def test_the_first_save_gives_it_a_lineage_and_a_serial(tmp_path: Path) -> None:
    state = saved(tmp_path, one())
    assert state.lineage
    assert state.serial == 1
    assert store(tmp_path).read() == state
    plain = json.loads((tmp_path / "state" / "m.json").read_text())
    assert (plain["lineage"], plain["serial"]) == (state.lineage, 1)
    assert stat.S_IMODE((tmp_path / "state" / "m.json").stat().st_mode) == 0o600


def test_the_serial_grows_with_changes_only_and_what_is_the_same_is_not_written(tmp_path: Path) -> None:
    first = saved(tmp_path, one())
    before = (tmp_path / "state" / "m.json").stat()
    assert saved(tmp_path, first).serial == 1
    after = (tmp_path / "state" / "m.json").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert saved(tmp_path, replace(one(name="Other"), lineage=first.lineage, serial=1)).serial == 2


def test_the_last_ten_are_kept(tmp_path: Path) -> None:
    state = saved(tmp_path, one())
    for number in range(2, 15):
        state = saved(tmp_path, replace(one(number), lineage=state.lineage, serial=state.serial))
    backups = sorted((tmp_path / "state" / "backups").iterdir(), key=lambda p: int(p.name.split(".")[1]))
    assert [p.name for p in backups] == [f"m.{n}.json" for n in range(5, 15)]
    assert state_from_json(json.loads(backups[0].read_text()), source="backup").records[KAEL].current.number == 5


def test_an_interrupted_write_leaves_the_old_state_and_no_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = saved(tmp_path, one())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for broken in ("os.fsync", "os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(broken, refuse)
            with pytest.raises(StateNotSaved, match="No space left"):
                saved(tmp_path, replace(one(name="Other"), lineage=first.lineage, serial=1))
        assert store(tmp_path).read() == first
        assert not list((tmp_path / "state").glob("**/*.tmp"))


def test_content_is_on_disk_before_it_takes_the_place_and_the_place_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power loss at any moment finds the old file or the new one."""
    done: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def replaced(source: str, target: str, **folders: int) -> None:
        done.append("replace")
        real_replace(source, target, **folders)

    monkeypatch.setattr("os.fsync", fsync)
    monkeypatch.setattr("os.replace", replaced)
    atomic.write_atomically(own_folder(str(tmp_path)), "x", b"x")
    assert done == ["file", "replace", "folder"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"format_version": "1.0"}', b'{"format_version": "1.0", "serial": "x"}'],
)
def test_a_damaged_state_is_refused_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state" / "m.json"
    path.parent.mkdir()
    path.write_bytes(content)
    fresh = store(tmp_path)
    with pytest.raises(StateDamaged) as caught:
        fresh.load()
    assert "there is no backup: restore the file from version control" in str(caught.value.problems[0].hint)
    assert path.read_bytes() == content


def test_a_state_of_a_newer_tool_is_refused(tmp_path: Path) -> None:
    state = saved(tmp_path, one())
    plain = state_to_json(state, tool_version="9.9") | {"format_version": "2.0"}
    (tmp_path / "state" / "m.json").write_text(json.dumps(plain))
    with pytest.raises(StateNewer, match=r"9\.9"):
        store(tmp_path).load()


def test_fields_of_a_newer_minor_version_are_read_over(tmp_path: Path) -> None:
    state = saved(tmp_path, one())
    plain = state_to_json(state, tool_version="1") | {"format_version": "1.7", "weather": "fine"}
    (tmp_path / "state" / "m.json").write_text(json.dumps(plain))
    assert store(tmp_path).read().records == state.records


def test_a_state_for_another_endpoint_or_project_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, one())
    with pytest.raises(StateForeign, match="there"):
        store(tmp_path, endpoint="there").load()
    other = tmp_path / "other"
    fresh = store(other, project="p1")
    fresh.load()
    fresh.save(one())
    with pytest.raises(StateForeign, match="p2"):
        store(other, project="p2").load()


def test_a_pushed_state_for_another_endpoint_or_project_is_refused(tmp_path: Path) -> None:
    """`state push` selects no service, so the services that the two states record decide."""
    held = replace(saved(tmp_path, one()), endpoint="https://one/v1", project="p1")
    place = store(tmp_path)
    for other in (replace(held, endpoint="https://two/v1"), replace(held, project="p2")):
        newer = replace(other, serial=held.serial + 1)
        with pytest.raises(StateForeign, match="was made for"):
            place.pushable(held, newer, force=False)
        assert place.pushable(held, newer, force=True).serial == newer.serial


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"resources": 3'])
def test_a_file_that_is_not_a_state_gets_no_hint_about_backups(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StateDamaged) as caught:
        store(tmp_path).read_other(content, "copy.json")
    assert "copy.json" in str(caught.value)
    assert "backups" not in str(caught.value.problems[0].hint)


def test_what_another_run_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    mine, theirs = store(tmp_path), store(tmp_path)
    mine.load()
    theirs.load()
    theirs.save(one(name="Theirs"))
    with pytest.raises(StateForeign, match="another process"):
        mine.save(one(name="Mine"))
    assert store(tmp_path).read().records[KAEL].current.name == "Theirs"


def test_a_state_that_vanished_meanwhile_is_not_written_again(tmp_path: Path) -> None:
    state = saved(tmp_path, one())
    mine = store(tmp_path)
    mine.load()
    (tmp_path / "state" / "m.json").unlink()
    with pytest.raises(StateNotSaved, match="is gone"):
        mine.save(replace(one(name="Mine"), lineage=state.lineage, serial=1))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named_in_the_error(tmp_path: Path) -> None:
    first = saved(tmp_path, one())
    (tmp_path / "state").chmod(0o500)
    try:
        with pytest.raises(StateNotSaved, match="denied"):
            saved(tmp_path, replace(one(name="Other"), lineage=first.lineage, serial=1))
    finally:
        (tmp_path / "state").chmod(0o700)


def test_a_file_in_place_of_a_folder_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises((StateNotSaved, StateDamaged)):
        saved(tmp_path, one())


@settings(max_examples=60)
@given(state=states)
def test_a_state_survives_its_file(state: State) -> None:
    """What is written and read again is the same."""
    import orjson

    content = orjson.dumps(state_to_json(state, tool_version="1"))
    assert state_from_json(orjson.loads(content), source="test") == state


def test_a_newer_minor_format_is_looked_at_and_never_written_over(tmp_path: Path) -> None:
    """It may hold fields that this tool does not know and would lose."""
    saved(tmp_path, one())
    path = tmp_path / "state" / "m.json"
    plain = json.loads(path.read_bytes()) | {"format_version": "1.1", "tool_version": "0.2.0", "news": {"kept": 1}}
    path.write_text(json.dumps(plain))
    before = path.read_bytes()
    looking = store(tmp_path)
    assert looking.read().records == one().records
    with pytest.raises(StateNewer, match=r"has format 1\.1, written by scenario-apply 0\.2\.0"):
        looking.save(one(name="Other"))
    writing = store(tmp_path)
    with writing.locked("apply"), pytest.raises(StateNewer):
        writing.load()
    with pytest.raises(StateNewer):
        looking.read_other(before, "pushed.json")
    assert path.read_bytes() == before

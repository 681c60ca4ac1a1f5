"""What every state store promises to plan, apply and the state commands, whatever keeps the state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateForeign, StateLocked, StateNewer
from scenario_apply.model.remote import ModelId
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.remote.remote_store import RemoteStore
from scenario_apply.state.stores.state_store import StateStore
from tests.fakes.clock import FakeClock
from tests.fakes.memory_backend import MemoryBackend, MemoryBucket
from tests.state.stores.remote.contract_suite import CREATE, create, document
from tests.state.stores.states import AT, one

Open = Callable[..., StateStore]
MADE = Outcome(at=AT, model_id=ModelId("model_1"))


@pytest.fixture(params=["file", "remote"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the state as another process would."""
    bucket = MemoryBucket()

    def in_file(endpoint: str = "fake", project: str | None = None) -> StateStore:
        path = str(tmp_path / "kael.json")
        return FileStore(path, endpoint=endpoint, project=project, tool_version="1", clock=FakeClock())

    def in_store(endpoint: str = "fake", project: str | None = None) -> StateStore:
        folder = own_folder(str(tmp_path), within=str(tmp_path)).within(".scenario")
        backend = MemoryBackend(bucket)
        return RemoteStore(
            backend,
            endpoint=endpoint,
            project=project,
            tool_version="1",
            clock=FakeClock(),
            journal_folder=folder,
            elapsed=FakeClock().monotonic,
        )

    return in_file if request.param == "file" else in_store


def put(store: StateStore, content: bytes) -> None:
    """Bytes in the state's place."""
    if isinstance(store, FileStore):
        Path(store.path).write_bytes(content)
    elif isinstance(store, RemoteStore):
        store._backend.write(content, replacing=None)


def test_before_the_first_save_there_is_an_empty_state(opened: Open) -> None:
    store = opened()
    assert store.load().state == State(endpoint="fake")
    assert store.content is None


def test_a_save_gives_lineage_and_serial_and_an_equal_state_writes_nothing(opened: Open) -> None:
    store = opened()
    first = store.save(one())
    content = store.content
    assert (first.serial, first.endpoint) == (1, "fake")
    assert store.save(first) == first
    assert store.content == content
    second = store.save(replace(first, records=one(name="Two").records))
    assert (second.serial, second.lineage) == (2, first.lineage)
    found = opened()
    assert found.read().records == second.records
    assert found.content == store.content


def test_a_state_of_another_endpoint_or_project_is_refused(opened: Open) -> None:
    opened(project="p").save(one())
    with pytest.raises(StateForeign, match="endpoint"):
        opened("elsewhere").read()
    with pytest.raises(StateForeign, match="project"):
        opened(project="q").read()


def test_a_write_over_another_process_is_refused(opened: Open) -> None:
    mine = opened()
    state = mine.save(one())
    theirs = opened()
    theirs.save(replace(theirs.read(), records=one(name="Theirs").records))
    with pytest.raises(StateForeign):
        mine.save(replace(state, records=one(name="Mine").records))
    assert opened().read().records == one(name="Theirs").records


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", StateDamaged),
        (b"{", StateDamaged),
        (document().replace(b"resources", b"resourcez"), StateDamaged),
        (document().replace(b'"1.0"', b'"2.0"'), StateNewer),
    ],
)
def test_a_state_that_cannot_be_read_stays_and_the_error_names_it(
    opened: Open, content: bytes, error: type[Exception]
) -> None:
    store = opened()
    put(store, content)
    with pytest.raises(error, match=r"kael\.json"):
        store.load()
    assert opened().take() == content


def test_what_could_not_be_read_can_be_replaced_and_is_kept(opened: Open) -> None:
    store = opened()
    put(store, b"{")
    with store.locked("state push"):
        content = store.take()
        assert content is not None
        store.put_away(content)
        store.save(one())
    assert opened().read().records == one().records


def test_backups_are_the_last_states_newest_first(opened: Open) -> None:
    store = opened()
    state = store.save(one())
    for name in ("Two", "Three"):
        state = store.save(replace(state, records=one(name=name).records))
    assert [found.serial for _, found in opened().earlier_states()] == [3, 2, 1]


def test_the_lock_is_held_by_one_and_named(opened: Open) -> None:
    first, second = opened(), opened()
    with first.locked("scenario-apply apply"):
        with pytest.raises(StateLocked, match="scenario-apply apply"), second.locked("apply"):
            pass
        assert second.still_running()
    with second.locked("apply") as notes:
        assert notes == []
    assert second.force_unlock() is None


def test_a_run_that_ends_leaves_nothing(opened: Open) -> None:
    store = opened()
    with store.locked("apply"):
        state = store.save(State())
        store.discard_journal()
        store.keep_backup()
        with store.begin_journal("run1") as journal:
            journal.intend(CREATE, 1.0)
            journal.sending(CREATE, 2.0)
            journal.settle(CREATE, MADE)
            state = store.end_run(after(state, CREATE, MADE), journal, has_open_calls=False)
    found = opened()
    assert (found.load().has_journal, found.journal_run()) == (False, None)
    assert found.read() == state


def test_a_run_that_dies_is_replayed_and_its_open_call_named(opened: Open) -> None:
    store = opened()
    state = store.save(State())
    journal = store.begin_journal("run1")
    second = create("fast", "s2")
    for number, step in enumerate((CREATE, second)):
        journal.intend(step, number)
        journal.sending(step, number + 1.0)
        if step is CREATE:
            journal.settle(step, MADE)
    state = store.save(after(state, CREATE, MADE), journal, back_up=False)
    journal.close()

    found = opened()
    loaded = found.load()
    assert loaded.has_journal
    assert [call.step for call in loaded.unanswered] == [second]
    assert loaded.state.records == state.records
    found.save(loaded.state)
    found.discard_journal()
    assert not opened().load().has_journal


def test_a_run_with_a_call_of_unknown_outcome_keeps_it_for_the_next(opened: Open) -> None:
    store = opened()
    state = store.save(State())
    with store.begin_journal("run1") as journal:
        journal.intend(CREATE, 1.0)
        journal.sending(CREATE, 2.0)
        store.end_run(state, journal, has_open_calls=True)
    loaded = opened().load()
    assert [call.step for call in loaded.unanswered] == [CREATE]


def test_a_merged_state_keeps_the_note_of_what_it_holds(opened: Open) -> None:
    store = opened()
    store.save(one())
    note = JournalNote(run="run1", lines=3)
    store.take()
    store.resume(note)
    store.save(one(name="Merged"))
    assert b'"run": "run1"' in (opened().take() or b"")


def test_a_pushed_state_has_to_be_newer_and_of_the_same_lineage(opened: Open) -> None:
    store = opened()
    held = store.save(one())
    older = store.read_other(document(0, str(held.lineage)), "older.json")
    with pytest.raises(StateForeign, match="serial"):
        store.pushable(held, older, force=False)
    other = store.read_other(document(9, "l-9"), "other.json")
    with pytest.raises(StateForeign, match="lineage"):
        store.pushable(held, other, force=False)
    assert store.save(store.pushable(held, other, force=True)).lineage == "l-9"

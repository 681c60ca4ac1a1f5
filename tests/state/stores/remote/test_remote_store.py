"""RemoteStore, the lease and the journal of a run, on a store in memory whose answers may be lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateForeign
from scenario_apply.model.remote import ModelId
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Journal
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.remote.backend import StateBackend, StoredState, StoreUnavailable
from scenario_apply.state.stores.remote.remote_store import RemoteStore
from scenario_apply.state.stores.state_store import Loaded
from tests.fakes.clock import FakeClock
from tests.fakes.memory_backend import LEASE_S, MemoryBackend, MemoryBucket
from tests.fakes.wire import Killed
from tests.state.stores.remote.contract_suite import CREATE, StoreContract, create
from tests.state.stores.states import AT, one


class TestInMemory(StoreContract):
    """The contract on the fake that other tests use."""

    def setup_method(self) -> None:
        self.bucket = MemoryBucket()

    def make_backend(self) -> StateBackend:
        return MemoryBackend(self.bucket)

    def age_lease(self, backend: StateBackend) -> None:
        self.bucket.clock.advance(LEASE_S)


class Scene:
    """One store, and the machines a and b."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bucket = MemoryBucket()
        self.state = State()
        self.backends = {name: MemoryBackend(self.bucket) for name in "ab"}
        for name in self.backends:
            (root / name).mkdir()

    def store(self, name: str = "a") -> RemoteStore:
        home = self.root / name
        return RemoteStore(
            self.backends[name],
            endpoint="fake",
            project=None,
            tool_version="1",
            clock=FakeClock(),
            journal_folder=own_folder(str(home), within=str(home)).within(".scenario"),
            elapsed=FakeClock().monotonic,
        )

    def begun(self, name: str = "a", run: str = "run1") -> tuple[RemoteStore, Journal]:
        """A run that has sent a call."""
        store = self.store(name)
        self.state = store.save(store.read())
        journal = store.begin_journal(run)
        journal.intend(CREATE, 1.0)
        journal.sending(CREATE, 2.0)
        return store, journal

    def asked(self) -> dict[str, int]:
        """The requests since the last time, by name."""
        found = {name: times for name, times in self.bucket.requests.items() if times}
        self.bucket.requests.clear()
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_state_without_a_run_is_one_request(scene: Scene) -> None:
    store = scene.store()
    with store.locked("apply"):
        store.save(one())
    scene.asked()
    assert scene.store("b").load().state.records == one().records
    assert scene.asked() == {"read": 1}


def test_what_records_the_same_is_not_written(scene: Scene) -> None:
    store = scene.store()
    state = store.save(one())
    scene.asked()
    assert store.save(state) == state
    assert scene.asked() == {}


def test_a_call_that_is_tried_again_is_recorded_once(scene: Scene) -> None:
    _, journal = scene.begun()
    scene.asked()
    journal.sending(CREATE, 3.0)
    assert scene.asked() == {}
    journal.sending(CREATE, 4.0, upload_id="u1")
    assert scene.asked() == {"put_call": 1}
    [found] = scene.store("b").load().unanswered
    assert (found.sent_at, dict(found.details)) == (4.0, {"upload_id": "u1"})


def test_a_call_that_was_put_back_and_sent_again_is_read_elsewhere(scene: Scene) -> None:
    """Its second intent comes after its first request."""
    _, journal = scene.begun()
    journal.intend(CREATE, 3.0)
    journal.sending(CREATE, 4.0, upload_id="u1")
    assert len(scene.store("b").load().unanswered) == 1


def test_a_death_between_a_save_and_the_deletion_of_its_records_repeats_nothing(scene: Scene) -> None:
    """The note in the state says which calls were open then."""
    store, journal = scene.begun()
    made = Outcome(at=AT, model_id=ModelId("model_1"))
    journal.settle(CREATE, made)

    def struck(name: str, when: str) -> None:
        if name == "delete_calls":
            raise Killed

    scene.backends["a"].strike = struck
    with pytest.raises(Killed):
        store.save(after(scene.state, CREATE, made), journal)
    assert len(scene.bucket.calls) == 1
    found = scene.store("b").load()
    assert found.unanswered == ()
    assert found.state.records == after(State(), CREATE, made).records


def test_a_journal_of_this_machine_is_replayed_only_if_the_state_names_its_run(scene: Scene) -> None:
    """Another machine went on: what lies here is old, and the next run removes it."""
    here, journal = scene.begun()
    journal.settle(CREATE, Outcome(at=AT, model_id=ModelId("model_1")))
    journal.flush()
    found = scene.store().load()
    assert (found.unanswered, len(found.state.records)) == ((), 1), "its own journal knows the end"
    assert len(scene.store("b").load().unanswered) == 1

    there = scene.store("b")
    there.save(there.load().state)
    there.discard_journal()
    assert scene.bucket.calls == {}
    again = scene.store()
    assert again.load() == Loaded(state=there.read())
    again.save(again.read())
    again.discard_journal()
    assert not Path(here.journal_path).exists()
    again.begin_journal("run2").close()


def test_a_run_that_goes_on_without_its_lease_is_noticed(scene: Scene) -> None:
    """It was taken for dead, and sends another request after its state was read."""
    _, journal = scene.begun()
    there = scene.store("b")
    there.save(there.load().state)
    there.discard_journal()
    step = create("fast", "s2")
    journal.intend(step, 3.0)
    journal.sending(step, 4.0)
    with pytest.raises(StateForeign, match="still goes on"):
        there.begin_journal("run2")
    assert scene.bucket.calls, "nothing of it is deleted"


def test_records_that_a_finished_run_could_not_delete_go_with_the_next(scene: Scene) -> None:
    store, journal = scene.begun()
    made = Outcome(at=AT, model_id=ModelId("model_1"))
    journal.settle(CREATE, made)

    def cut(name: str, when: str) -> None:
        if name == "delete_calls":
            raise StoreUnavailable("cut")

    scene.backends["a"].strike = cut
    store.end_run(after(scene.state, CREATE, made), journal, has_open_calls=False)
    assert scene.bucket.calls
    there = scene.store("b")
    assert not there.load().has_journal
    there.begin_journal("run2").close()
    assert scene.bucket.calls == {}


def test_a_run_keeps_what_was_there_before_it_and_what_it_ended_with(scene: Scene) -> None:
    """Not what it saved in between."""
    store = scene.store()
    first = store.save(one())
    scene.bucket.backups.clear()
    store = scene.store()
    state = store.read()
    store.keep_backup()
    journal = store.begin_journal("run1")
    state = store.save(replace(state, records=one(name="Two").records), journal, back_up=False)
    last = store.end_run(replace(state, records=one(name="Three").records), journal, has_open_calls=False)
    assert [found.serial for _, found in store.earlier_states()] == [last.serial, first.serial]


def test_a_damaged_record_of_a_call_is_an_error_that_names_it(scene: Scene) -> None:
    scene.begun()
    [name] = scene.bucket.calls
    scene.bucket.calls[name] = b"{}\n"
    with pytest.raises(StateDamaged, match=name):
        scene.store("b").load()


def test_the_heartbeat_renews_the_lease_while_it_is_held(scene: Scene) -> None:
    renewed = threading.Event()

    def seen(name: str, when: str) -> None:
        if (name, when) == ("renew", "after"):
            renewed.set()

    backend = scene.backends["a"]
    backend.strike, backend.renew_every_s = seen, 0.001
    store = scene.store()
    with store.locked("apply"):
        assert renewed.wait(60)
    assert scene.bucket.lease is None


def test_a_state_that_replaces_a_damaged_one_keeps_the_calls_that_are_in_flight(scene: Scene) -> None:
    scene.begun()
    stored = scene.bucket.state
    assert stored is not None
    scene.bucket.state = stored._replace(content=stored.content[:-9])
    store = scene.store("b")
    with store.locked("state push"):
        damaged = store.take()
        assert damaged is not None
        store.put_away(damaged)
        store.save(one(name="Restored"))
    loaded = scene.store("b").load()
    assert [call.step for call in loaded.unanswered] == [CREATE]
    assert scene.bucket.backups[0] == damaged


def test_a_state_of_terraform_is_named_as_one(scene: Scene) -> None:
    """And nothing says how to write over it."""
    content = b'{"version": 4, "terraform_version": "1.9.5", "serial": 3, "lineage": "x", "resources": []}'
    scene.bucket.state = StoredState(content, "v1")
    with pytest.raises(StateDamaged, match="is a state of Terraform") as caught:
        scene.store().load()
    assert caught.value.problems[0].hint == "name another place for the state of scenario-apply; nothing was changed"

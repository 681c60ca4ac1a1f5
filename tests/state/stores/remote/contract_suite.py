"""What every remote store promises, as tests to inherit: StoreContract over its backend, and over RemoteStore on it.

A subclass overrides make_backend, and age_lease where its leases expire. Each test begins without a state.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateForeign, StateLocked, StateNewer
from scenario_apply.model import codec
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import CreateModel, PlannedStep
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.state_file import file_of
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.own_files import own_folder
from scenario_apply.state.stores.remote.backend import LeaseLost, StaleWrite, StateBackend
from scenario_apply.state.stores.remote.remote_store import RemoteStore
from tests.fakes.clock import FakeClock
from tests.state.stores.states import AT, one

CONTENDERS = 100
LATCH_S = 60.0


def create(name: str, step_id: str) -> PlannedStep:
    address = parse_address(f"model.{name}")
    return PlannedStep(id=step_id, step=CreateModel(address=address, number=1, name=name, type="flux.1-lora"))


CREATE = create("kael", "s1")


def holder(who: str = "jane", host: str = "runner-1") -> Holder:
    return Holder(who=who, host=host, pid=71, since="2026-11-27T09:00:00Z", command="scenario-apply apply")


def document(serial: int = 1, lineage: str = "l-1") -> bytes:
    """A state as the tool writes it; some stores keep it as JSON, not as bytes."""
    state = replace(one(), lineage=lineage, serial=serial, endpoint="fake")
    return codec.document(file_of(state, tool_version="1"))


class StoreContract:
    """Backends that make_backend returns are of the same state; each is another machine's."""

    make_backend: Callable[[], StateBackend]
    keeps_backups = True
    """Whether backups are the tool's work there, not the store's."""
    most_contenders = CONTENDERS
    holder_shown = "jane"
    """How the holder is called there; a server that authenticates may show the name of the login."""

    @pytest.fixture
    def backend(self) -> Iterator[StateBackend]:
        backend = self.make_backend()
        yield backend
        backend.close()

    @pytest.fixture
    def other(self) -> Iterator[StateBackend]:
        backend = self.make_backend()
        yield backend
        backend.close()

    def age_lease(self, backend: StateBackend) -> None:
        """Let the lease that is held expire, by the store's clock, as if its holder had died."""
        pytest.skip("its locks do not expire")

    def lose_lease(self, backend: StateBackend, other: StateBackend) -> None:
        """Let another run take the lease while its holder still runs."""
        other.break_lock()
        other.acquire(holder("john", "runner-2"))

    def machine(self, backend: StateBackend, folder: Path, elapsed: FakeClock | None = None) -> RemoteStore:
        """A store as a process of that machine opens it."""
        return RemoteStore(
            backend,
            endpoint="fake",
            project=None,
            tool_version="1",
            clock=FakeClock(),
            journal_folder=own_folder(str(folder), within=str(folder)).within(".scenario"),
            elapsed=(elapsed or FakeClock()).monotonic,
        )

    # -- the document

    def test_nothing_is_read_before_the_first_write(self, backend: StateBackend) -> None:
        assert backend.read() is None

    def test_what_was_written_is_read_by_others(self, backend: StateBackend, other: StateBackend) -> None:
        version = backend.write(document(), replacing=None)
        stored = other.read()
        assert stored is not None
        assert stored.content == document()
        again = backend.read()
        assert again is not None
        assert again.version == version

    def test_a_write_replaces_the_version_that_was_read(self, backend: StateBackend, other: StateBackend) -> None:
        backend.write(document(1), replacing=None)
        read = other.read()
        assert read is not None
        second = other.write(document(2), replacing=read.version)
        assert other.write(document(3), replacing=second) != second
        stored = backend.read()
        assert stored is not None
        assert stored.content == document(3)

    def test_a_second_first_write_is_refused(self, backend: StateBackend, other: StateBackend) -> None:
        backend.write(document(1), replacing=None)
        with pytest.raises(StaleWrite):
            other.write(document(1, "l-2"), replacing=None)
        assert backend.read() is not None

    def test_a_stale_write_is_refused(self, backend: StateBackend, other: StateBackend) -> None:
        backend.write(document(1), replacing=None)
        mine, theirs = backend.read(), other.read()
        assert mine is not None
        assert theirs is not None
        other.write(document(2), replacing=theirs.version)
        with pytest.raises(StaleWrite):
            backend.write(document(2, "l-2"), replacing=mine.version)
        stored = other.read()
        assert stored is not None
        assert stored.content == document(2)

    # -- backups

    def test_backups_come_newest_first_and_ten_stay(self, backend: StateBackend, other: StateBackend) -> None:
        if not self.keeps_backups:
            pytest.skip("the store keeps versions by itself")
        for serial in range(1, 26):
            backend.keep_backup(serial, document(serial))
        found = list(other.backups())
        assert [content for _, content in found[:10]] == [document(serial) for serial in range(25, 15, -1)]
        assert len(found) <= 20, "a store may delete several at once"
        assert "25" in found[0][0]

    # -- open calls

    def test_records_of_calls_are_seen_by_others_and_deleted_together(
        self, backend: StateBackend, other: StateBackend
    ) -> None:
        backend.write(document(), replacing=None)
        backend.put_call("run-1", b'{"a":1}\n', is_new=True)
        backend.put_call("run-2", b'{"b":1}\n', is_new=True)
        backend.put_call("run-2", b'{"b":2}\n', is_new=False)
        assert other.calls() == [("run-1", b'{"a":1}\n'), ("run-2", b'{"b":2}\n')]
        backend.delete_calls(["run-1", "run-2", "run-3"])
        assert other.calls() == []

    def test_a_record_is_never_made_over_another(self, backend: StateBackend, other: StateBackend) -> None:
        backend.write(document(), replacing=None)
        backend.put_call("run-1", b'{"a":1}\n', is_new=True)
        backend.put_call("run-1", b'{"a":1}\n', is_new=True)  # its answer was lost
        with pytest.raises(StateForeign):
            other.put_call("run-1", b'{"b":1}\n', is_new=True)
        assert other.calls() == [("run-1", b'{"a":1}\n')]

    def test_records_may_be_put_by_many_threads(self, backend: StateBackend, other: StateBackend) -> None:
        backend.write(document(), replacing=None)
        names = [f"run-{number:03}" for number in range(16)]
        in_threads([partial(backend.put_call, name, b"{}\n", is_new=True) for name in names])
        assert [name for name, _ in other.calls()] == names

    # -- the lease

    def test_a_lease_that_is_held_is_refused_by_the_name_of_its_holder(
        self, backend: StateBackend, other: StateBackend
    ) -> None:
        lease = backend.acquire(holder())
        with pytest.raises(StateLocked, match=self.holder_shown):
            other.acquire(holder("john", "runner-2"))
        found = other.holder()
        assert found is not None
        assert self.holder_shown in str(found)
        backend.release(lease)
        assert other.holder() is None
        taken = other.acquire(holder("john", "runner-2"))
        assert taken.taken_from is None
        other.release(taken)

    def test_a_renewed_lease_stays(self, backend: StateBackend, other: StateBackend) -> None:
        lease = backend.acquire(holder())
        for _ in range(3):
            lease = backend.renew(lease)
        with pytest.raises(StateLocked):
            other.acquire(holder("john"))
        backend.release(lease)

    def test_an_expired_lease_is_taken_over_and_its_holder_named(
        self, backend: StateBackend, other: StateBackend
    ) -> None:
        lease = backend.acquire(holder())
        self.age_lease(backend)
        assert other.holder() is None
        taken = other.acquire(holder("john", "runner-2"))
        assert taken.taken_from is not None
        assert taken.taken_from.who == "jane"
        with pytest.raises(LeaseLost):
            backend.renew(lease)
        backend.release(lease)  # not ours: the other's stays
        with pytest.raises(StateLocked, match="john"):
            backend.acquire(holder())
        other.release(other.renew(taken))

    def test_a_broken_lease_is_lost(self, backend: StateBackend, other: StateBackend) -> None:
        lease = backend.acquire(holder())
        broken = other.break_lock()
        assert broken is not None
        assert self.holder_shown in str(broken)
        assert other.break_lock() is None
        with pytest.raises(LeaseLost):
            backend.renew(lease)

    def test_of_many_contenders_one_holds_it_at_a_time(self) -> None:
        """All get it in the end, and no two at once."""
        held, most, turns = 0, 0, 0
        guard, released = threading.Lock(), threading.Semaphore(0)
        start = threading.Barrier(self.most_contenders)

        def contend(number: int) -> None:
            nonlocal held, most, turns
            backend = self.make_backend()
            start.wait(LATCH_S)
            while True:
                try:
                    lease = backend.acquire(holder(f"user-{number}"))
                    break
                except StateLocked:
                    assert released.acquire(timeout=LATCH_S)
            with guard:
                held += 1
                most = max(most, held)
            with guard:
                held -= 1
                turns += 1
            backend.release(lease)
            released.release()
            backend.close()

        in_threads([partial(contend, number) for number in range(self.most_contenders)])
        assert (most, turns) == (1, self.most_contenders)

    # -- a state store on it

    def test_the_first_save_and_the_next_are_read_elsewhere(
        self, backend: StateBackend, other: StateBackend, tmp_path: Path
    ) -> None:
        here, there = self.machine(backend, tmp_path / "a"), self.machine(other, tmp_path / "b")
        with here.locked("apply"):
            assert here.read().records == {}
            first = here.save(one())
            second = here.save(replace(first, records=one(name="Kael II").records))
        assert second.serial > first.serial > 0
        found = there.read()
        assert (found.lineage, found.records) == (first.lineage, second.records)

    def test_a_save_over_a_newer_state_is_refused(
        self, backend: StateBackend, other: StateBackend, tmp_path: Path
    ) -> None:
        here, there = self.machine(backend, tmp_path / "a"), self.machine(other, tmp_path / "b")
        with here.locked("apply"):
            here.save(one())
        state, seen = here.read(), there.read()
        with there.locked("apply"):
            there.save(replace(seen, records=one(name="Theirs").records))
        with pytest.raises(StateForeign):
            here.save(replace(state, records=one(name="Ours").records))
        assert self.machine(other, tmp_path / "b").read().records == one(name="Theirs").records

    def test_a_run_that_lost_its_lease_saves_and_pays_no_more(
        self, backend: StateBackend, other: StateBackend, tmp_path: Path
    ) -> None:
        elapsed = FakeClock()
        here = self.machine(backend, tmp_path, elapsed)
        with here.locked("apply"):
            state = here.save(one())
            with here.begin_journal("run1") as journal:
                journal.intend(CREATE, 1.0)
                self.lose_lease(backend, other)
                elapsed.advance(1000)  # the heartbeat's turn
                with pytest.raises(LeaseLost):
                    journal.sending(CREATE, 2.0)
                with pytest.raises(LeaseLost):
                    here.save(replace(state, records={}), journal)
                assert other.calls() == []
        assert self.machine(other, tmp_path / "b").read().records == one().records

    def test_a_second_run_is_refused_and_names_the_first(
        self, backend: StateBackend, other: StateBackend, tmp_path: Path
    ) -> None:
        here, there = self.machine(backend, tmp_path / "a"), self.machine(other, tmp_path / "b")
        with here.locked("scenario-apply apply"):
            with pytest.raises(StateLocked, match="locked by") as caught, there.locked("apply"):
                pass
            assert "force-unlock" in str(caught.value.problems[0].hint)
            assert there.still_running()
            assert there.force_unlock() is not None
        assert there.force_unlock() is None
        assert there.still_running() is None

    def test_a_call_in_flight_is_found_on_another_machine(
        self, backend: StateBackend, other: StateBackend, tmp_path: Path
    ) -> None:
        """With only the store: what was sent, what ended before it, and nothing of it once a save holds it."""
        here, there = self.machine(backend, tmp_path / "a"), self.machine(other, tmp_path / "b")
        second = create("fast", "s2")
        with here.locked("apply"):
            state = here.save(State())
            with here.begin_journal("run1") as journal:
                journal.intend(CREATE, 1.0)
                journal.sending(CREATE, 2.0)
                assert [call.step.id for call in there.load().unanswered] == ["s1"]
                made = Outcome(at=AT, model_id=ModelId("model_1"))
                journal.settle(CREATE, made)
                journal.intend(second, 3.0)
                journal.sending(second, 4.0)
                found = there.load()
                assert [call.step.id for call in found.unanswered] == ["s2"]
                assert found.unanswered[0].is_foreign
                assert found.state.records == after(State(), CREATE, made).records
                state = here.save(after(state, CREATE, made), journal)
                found = there.load()
                assert (found.has_journal, [call.step.id for call in found.unanswered]) == (True, ["s2"])
                assert len(other.calls()) == 1
                state = after(state, second, Outcome(at=AT, model_id=ModelId("model_2")))
                journal.settle(second, Outcome(at=AT, model_id=ModelId("model_2")))
                here.end_run(state, journal, has_open_calls=False)
        found = there.load()
        assert (found.has_journal, found.unanswered, len(found.state.records)) == (False, (), 2)
        assert other.calls() == []

    def test_a_damaged_state_is_an_error_and_stays(self, backend: StateBackend, tmp_path: Path) -> None:
        backend.write(document().replace(b'"resources"', b'"resourcez"'), replacing=None)
        store = self.machine(backend, tmp_path)
        with pytest.raises(StateDamaged, match="resources") as caught:
            store.load()
        assert "state push" in str(caught.value.problems[0].hint)
        assert store.shown in str(caught.value)

    def test_a_newer_state_is_looked_at_and_not_written(self, backend: StateBackend, tmp_path: Path) -> None:
        backend.write(document().replace(b'"format_version": "1.0"', b'"format_version": "1.9"'), replacing=None)
        store = self.machine(backend, tmp_path)
        assert store.read().records
        with store.locked("apply"), pytest.raises(StateNewer):
            store.load()

    def test_a_state_of_a_newer_major_format_is_refused(self, backend: StateBackend, tmp_path: Path) -> None:
        backend.write(document().replace(b'"format_version": "1.0"', b'"format_version": "2.0"'), replacing=None)
        with pytest.raises(StateNewer, match=r"2\.0"):
            self.machine(backend, tmp_path).read()

    def test_backups_of_a_store_can_be_read(self, backend: StateBackend, tmp_path: Path) -> None:
        if not self.keeps_backups:
            pytest.skip("the store keeps versions by itself")
        store = self.machine(backend, tmp_path)
        with store.locked("apply"):
            store.save(one())
            store.save(one(name="Kael II"))
        assert [state.records for _, state in store.earlier_states()] == [one(name="Kael II").records, one().records]


def in_threads(tasks: list[Callable[[], object]]) -> None:
    """Run each in a thread of its own; the first error is raised."""
    errors: list[BaseException] = []

    def run(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LATCH_S)
        assert not thread.is_alive()
    if errors:
        raise errors[0]

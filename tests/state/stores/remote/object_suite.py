"""What every object store keeps its promises on, below RemoteStore: one suite, over S3, Azure and Google's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import obstore
import pytest
from msgspec.structs import asdict

from scenario_apply.errors import StateDamaged, StateLocked
from scenario_apply.model.timestamps import from_iso
from scenario_apply.state.state_url import parse_state_url
from scenario_apply.state.stores.remote.backend import LeaseLost, StaleWrite, StateBackend, StoreUnavailable
from scenario_apply.state.stores.remote.object_backend import ObjectBackend
from tests.fakes.clock import FakeClock
from tests.fakes.faulty_proxy import Fault, FaultyProxy, Kind
from tests.state.stores.remote.contract_suite import StoreContract, holder

SECRET = "c2VjcmV0LXRoYXQtbm9ib2R5LXNlZXM="
STATE, LEASE = "kael.json", "kael.lock"


@dataclass(frozen=True, slots=True)
class Place:
    """An empty bucket behind a proxy. url: such as s3://bucket; missing: the code of a bucket that does not exist."""

    url: str
    proxy: FaultyProxy
    missing: str

    def backend(self, key: str = "team/kael.json", url: str | None = None) -> ObjectBackend:
        """One machine's. Its clock is nowhere near the store's."""
        return ObjectBackend(parse_state_url(f"{url or self.url}/{key}"), clock=FakeClock(), allow_http=False)

    def keys(self) -> set[str]:
        """Of all objects of the bucket."""
        return {listed.key for listed in self.backend()._requests.listed("team")}

    def put(self, key: str, content: bytes) -> None:
        obstore.put(self.backend()._requests._store(), key, content)

    def requests(self, call: Callable[[], object]) -> list[str]:
        """The methods of the requests that a call makes."""
        self.proxy.seen.clear()
        call()
        return [line.partition(" ")[0] for line in self.proxy.seen]


def lease_of(place: Place) -> dict[str, str]:
    found = place.backend()._requests.get("team/kael.lock", 10_000)
    assert found is not None
    return dict(json.loads(found.content))


class ObjectSuite(StoreContract):
    """The contract of all stores, and what object stores alone promise. Subclasses give the fixture `place`."""

    _place: Place

    @pytest.fixture(autouse=True)
    def contract(self, place: Place) -> None:
        self._place = place
        self.make_backend = place.backend

    def age_lease(self, backend: StateBackend) -> None:
        """Then the next lease is as fresh as it is."""
        self._place.proxy.age("kael.lock", -63)

    # -- the state

    def test_a_write_over_somebody_elses_is_refused(self, place: Place) -> None:
        """By the version, of the first state, too; a state that was removed is not made again."""
        ours, theirs = place.backend(), place.backend()
        assert ours.read() is None
        first = ours.write(b"{1}", replacing=None)
        with pytest.raises(StaleWrite, match="was written by another process"):
            theirs.write(b"{2}", replacing=None)
        assert theirs.read() == (b"{1}", first)
        theirs.write(b"{2}", replacing=first)
        with pytest.raises(StaleWrite, match="was written by another process"):
            ours.write(b"{3}", replacing=first)
        found = ours.read()
        assert found is not None
        assert found.content == b"{2}"
        ours._requests.delete(("team/kael.json",))
        with pytest.raises(StaleWrite, match="was removed"):
            ours.write(b"{3}", replacing=found.version)
        assert ours.read() is None

    @pytest.mark.parametrize("kind", ["lost", "reset", "refused", "after"])
    @pytest.mark.parametrize("is_first", [True, False])
    def test_a_lost_answer_costs_a_look_and_no_second_write(self, place: Place, kind: Kind, is_first: bool) -> None:
        """Whether it was carried out is read from the object; it is written again only where it was not."""
        backend = place.backend()
        before = None if is_first else backend.write(b"{1}", replacing=None)
        place.proxy.faults.append(Fault(kind, "PUT", STATE))
        made: list[str] = []
        asked = place.requests(lambda: made.append(backend.write(b"{2}", replacing=before)))
        assert asked == (["PUT", "GET"] if kind in ("lost", "after") else ["PUT", "GET", "PUT"])
        assert backend.read() == (b"{2}", made[0])
        backend.write(b"{3}", replacing=made[0])

    def test_a_conflict_of_two_writes_is_tried_again(self, place: Place) -> None:
        """S3 answers 409 while another conditional write is under way."""
        backend = place.backend()
        first = backend.write(b"{1}", replacing=None)
        conflict = b"<Error><Code>ConditionalRequestConflict</Code></Error>"
        place.proxy.faults.append(Fault("refused", "PUT", STATE, 409, conflict, times=2))
        second = backend.write(b"{2}", replacing=first)
        place.proxy.faults.append(Fault("refused", "PUT", STATE, 409, conflict, times=9))
        with pytest.raises(StoreUnavailable, match=r"ConditionalRequestConflict \(status 409\)"):
            backend.write(b"{3}", replacing=second)

    def test_a_lost_answer_is_no_excuse_to_write_over_another_state(self, place: Place) -> None:
        ours, theirs = place.backend(), place.backend()
        first = ours.write(b"{1}", replacing=None)
        place.proxy.faults.append(Fault("reset", "PUT", STATE))
        place.proxy.held_up = ("GET", STATE)
        place.proxy.meanwhile = lambda: theirs.write(b"{theirs}", replacing=first)
        with pytest.raises(StaleWrite):
            ours.write(b"{2}", replacing=first)
        assert (found := ours.read()) is not None
        assert found.content == b"{theirs}"

    def test_a_write_whose_outcome_nobody_knows_is_recognised_later(self, place: Place) -> None:
        """The answer is lost and the store is gone for a while: the next save continues from what was written."""
        backend = place.backend()
        first = backend.write(b"{1}", replacing=None)
        place.proxy.faults += [Fault("lost", "PUT", STATE), Fault("refused", "GET", STATE, times=9)]
        with pytest.raises(StoreUnavailable, match=r"kael\.json cannot be written: it does not answer"):
            backend.write(b"{2}", replacing=first)
        place.proxy.faults.clear()
        backend.write(b"{3}", replacing=first)
        assert (found := backend.read()) is not None
        assert found.content == b"{3}"

    def test_a_bare_404_is_no_missing_state(self, place: Place) -> None:
        """What answers 404 without saying what is missing may be no store: nothing is created and paid for again."""
        place.backend().write(b"{1}", replacing=None)
        place.proxy.faults.append(Fault("refused", "GET", STATE, 404, b""))
        with pytest.raises(StoreUnavailable, match=r"cannot be read: \(status 404\)"):
            place.backend().read()

    def test_a_missing_bucket_is_an_error_that_says_so(self, place: Place) -> None:
        backend = place.backend(url=f"{place.url}-not")
        actions: list[Callable[[], object]] = [
            backend.read,
            lambda: backend.write(b"{}", replacing=None),
            lambda: backend.acquire(holder()),
            lambda: backend.put_call("a", b"{}", is_new=True),
            backend.calls,
            backend.break_lock,
        ]
        if not place.url.startswith("az"):  # whose answer to a bulk delete is that of objects that are gone
            actions.append(lambda: backend.delete_calls(["a"]))
        for act in actions:
            with pytest.raises(StoreUnavailable, match=place.missing) as caught:
                act()
            assert caught.value.problems[0].hint == "check the name, or create it"

    def test_an_error_repeats_nothing_of_what_the_store_said(self, place: Place) -> None:
        """Only the URL of the object, a status and a code; the permission may lack for one kind of object only."""
        body = f"<Error><Code>AccessDenied</Code><Message>{SECRET}</Message></Error>".encode()
        place.proxy.faults.append(Fault("refused", "PUT", LEASE, 403, body))
        with pytest.raises(StoreUnavailable) as caught:
            place.backend().acquire(holder())
        assert caught.value.message == f"{place.url}/team/kael.lock cannot be written: AccessDenied (status 403)"
        assert SECRET not in repr((caught.value.problems, caught.value.__cause__))
        assert "permissions" in (caught.value.problems[0].hint or "")

    def test_a_condition_that_fails_where_none_was_set_is_no_answer(self, place: Place) -> None:
        """As a proxy gives it that sends a write twice: the write is repeated, and what was said is not shown."""
        body = f"<Error><Code>PreconditionFailed</Code><Message>{SECRET}</Message></Error>".encode()
        place.proxy.faults.append(Fault("after", "PUT", "kael.1.json", 412, body))
        place.backend().keep_backup(1, b"{1}")
        assert [content for _, content in place.backend().backups()] == [b"{1}"]
        place.proxy.faults.append(Fault("after", "PUT", "kael.2.json", 412, body, times=9))
        with pytest.raises(StoreUnavailable, match=r"kael\.2\.json cannot be written: .*status 412") as caught:
            place.backend().keep_backup(2, b"{2}")
        assert SECRET not in repr(caught.value.problems)

    def test_a_store_that_asks_to_slow_down_is_asked_again(self, place: Place) -> None:
        place.backend().write(b"{1}", replacing=None)
        place.proxy.faults.append(Fault("refused", "GET", STATE, times=3))
        assert place.backend().read() is not None
        place.proxy.faults.append(Fault("refused", "GET", STATE, times=9))
        with pytest.raises(StoreUnavailable, match="status 503"):
            place.backend().read()

    # -- the lease

    def test_a_lease_is_one_runs_at_a_time(self, place: Place) -> None:
        """Its object says who, and until when by the store's clock, however wrong the machine's is; it goes with it."""
        ours, theirs = place.backend(), place.backend()
        lease = ours.acquire(holder())
        assert lease.taken_from is None
        held = lease_of(place)
        modified = ours._requests.modified("team/kael.lock")
        until = from_iso(held.pop("until"))
        assert modified is not None
        assert until is not None
        assert abs(until - modified - 60) <= 2
        assert len(held.pop("id")) == 32
        assert held == asdict(holder())
        with pytest.raises(StateLocked, match="locked by jane on runner-1"):
            theirs.acquire(holder("bob", "runner-2"))
        assert theirs.holder() == holder()
        ours.release(ours.renew(lease))
        assert place.keys() == set()
        assert theirs.holder() is None
        assert theirs.acquire(holder("bob", "runner-2")).taken_from is None

    def test_a_lease_is_taken_over_when_it_has_expired_by_the_stores_clock(self, place: Place) -> None:
        """61 seconds after it was written; the probe for the time is deleted, and the old holder learns of it."""
        ours, theirs = place.backend(), place.backend()
        lease = ours.acquire(holder())
        place.proxy.shifts["kael.lock"] = -58
        with pytest.raises(StateLocked):
            theirs.acquire(holder("bob", "runner-2"))
        place.proxy.shifts["kael.lock"] = -63
        assert theirs.holder() is None
        taken = theirs.acquire(holder("bob", "runner-2"))
        assert taken.taken_from == holder()
        assert place.keys() == {"team/kael.lock"}
        with pytest.raises(LeaseLost, match="is held by bob"):
            ours.renew(lease)
        ours.release(lease)
        theirs.renew(taken)

    def test_the_machines_clock_says_nothing_on_a_lease(self, place: Place) -> None:
        """Hours ahead or behind, and while it jumps: the store's clock alone does."""
        ours, theirs = place.backend(), place.backend()
        lease = ours.acquire(holder())
        for clock in (ours._lease._clock, theirs._lease._clock):
            assert isinstance(clock, FakeClock)
            clock.advance(5 * 3600)
        with pytest.raises(StateLocked):
            theirs.acquire(holder("bob", "runner-2"))
        ours.renew(lease)

    def test_a_run_that_waits_for_a_lease_asks_for_the_time_once(self, place: Place) -> None:
        place.backend().acquire(holder())
        waiting = place.backend()

        def attempt() -> None:
            with pytest.raises(StateLocked):
                waiting.acquire(holder("bob", "runner-2"))

        first = place.requests(attempt)
        assert first[1:5] == ["PUT", "GET", "PUT", "HEAD"]
        assert place.requests(attempt) == ["PUT", "GET"]

    @pytest.mark.parametrize("kind", ["lost", "reset", "refused", "after"])
    def test_a_renewal_whose_answer_is_lost_keeps_the_lease(self, place: Place, kind: Kind) -> None:
        backend = place.backend()
        place.proxy.faults.append(Fault(kind, "PUT", LEASE))
        lease = backend.acquire(holder())
        place.proxy.faults.append(Fault(kind, "PUT", LEASE))
        backend.renew(backend.renew(lease))

    def test_a_renewal_that_was_carried_out_unnoticed_keeps_the_lease(self, place: Place) -> None:
        """The store did not answer, nor to the look that followed: the caller tries again with the older lease."""
        backend = place.backend()
        lease = backend.acquire(holder())
        clock = backend._lease._clock
        assert isinstance(clock, FakeClock)
        clock.advance(20)
        place.proxy.faults += [Fault("lost", "PUT", LEASE), Fault("refused", "GET", LEASE, times=9)]
        with pytest.raises(StoreUnavailable):
            backend.renew(lease)
        place.proxy.faults.clear()
        clock.advance(5)
        backend.renew(lease)

    def test_a_lease_that_is_broken_is_lost(self, place: Place) -> None:
        ours, theirs = place.backend(), place.backend()
        lease = ours.acquire(holder())
        assert theirs.break_lock() == holder()
        assert theirs.break_lock() is None
        with pytest.raises(LeaseLost, match="was removed"):
            ours.renew(lease)
        taken = theirs.acquire(holder("bob", "runner-2"))
        ours.release(lease)
        theirs.renew(taken)

    def test_a_release_whose_answer_is_lost_deletes_nobody_elses_lease(self, place: Place) -> None:
        ours, theirs = place.backend(), place.backend()
        lease = ours.acquire(holder())
        place.proxy.faults += [Fault("lost", "DELETE", ""), Fault("lost", "POST", "")]  # in bulk, or each by itself
        place.proxy.held_up = ("GET", LEASE)
        place.proxy.meanwhile = lambda: theirs.acquire(holder("bob", "runner-2"))
        ours.release(lease)
        assert ours.holder() == holder("bob", "runner-2")

    def test_a_lease_that_cannot_be_read_is_somebodys(self, place: Place) -> None:
        """Until it expires, or is broken."""
        no_text = json.dumps({**asdict(holder()), "who": [1], "id": "x"}).encode()
        for content in (b"", b"[]", b'{"pid": 1e999}', no_text):
            place.put("team/kael.lock", content)
            with pytest.raises(StateLocked, match="locked by unknown"):
                place.backend().acquire(holder())
        broken = place.backend().break_lock()
        assert broken is not None
        assert broken.who == "unknown"
        place.put("team/kael.lock", bytes(1 << 17))
        with pytest.raises(StateDamaged, match=r"131,072 bytes, and at most"):
            place.backend().holder()

    def test_of_two_that_take_over_an_expired_lease_one_gets_it(self, place: Place) -> None:
        """The other one found it expired, too, and is refused in the name of the first."""
        place.backend().acquire(holder())
        place.proxy.shifts["kael.lock"] = -90

        def take_over() -> None:
            place.backend().acquire(holder("bob", "runner-2"))
            place.proxy.shifts.clear()

        place.proxy.held_up = ("HEAD", "clock-")
        place.proxy.meanwhile = take_over
        with pytest.raises(StateLocked, match="locked by bob"):
            place.backend().acquire(holder("eve"))

    # -- backups and calls

    def test_the_ten_newest_backups_are_kept(self, place: Place) -> None:
        """Of this state; others of the folder, of names that begin alike, stay."""
        others = ("team/backups/kael-2.1.json", "team/backups/kael.two.1.json", "team/backups/ada.1.json")
        for key in others:
            place.put(key, b"{}")
        for serial in range(1, 10):
            place.put(f"team/backups/kael.{serial}.json", b"%d" % serial)
        backend = place.backend()
        for serial in range(10, 13):
            backend.keep_backup(serial, b"%d" % serial)
        kept = [f"{place.url}/team/backups/kael.{serial}.json" for serial in range(12, 0, -1)]
        assert [name for name, _ in backend.backups()] == kept
        place.backend().keep_backup(13, b"13")
        found = list(backend.backups())
        assert len(found) == 10
        assert found[0] == (f"{place.url}/team/backups/kael.13.json", b"13")
        assert place.keys() >= set(others)

    def test_calls_are_made_once_and_deleted_together(self, place: Place) -> None:
        """A lost answer is recognised; the same name with other content is another run's."""
        backend = place.backend()
        place.proxy.faults.append(Fault("lost", "PUT", "run-1"))
        backend.put_call("run-1.a", b"intent", is_new=True)
        with pytest.raises(StaleWrite):
            place.backend().put_call("run-1.a", b"other", is_new=True)
        backend.put_call("run-1.a", b"sent", is_new=False)
        backend.put_call("run-1.b", b"intent", is_new=True)
        assert place.backend().calls() == [("run-1.a", b"sent"), ("run-1.b", b"intent")]
        backend.delete_calls(["run-1.a", "run-1.gone", "run-1.b"])
        assert backend.calls() == []
        backend.delete_calls([])

    def test_a_state_at_the_top_of_a_bucket(self, place: Place) -> None:
        backend = place.backend("kael.json")
        backend.write(b"{1}", replacing=None)
        backend.keep_backup(1, b"{1}")
        backend.put_call("a", b"{}", is_new=True)
        assert backend.calls() == [("a", b"{}")]
        assert [name for name, _ in backend.backups()] == [f"{place.url}/backups/kael.1.json"]
        backend.release(backend.acquire(holder()))
        backend._requests.delete(("kael.json", "backups/kael.1.json", "kael.journal/a.json"))

    def test_keys_with_odd_letters(self, place: Place) -> None:
        """Every key that a URL of a state may have is one object's."""
        for name in ("käl+1@x='a',b;c&d$e!f(g)", "日本"):
            backend = place.backend(f"team/{name}.json")
            version = backend.write(b"{1}", replacing=None)
            assert backend.read() == (b"{1}", version)
            backend.put_call("a.b-1", b"{}", is_new=True)
            assert backend.calls() == [("a.b-1", b"{}")]
            backend.keep_backup(1, b"{1}")
            assert [name for name, _ in backend.backups()] == [f"{place.url}/team/backups/{name}.1.json"]
            backend.delete_calls(["a.b-1"])
            assert backend.calls() == []

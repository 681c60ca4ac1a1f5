"""The store fails a run, or another run takes its lease: nothing more is paid, nothing is lost, the way on is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Ledger
from scenario_apply.errors import AnswerLost, Unreachable
from tests.apply.test_disk import bench_of, wrongs
from tests.fakes.machines import Machine, of
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire
from tests.state.stores.remote.contract_suite import holder
from tests.state.stores.test_vanished import Hand

APPLY = "scenario-apply apply"


@pytest.fixture(autouse=True)
def _quick(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("rescue")))
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def machine(root: Path) -> tuple[Machine, FakeScenario]:
    bench, service = bench_of(root)
    return of(bench), service


def swept(
    root: Path,
    when: str,
    take: Callable[[Machine], None],
    back: Callable[[Machine], None],
    name: str,
    parallelism: int = 1,
) -> list[Ledger]:
    """Take the store away at every request of a run, give it back, and apply on the machine of that name."""
    failures, ledgers = [], []
    at = 0
    while True:
        at += 1
        first, service = machine(root / str(at))
        hand = Hand(service, at, when, partial(take, first))
        ledger = first.apply(hand.api, ApplyOptions(parallelism=parallelism))
        if hand.count < at:
            break
        if ledger.status != "stopped":
            failures.append(f"{at}: ended as {ledger.status}")
        failures += [f"{at}: still paid for {hand.paid}"] if hand.paid and parallelism == 1 else []
        ledgers.append(ledger)
        back(first)
        other = first if name == "a" else first.another(name)
        again = other.apply(service)
        failures += [f"{at}: then {again.status} {again.error}"] if again.status != "done" else []
        failures += [f"{at}: {wrong}" for wrong in wrongs(other, service)]
        failures += [] if other.is_clean else [f"{at}: not clean"]
    assert not failures, "\n".join(failures)
    assert len(ledgers) > 8
    return ledgers


def cut(first: Machine) -> None:
    first.backend.is_cut = True


def mended(first: Machine) -> None:
    first.backend.is_cut = False
    first.bucket.lease = None  # it has expired


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_store_that_goes_away_stops_the_run_and_the_next_one_continues(tmp_path: Path, when: str, name: str) -> None:
    """Here or on another machine; a rescue file is named, with the command that pushes it."""
    for ledger in swept(tmp_path, when, cut, mended, name):
        assert "cannot be reached" in str(ledger.error)
        path = re.search(r"What this run knows is in (\S+\.json)", str(ledger.error))
        assert path is not None
        assert Path(path[1]).exists()
        assert f"scenario-apply state push {path[1]} --state memory://bucket/team/kael.json" in str(ledger.error)
        assert ledger.next_command == APPLY


def lose(first: Machine) -> None:
    """Another run breaks the lease and takes it; what this machine knows of it is checked at its next request."""
    first.bucket.lease = None
    other = first.another("thief")
    other.backend.acquire(holder("john"))
    first.elapsed.advance(1000)


def given_back(first: Machine) -> None:
    first.bucket.lease = None


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_lease_stops_paid_work_and_saves(tmp_path: Path, when: str, name: str) -> None:
    """What was in flight is found by the next run; there is nothing to copy."""
    for ledger in swept(tmp_path, when, lose, given_back, name):
        assert "Nothing was overwritten: let the other run end, then apply again" in str(ledger.error)
        assert ledger.next_command == APPLY


@pytest.mark.parametrize(("take", "back"), [(cut, mended), (lose, given_back)])
def test_calls_in_flight_are_recorded_and_not_made_again(
    tmp_path: Path, take: Callable[[Machine], None], back: Callable[[Machine], None]
) -> None:
    swept(tmp_path, "before", take, back, "b", parallelism=4)


@pytest.mark.parametrize("number", range(1, 5))
def test_a_lease_that_ends_while_a_call_is_recorded_prevents_the_call(tmp_path: Path, number: int) -> None:
    """As a slow store or a machine that was suspended makes it: another run may have paid for the same by then."""
    first, service = machine(tmp_path)
    hand = Hand(service, 0, "never", lambda: None)

    def strike(name: str, when: str) -> None:
        if (name, when) == ("put_call", "after") and first.bucket.requests["put_call"] == number:
            lose(first)

    first.backend.strike = strike
    ledger = first.apply(hand.api, ApplyOptions(parallelism=1))
    assert "Nothing was overwritten: let the other run end, then apply again" in str(ledger.error)
    assert len(hand.paid) == number - 1


def test_a_state_that_is_removed_during_a_run_is_pushed_back_first(tmp_path: Path) -> None:
    """The rescue file keeps the note of the run, so that a call without an answer is found after the push, too."""
    first, service = machine(tmp_path)

    def removed() -> Exception:
        first.bucket.state = None
        return Unreachable("no road")

    wire = Wire(
        service,
        Fault("after", lambda: AnswerLost("cut off"), name="create_model"),
        Fault("before", removed, name="list_models", nth=3, times=9),
    )
    ledger = first.apply(wire.api, ApplyOptions(parallelism=1))
    assert (ledger.status, len(service.alive())) == ("stopped", 1)
    command = str(ledger.next_command)
    pushed = re.fullmatch(
        rf"scenario-apply state push (\S+) --state memory://bucket/team/kael.json && {APPLY}", command
    )
    assert pushed is not None, command
    store = first.another("b").store()
    with store.locked("state push"):
        held = store.load().state
        store.save(store.pushable(held, store.read_other(Path(pushed[1]).read_bytes(), pushed[1]), force=False))
    second = first.another("c")
    again = second.apply(service)
    assert (again.status, [line.what for line in again.adopted]) == ("done", ["create"])
    assert wrongs(second, service) == []

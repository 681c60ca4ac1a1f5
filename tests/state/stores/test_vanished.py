"""The state's place is taken away under a run: it stops paying, and its printed advice leads back without a loss."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Ledger
from scenario_apply.errors import AnswerLost, Unreachable
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.planning import image_placement
from scenario_apply.state.stores.journal import Journal
from tests.apply.test_disk import bench_of, replaced, wrongs
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire

APPLY = "scenario-apply apply"


class Hand:
    """A ScenarioApi that does something at its at-th request: when it comes in, or right after it was carried out.

    paid: calls that create or spend which came in after that.
    """

    def __init__(self, service: ScenarioApi, at: int, when: str, take: Callable[[], None]) -> None:
        self.service, self.at, self.when, self.take = service, at, when, take
        self.count = 0
        self.paid: list[str] = []

    @property
    def api(self) -> ScenarioApi:
        return cast(ScenarioApi, self)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, sending: Callable[[], None] | None = None, **named: Any) -> Any:
            self.count += 1
            number = self.count
            if number == self.at and self.when == "before":
                self.take()
            if sending is not None:
                sending()
                if number > self.at or (number == self.at and self.when == "before"):
                    self.paid.append(name)
            answer = getattr(self.service, name)(*args, **named)
            if number == self.at and self.when == "after":
                self.take()
            return answer

        return call


def remove(bench: Bench) -> None:
    shutil.rmtree(bench.state_path.parent)


def empty(bench: Bench) -> None:
    remove(bench)
    bench.state_path.parent.mkdir()


def block(bench: Bench) -> None:
    remove(bench)
    bench.state_path.parent.write_text("in the way")


def lose_state(bench: Bench) -> None:
    bench.state_path.unlink(missing_ok=True)


def lose_journal(bench: Bench) -> None:
    bench.journal_path.unlink(missing_ok=True)


def go_back(bench: Bench) -> None:
    """Another branch is checked out: the state as it was before the run, or an empty one; no journal."""
    backups = sorted((bench.state_path.parent / "backups").glob("*.json"))
    content = (backups[-1] if backups else bench.state_path).read_bytes() if bench.state_path.exists() else None
    empty(bench)
    if content is not None:
        bench.state_path.write_bytes(content)


TAKEN = [remove, empty, block, lose_state, lose_journal, go_back]


def follow(bench: Bench, service: FakeScenario, ledger: Ledger) -> Ledger:
    """Do what the ledger says, word for word."""
    command = str(ledger.next_command)
    assert command.endswith(APPLY), command
    first = command.removesuffix(APPLY).strip().removesuffix("&&")
    if first:
        subprocess.run(["/bin/sh", "-ec", first], check=True, cwd=bench.root)
    return bench.apply(service)


def clear_away(ledger: Ledger) -> None:
    for path in re.findall(r"\S*/scenario-apply-rescue-\w+\.(?:json|journal)", f"{ledger.error} {ledger.next_command}"):
        Path(path).unlink(missing_ok=True)


def swept(root: Path, take: Callable[[Bench], None], when: str, versions: int, parallelism: int) -> list[str]:
    """Take it away at every request of a run, follow the advice, and look at what is wrong then."""
    failures = []
    at = 0
    while True:
        at += 1
        bench, service = (bench_of if versions == 1 else replaced)(root / f"at {at}")
        before: list[bool] = []  # whether something lay there that can be missed

        def taking(bench: Bench = bench, before: list[bool] = before) -> None:
            before.append(bench.journal_path.exists() or (bench.state_path.exists() and take is not lose_journal))
            take(bench)

        hand = Hand(service, at, when, taking)
        ledger = bench.apply(hand.api, ApplyOptions(parallelism=parallelism))
        if not before:
            break
        is_saved = take is lose_journal and ledger.status == "done"  # the state had it all
        if before == [True] and not is_saved:
            failures += [f"{when} {at}: {wrong}" for wrong in wrongs_of_a_stop(ledger, hand, parallelism)]
        if take is block and before == [False]:
            bench.state_path.parent.unlink()  # nothing was recorded yet: there is nothing to put back
        if ledger.status == "stopped":
            again = follow(bench, service, ledger)
            failures += [f"{when} {at}, then: {again.status} {again.error}"] if again.status != "done" else []
        failures += [f"{when} {at}: {wrong}" for wrong in wrongs(bench, service, versions)]
        clear_away(ledger)
    assert at > 8
    return failures


def wrongs_of_a_stop(ledger: Ledger, hand: Hand, parallelism: int) -> list[str]:
    if ledger.status != "stopped":
        return [f"the run ended as {ledger.status}"]
    wrong = [] if "What this run knows is in " in str(ledger.error) else [f"no rescue file: {ledger.error}"]
    return wrong + ([f"still paid for {hand.paid}"] if hand.paid and parallelism == 1 else [])


@pytest.mark.parametrize("versions", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("take", TAKEN)
def test_what_vanishes_at_any_request_is_not_paid_twice(
    tmp_path: Path, take: Callable[[Bench], None], when: str, versions: int
) -> None:
    """No paid call after it, a rescue file, and the printed way back ends with everything made and trained once."""
    failures = swept(tmp_path, take, when, versions, parallelism=1)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("take", [remove, go_back])
def test_with_calls_in_flight_the_answers_still_due_are_in_the_rescue_file(
    tmp_path: Path, take: Callable[[Bench], None]
) -> None:
    failures = swept(tmp_path, take, "before", 1, parallelism=4)
    assert not failures, "\n".join(failures)


def test_a_large_picture_goes_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    failures = swept(tmp_path, remove, "after", 1, parallelism=1)
    assert not failures, "\n".join(failures)


def test_a_call_with_an_unknown_outcome_is_rescued_with_the_state(tmp_path: Path) -> None:
    """The create was carried out, its answer and every look for it were lost, and then the folder was, too."""
    bench = Bench(tmp_path / "my home")
    bench.add("kael", ["KAEL, front", None])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    wire = Wire(
        service,
        Fault("after", lambda: AnswerLost("cut off"), name="create_model"),
        Fault("before", lambda: _gone(bench), name="list_models", nth=3, times=9),
    )
    ledger = bench.apply(wire.api)
    assert (ledger.status, len(service.alive())) == ("stopped", 1)
    assert ".journal" in str(ledger.next_command)
    again = follow(bench, service, ledger)
    assert [line.what for line in again.adopted] == ["create"]
    assert dict(service.launches()) == {"Kael": 1}
    assert len(service.alive()) == 1
    clear_away(ledger)


def _gone(bench: Bench) -> Exception:
    if bench.state_path.parent.exists():
        remove(bench)
    return Unreachable("no road")


def test_another_run_in_its_place_is_waited_for_and_not_written_over(tmp_path: Path) -> None:
    """The lock was broken: the other run replayed this one's journal and has one of its own."""
    bench, service = bench_of(tmp_path)
    others: list[Journal] = []

    def take_over() -> None:
        store = bench.file_store()
        state = store.load().state
        store.force_unlock()
        store.save(state)
        store.discard_journal()
        others.append(Journal(store.journal_path, "other", bench.clock.now()))

    hand = Hand(service, 5, "before", take_over)
    ledger = bench.apply(hand.api)
    [other] = others
    assert (ledger.status, hand.paid) == ("stopped", [])
    assert "other run" in str(ledger.error)
    assert ledger.next_command == APPLY
    assert bench.journal_path.exists()
    other.remove()
    other.close()
    assert follow(bench, service, ledger).status == "done"
    assert wrongs(bench, service) == []
    clear_away(ledger)


def test_with_no_room_for_a_rescue_file_no_apply_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, service = bench_of(tmp_path)
    hand = Hand(service, 6, "before", lambda: remove(bench))

    def refuse(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    ledger = bench.apply(hand.api)
    assert (ledger.status, ledger.next_command, hand.paid) == ("stopped", None, [])
    assert "is gone" in str(ledger.error)
    assert "No rescue file could be written either (No space left on device)" in str(ledger.error)

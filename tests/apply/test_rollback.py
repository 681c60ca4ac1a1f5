"""Going back to the previous version: no training, nothing lost, and a journal is never thrown away for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.rollback import lift, roll_back
from scenario_apply.errors import StateError
from scenario_apply.model.address import parse_address
from scenario_apply.planning.desired import desire
from tests.fakes.bench import Bench, model, recaptioned
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire

KAEL = parse_address("model.kael")


@pytest.fixture
def replaced(tmp_path: Path) -> tuple[Bench, FakeScenario]:
    """Trained twice: version 2 is current, version 1 is kept."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    service = FakeScenario(bench.clock)
    for rank in (4, 8):
        bench.declare(model("kael", "kael", parameters={"rank": rank}))
        bench.apply(service)
    return bench, service


def back(bench: Bench, service: FakeScenario) -> str:
    return roll_back(bench.environment(service), KAEL, desire(bench.manifest, bench.datasets))


def test_the_previous_version_is_current_again_and_stays_until_the_hold_is_lifted(
    replaced: tuple[Bench, FakeScenario],
) -> None:
    bench, service = replaced
    calls = len(service.log)
    assert "No charge" in back(bench, service)
    assert {name for name, _ in service.log[calls:]} == {"get_model"}
    record = bench.record("model.kael")
    assert (record.current.number, [v.number for v in record.previous]) == (1, [2])
    assert not bench.plan(service).plan.has_changes, "it is held"
    assert len(service.jobs) == 2
    lift(bench.environment(service), KAEL)
    assert bench.plan(service).plan.has_changes
    with pytest.raises(StateError, match="not pinned"):
        lift(bench.environment(service), KAEL)


def test_a_kept_version_has_the_captions_it_was_trained_with(tmp_path: Path) -> None:
    """On the service and in the state, after a replacement and after the way back; only the new words are a change."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    bench.apply(service)
    first = bench.record("model.kael").current
    bench.datasets["kael"] = recaptioned(bench.datasets["kael"], "02.png", "KAEL, from the side")
    bench.apply(service)
    kept = bench.record("model.kael").previous[0]
    assert kept == first
    assert [service.assets[i].description for i in service.models[kept.id].images] == ["KAEL, front", "KAEL, side"]
    back(bench, service)
    assert not bench.plan(service).plan.drift
    bench.datasets["kael"] = recaptioned(bench.datasets["kael"], "02.png", "KAEL, from behind")
    change = bench.plan(service).plan.changes[0]
    assert [(c.before, c.after) for c in change.captions.change] == [("KAEL, side", "KAEL, from behind")]


def test_a_version_that_is_gone_cannot_be_gone_back_to(replaced: tuple[Bench, FakeScenario]) -> None:
    bench, service = replaced
    service.delete_model(bench.record("model.kael").previous[0].id)
    before = bench.state_path.read_bytes()
    with pytest.raises(StateError, match="was deleted on Scenario"):
        back(bench, service)
    assert bench.state_path.read_bytes() == before


def test_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    with pytest.raises(StateError, match="not in the state"):
        back(bench, service)
    bench.apply(service)
    with pytest.raises(StateError, match="no previous version"):
        back(bench, service)
    with pytest.raises(StateError, match="not in the state") as raised:
        roll_back(bench.environment(service), parse_address("model.keal"), None)
    assert raised.value.problems[0].hint == "did you mean model.kael?"


def test_a_journal_with_an_unanswered_call_is_settled_first(replaced: tuple[Bench, FakeScenario]) -> None:
    """Thrown away, it would take a model that was made with it."""
    bench, service = replaced
    bench.declare(model("kael", "kael", parameters={"rank": 16}))
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="create_model")).api)
    with pytest.raises(StateError) as caught:
        back(bench, service)
    assert caught.value.code == "journal-left"
    with pytest.raises(StateError) as caught:
        lift(bench.environment(service), KAEL)
    assert caught.value.code == "journal-left"
    assert bench.journal_path.exists()
    bench.apply(service)
    assert len(service.alive()) == 3
    back(bench, service)

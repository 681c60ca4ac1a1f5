"""apply/epoch_choice.py: an epoch is chosen once its training has ended, and named where it does not exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenario_apply.errors import AnswerLost, ManifestError
from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.planning.changes import Action
from tests.fakes.bench import Bench, composition, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.add("kael", ["KAEL, front"])
    return made


@pytest.fixture
def service(bench: Bench) -> FakeScenario:
    made = FakeScenario(bench.clock)
    made.epoch_count = 10
    return made


def declare(bench: Bench, epoch: str | None, **more: Any) -> None:
    bench.declare(model("kael", "kael", epoch=epoch, **more))


def chosen(bench: Bench, service: FakeScenario) -> tuple[str | None, str | None]:
    """As recorded, and on the service."""
    version = bench.record("model.kael").current
    return version.epoch, service.chosen_epochs.get(version.id)


def test_an_epoch_is_chosen_after_the_training_and_changed_for_free(bench: Bench, service: FakeScenario) -> None:
    declare(bench, "8")
    bench.apply(service)
    assert chosen(bench, service) == ("8", "8")
    assert not bench.plan(service).plan.has_changes
    declare(bench, "6")
    bench.apply(service)
    assert chosen(bench, service) == ("6", "6")
    assert (len(service.jobs), service.count("update_model")) == (1, 2)


def test_an_epoch_that_was_changed_on_the_service_is_set_back(bench: Bench, service: FakeScenario) -> None:
    declare(bench, "8")
    bench.apply(service)
    service.update_model(bench.record("model.kael").current.id, epoch="10")
    prepared = bench.plan(service).plan
    assert [(one.what, one.recorded, one.observed) for one in prepared.drift] == [("epoch", "8", "10")]
    bench.apply(service)
    assert chosen(bench, service) == ("8", "8")


def test_an_epoch_that_is_removed_stays_chosen(bench: Bench, service: FakeScenario) -> None:
    """Nothing is sent, and samples that were drawn with it stay current."""
    declare(bench, "8")
    bench.apply(service)
    declare(bench, None)
    assert not bench.plan(service).plan.has_changes
    assert chosen(bench, service) == ("8", "8")


def test_a_training_stays_done_when_its_epoch_does_not_exist(bench: Bench, service: FakeScenario) -> None:
    """The step fails and names those that there are; what is made of the model waits; the next plan says it at once."""
    service.epoch_count = 3
    bench.declare(model("kael", "kael", epoch="8"), composition("duo", "kael"))
    ledger = bench.apply(service)
    assert [failed.reason for failed in ledger.failed] == [
        "model.kael has no epoch 8, only 1, 2 and 3: its training is done and stays as it is"
    ]
    assert (bench.record("model.kael").current.phase, len(service.jobs)) == ("trained", 1)
    with pytest.raises(ManifestError, match="asks for epoch 8, and the training has epochs 1, 2 and 3"):
        bench.plan(service)
    bench.declare(model("kael", "kael", epoch="2"), composition("duo", "kael"))
    bench.apply(service)
    assert (chosen(bench, service), len(service.jobs)) == (("2", "2"), 2)


def test_a_type_without_epochs_is_told_apart(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael", type="flux.2-dev-lora", epoch="8"))
    (failed,) = bench.apply(service).failed
    assert (failed.reason or "").startswith("Scenario shows no epochs of model.kael to choose from")


def test_a_version_that_is_trained_again_has_no_epoch_of_the_training_before(
    bench: Bench, service: FakeScenario
) -> None:
    declare(bench, "8")
    bench.apply(service)
    declare(bench, None, parameters={"rank": 8}, lifecycle=Lifecycle(on_change="retrain"))
    bench.apply(service)
    assert chosen(bench, service) == (None, "10")


def test_a_lost_answer_to_a_choice_is_asked_again(bench: Bench, service: FakeScenario) -> None:
    """It may be repeated: the run that comes after a kill sends it once more, and nothing is trained."""
    declare(bench, "8")
    lost = Fault("after", lambda: AnswerLost("update model m: no answer"), name="update_model")
    bench.apply(Wire(service, lost).api)
    bench.apply(service)
    assert (chosen(bench, service), len(service.jobs)) == (("8", "8"), 1)


def test_epochs_that_an_answer_leaves_out_are_read_once(bench: Bench, service: FakeScenario) -> None:
    """Only of a model whose choice is to change: to say what does not exist before anything is sent."""
    declare(bench, "8")
    bench.apply(service)
    service.hides_epochs_in_bulk = True
    before = service.count("get_model")
    bench.plan(service)
    assert service.count("get_model") == before
    declare(bench, "12")
    with pytest.raises(ManifestError, match="asks for epoch 12"):
        bench.plan(service)
    assert service.count("get_model") == before + 1


def test_a_choice_goes_into_a_plan_as_an_update(bench: Bench, service: FakeScenario) -> None:
    declare(bench, None)
    bench.apply(service)
    declare(bench, "8")
    (change,) = bench.plan(service).plan.changes
    assert (change.action, change.requests, change.cost.cu) == (Action.UPDATE, 1, 0)

"""A price that cannot be asked for stops no plan, is a warning, and closes a limit on cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.errors import ApiError, BadAnswer, Refused, Unreachable, WriteInPlan
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import ModelId
from tests.fakes.bench import Bench, composition, model, recaptioned
from tests.fakes.service import FakeScenario


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class Pricing(FakeScenario):
    """Its dry run fails once error is set."""

    error: Exception | None = None
    asked = 0

    def quote_training(self, model_id: ModelId, parameters: object, images: int | None) -> float:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return super().quote_training(model_id, {}, images)


def changed(root: Path, count: int = 2) -> tuple[Bench, Pricing]:
    """Trained models whose captions have changed since."""
    bench = Bench(root)
    dataset = bench.add("kael", ["KAEL, front"])
    bench.declare(*(model(f"m{number}", "kael") for number in range(count)))
    service = Pricing(bench.clock)
    assert bench.apply(service).status == "done"
    bench.datasets["kael"] = recaptioned(dataset, "01.png", "KAEL, another one")
    service.asked = 0
    return bench, service


DOWN = [ApiError("pricing is down", status=500), ApiError("no answer in time", code="no-answer"), Unreachable("no")]


@pytest.mark.parametrize("error", DOWN)
def test_a_plan_without_prices_warns_once_and_does_not_ask_again(tmp_path: Path, error: ApiError) -> None:
    """One that hangs would cost its time limit for each model."""
    bench, service = changed(tmp_path)
    service.error = error
    plan = bench.plan(service).plan
    assert len(plan.steps) > 0
    assert service.asked == 1
    [warning] = [problem for problem in plan.diagnostics if problem.code == "price-unknown"]
    assert warning.severity == "warning"
    assert str(error) in warning.message
    assert {change.cost.source for change in plan.changes} == {"history"}


def test_a_composition_whose_part_was_deleted_is_not_priced_in_vain(tmp_path: Path) -> None:
    """A dry run of what refers to a deleted model would be refused; its cost is that of its last training."""
    bench, service = changed(tmp_path, count=1)
    bench.declare(model("m0", "kael"), composition("mix", "m0"))
    assert bench.apply(service).status == "done"
    for deleted in list(service.alive("flux.1-lora")):
        deleted.deleted = True
    service.asked = 0
    plan = bench.plan(service).plan
    [mix] = [change for change in plan.changes if change.address.kind == "composition"]
    assert (service.asked, mix.cost.source) == (0, "history")


def test_a_price_in_another_form_is_a_warning_of_its_own(tmp_path: Path) -> None:
    """It may say that a training has started."""
    bench, service = changed(tmp_path)
    service.error = BadAnswer("A TRAINING MAY HAVE STARTED")
    plan = bench.plan(service).plan
    found = [problem.message for problem in plan.diagnostics if problem.code == "price-unknown"]
    assert [message.split(":")[0] for message in found] == ["model.m0", "model.m1"]


def test_a_refused_price_is_no_warning(tmp_path: Path) -> None:
    """The launch will say what is wrong, if anything is."""
    bench, service = changed(tmp_path)
    service.error = Refused("no prices here", status=404)
    plan = bench.plan(service).plan
    assert service.asked == 2
    assert [problem.code for problem in plan.diagnostics] == ["same-training"]


def test_a_mistake_of_ours_is_not_tolerated(tmp_path: Path) -> None:
    bench, service = changed(tmp_path, 1)
    service.error = WriteInPlan("a plan may not write")
    with pytest.raises(WriteInPlan):
        bench.plan(service)


def test_without_a_limit_on_cost_a_training_needs_no_price(tmp_path: Path) -> None:
    bench, service = changed(tmp_path, 1)
    service.error = DOWN[0]
    assert bench.apply(service).status == "done"


def test_a_limit_on_cost_stops_a_run_without_a_price_before_its_first_upload(tmp_path: Path) -> None:
    bench, service = changed(tmp_path, 1)
    service.error = DOWN[0]
    bench.declare(model("m0", "kael"), limits=Limits(cost=1000))
    before = service.launches()
    ledger = bench.apply(service, ApplyOptions(parallelism=1))
    assert ledger.gated
    assert "the price of model.m0 is unknown, and there is a limit on cost (1000): pricing is down" in str(ledger.error)
    assert service.launches() == before
    assert len(service.assets) == 1
    service.error = None
    assert bench.apply(service).status == "done"


def test_the_reason_of_a_failed_training_that_cannot_be_read_holds_nothing_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael", type="sd-xl-lora"))

    class Mute(FakeScenario):
        def get_job(self, job_id: object) -> object:  # type: ignore[override]  # it never returns
            raise ApiError("boom", status=500)

    service = Mute(bench.clock)
    service.fail_training = {"Kael"}
    ledger = bench.apply(service)  # type: ignore[arg-type]  # as above
    assert ledger.status == "partial"
    assert "training failed" in str(ledger.failed[0].reason)

"""sample_gates.py: samples are priced right before they are drawn, and judged; what was trained stays trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Noted
from scenario_apply.apply.price_round import Approval
from scenario_apply.errors import ApiError, BadAnswer
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import ModelId
from scenario_apply.model.samples import Generation, GenerationPrice
from tests.fakes.bench import NO_LIMITS, Bench, model
from tests.fakes.sample_bench import drawing, phases
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class Dearer(FakeScenario):
    """With a trained model a sample costs so much more than with the base alone, by which the plan estimates it."""

    more_cu = 1.0

    def quote_generation(self, base: ModelId, generation: Generation) -> GenerationPrice:
        price = super().quote_generation(base, generation)
        more = 0.0 if generation.lora is None else self.more_cu
        return GenerationPrice(cu=price.cu + more, details=price.details)


def declared(root: Path, limits: Limits = NO_LIMITS) -> Bench:
    bench = Bench(root)
    bench.add("kael", ["KAEL, front"])
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle"), limits=limits)
    return bench


def test_a_limit_stops_samples_whose_exact_price_exceeds_it(tmp_path: Path) -> None:
    """The plan's estimate is within the limit. The model is trained, and the next command allows the samples."""
    bench = declared(tmp_path, Limits(samples_cost=22))
    service = Dearer(bench.clock)
    ledger = bench.apply(service)
    assert (ledger.status, ledger.gated, service.drawings) == ("partial", True, {})
    assert service.launches() == {"Kael": 1}
    [failed] = ledger.failed
    assert "quotes 23.5 CU for 2 samples of model.kael, which is over the limit of 22 (samples_cost)" in str(
        failed.reason
    )
    assert "--limit=samples_cost=24" in str(ledger.next_command)


def test_the_limit_on_cost_is_one_of_trainings_and_samples(tmp_path: Path) -> None:
    """Each run counts from zero: the next one may draw them."""
    bench = declared(tmp_path, Limits(cost=32))
    service = Dearer(bench.clock)
    ledger = bench.apply(service)
    assert (ledger.gated, service.drawings, ledger.next_command) == (True, {}, "scenario-apply apply")
    assert "with 10 CU of this run that is over the limit of 32 (cost)" in str(ledger.failed[0].reason)
    assert bench.apply(service).status == "done"


def test_limits_that_allow_the_price_draw_all(tmp_path: Path) -> None:
    bench = declared(tmp_path, Limits(cost=34, samples_cost=23.5))
    assert bench.apply(Dearer(bench.clock)).status == "done"


def test_a_training_counts_the_samples_that_were_drawn_before(tmp_path: Path) -> None:
    """The cost of a run is that of all it launches."""
    bench = declared(tmp_path)
    service = FakeScenario(bench.clock)
    service.parallel_training = 1
    bench.add("props", ["a lamp", "a chair"])
    first, second = drawing(model("kael", "kael"), "a knight", "a castle"), model("props", "props")
    bench.declare(first, second, limits=Limits(cost=51.5))
    assert bench.apply(service).status == "done", "10 and 20 for trainings, 21.5 for samples"


def test_without_a_price_a_limit_is_closed(tmp_path: Path) -> None:
    bench = declared(tmp_path, Limits(samples_cost=100))
    service = FakeScenario(bench.clock)
    fault = Fault("before", lambda: BadAnswer("no creativeUnitsCost"), name="quote_generation", nth=2)
    ledger = bench.apply(Wire(service, fault).api)
    assert (ledger.gated, service.drawings) == (True, {})
    assert "the price of the samples of model.kael is unknown" in str(ledger.failed[0].reason)


def test_without_a_price_and_a_limit_samples_are_drawn(tmp_path: Path) -> None:
    bench = declared(tmp_path)
    service = FakeScenario(bench.clock)
    fault = Fault("before", lambda: ApiError("busy", status=500), name="quote_generation", nth=2, times=9)
    assert bench.apply(Wire(service, fault).api).status == "done"


@pytest.mark.parametrize(("more_cu", "status"), [(2.0, "done"), (3.0, "partial")])
@pytest.mark.parametrize("is_asked", [False, True])
def test_an_estimate_approves_a_quarter_more(tmp_path: Path, more_cu: float, status: str, is_asked: bool) -> None:
    """By a saved plan, and by a user at a terminal, who is not asked hours later."""
    bench = declared(tmp_path)
    service = Dearer(bench.clock)
    service.more_cu = more_cu
    plan = bench.plan(service).plan
    approval = Approval(ask=lambda priced, more: True) if is_asked else Approval(plan=plan)
    ledger = bench.apply(service, ApplyOptions(parallelism=1, approval=approval))
    assert ledger.status == status
    if status != "done":
        assert "26.875 CU were approved" in str(ledger.failed[0].reason)
        assert not service.drawings


def test_a_price_that_is_unknown_at_the_launch_was_not_approved_where_the_plan_knew_it(tmp_path: Path) -> None:
    bench = declared(tmp_path)
    service = FakeScenario(bench.clock)
    approval = Approval(plan=bench.plan(service).plan)
    fault = Fault("before", lambda: ApiError("busy", status=500), name="quote_generation", nth=2, times=9)
    ledger = bench.apply(Wire(service, fault).api, ApplyOptions(approval=approval))
    assert (ledger.gated, service.drawings) == (True, {})
    assert "is unknown now, and 26.875 CU were approved" in str(ledger.failed[0].reason)


def test_a_quote_of_the_plan_is_not_asked_for_again(tmp_path: Path) -> None:
    bench = declared(tmp_path)
    service = FakeScenario(bench.clock)
    bench.apply(service)
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle", "a fox", "an owl"))
    service.log.clear()
    assert bench.apply(service).status == "done"
    assert service.count("quote_generation") == 1
    assert set(phases(bench).values()) == {"drawn"}


def test_a_price_that_differs_from_the_estimate_is_said(tmp_path: Path) -> None:
    bench = declared(tmp_path)
    bench.apply(Dearer(bench.clock))
    notes = [event.text for event in bench.events if isinstance(event, Noted)]
    assert "Scenario quotes 23.5 CU for 2 samples; the plan estimated 21.5" in notes

"""The price is known before the first upload: empty models first, a dry run each, then limits and approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Ledger, Priced
from scenario_apply.apply.price_round import Approval
from scenario_apply.errors import ApiError, BadAnswer, Refused, Unreachable
from scenario_apply.model.address import parse_address
from scenario_apply.model.amounts import total
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import ModelId
from tests.fakes.bench import Bench, composition, model, recaptioned
from tests.fakes.crash import crash_everywhere
from tests.fakes.service import FakeScenario
from tests.fakes.wire import When

UPLOADS = ("upload_asset", "add_image", "create_upload")


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class PricedService(FakeScenario):
    """Prices by the model's name; asked: the dry runs by name. error: what every dry run ends with."""

    def __init__(self, bench: Bench, prices: Mapping[str, float] | None = None) -> None:
        super().__init__(bench.clock)
        self.prices = dict(prices or {})
        self.asked: list[str] = []
        self.error: ApiError | None = None

    def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
        name = self.models[model_id].name
        self.asked.append(name)
        if self.error is not None:
            raise self.error
        return self.prices[name] if name in self.prices else super().quote_training(model_id, parameters, images)


@dataclass
class Asked:
    """A user who is asked about the price."""

    answer: bool
    prices: list[Priced] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __call__(self, priced: Priced, more: str) -> bool:
        self.prices.append(priced)
        self.texts.append(more)
        return self.answer


def two(root: Path, limits: Limits = Limits()) -> tuple[Bench, PricedService]:  # noqa: B008  # frozen
    bench = Bench(root)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.add("props", ["a lamp"])
    bench.declare(model("kael", "kael"), model("props", "props"), limits=limits)
    return bench, PricedService(bench)


def by(ask: Asked | None, **more: object) -> ApplyOptions:
    return replace(ApplyOptions(parallelism=3, approval=Approval(ask=ask)), **more)


def priced(bench: Bench) -> list[Priced]:
    return [event for event in bench.events if isinstance(event, Priced)]


def untouched(service: FakeScenario) -> bool:
    """Nothing was uploaded or trained."""
    return not service.assets and not service.jobs and service.count(*UPLOADS) == 0


def test_every_training_is_quoted_once_before_the_first_upload(tmp_path: Path) -> None:
    bench, service = two(tmp_path)
    assert bench.apply(service, by(None)).status == "done"
    calls = [name for name, _ in service.log]
    first_upload = next(number for number, name in enumerate(calls) if name in UPLOADS)
    assert calls[:first_upload].count("create_model") == 2
    assert (calls[:first_upload].count("quote_training"), calls.count("quote_training")) == (2, 2)
    [event] = priced(bench)
    assert {str(p.address): (p.cu, p.source) for p in event.prices} == {
        "model.kael": (20.0, "quoted"),
        "model.props": (10.0, "quoted"),
    }
    assert (event.cu, event.planned) == (30.0, None)


def test_what_the_plan_was_quoted_exactly_is_not_asked_again(tmp_path: Path) -> None:
    """A model that was made and not filled has a price in the plan already."""
    bench, service = two(tmp_path)
    assert bench.apply(service, by(Asked(False))).status == "stopped"
    service.asked.clear()
    ask = Asked(False)
    assert bench.apply(service, by(ask)).status == "done"
    assert (sorted(service.asked), ask.prices) == (["Kael", "Props"], [])


def test_a_user_is_asked_about_a_price_that_the_plan_did_not_show(tmp_path: Path) -> None:
    bench, service = two(tmp_path)
    ask = Asked(True)
    assert bench.apply(service, by(ask)).status == "done"
    assert ask.texts == ["it costs 30 CU; the plan did not know that"]


def test_a_price_that_is_refused_uploads_nothing_and_leaves_the_empty_models_recorded(tmp_path: Path) -> None:
    bench, service = two(tmp_path)
    ledger = bench.apply(service, by(Asked(False)))
    assert (ledger.status, ledger.gated, ledger.declined, ledger.cu_charged) == ("stopped", False, True, 0)
    assert "2 empty models are recorded, which cost nothing" in str(ledger.error)
    assert untouched(service)
    assert {record.current.phase for record in bench.state().records.values()} == {"building"}
    assert not bench.journal_path.exists()
    assert bench.apply(service, by(None)).status == "done"
    assert len(service.alive()) == 2


def test_a_limit_is_judged_on_the_whole_price_before_the_first_upload(tmp_path: Path) -> None:
    bench, service = two(tmp_path, Limits(cost=29.99))
    ask = Asked(True)
    ledger = bench.apply(service, by(ask))
    assert (ledger.gated, ledger.status, ask.prices) == (True, "failed", [])
    assert ledger.next_command == "scenario-apply apply --limit=cost=30"
    assert untouched(service)
    bench.declare(model("kael", "kael"), model("props", "props"), limits=Limits(cost=30))
    assert bench.apply(service, by(None)).status == "done"


DOWN = [ApiError("pricing is down", status=500), BadAnswer("no creativeUnitsCost"), Unreachable("no route")]


@pytest.mark.parametrize("error", DOWN)
def test_an_unknown_price_goes_on_unless_there_is_a_limit(tmp_path: Path, error: ApiError) -> None:
    for name, limits in (("free", Limits()), ("limited", Limits(cost=1000))):
        (tmp_path / name).mkdir()
        bench, service = two(tmp_path / name, limits)
        service.error = error
        ledger = bench.apply(service, by(None))
        if limits.cost is None:
            assert ledger.status == "done"
            assert {price.source for price in priced(bench)[0].prices} == {"unknown"}
            assert {str(error)} == {price.reason for price in priced(bench)[0].prices}
        else:
            assert ledger.gated
            assert f"the price of model.kael is unknown, and there is a limit on cost (1000): {error}" in str(
                ledger.error
            )
            assert untouched(service)


def test_a_price_that_is_refused_for_an_empty_model_is_asked_at_the_launch(tmp_path: Path) -> None:
    """The service may want the pairs of an edit model before it says a price: that is no reason to stop."""
    bench, _ = two(tmp_path, Limits(cost=30))

    class Later(PricedService):
        def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
            if not self.models[model_id].images:
                raise Refused("the model has no training images", status=400)
            return super().quote_training(model_id, parameters, images)

    assert bench.apply(Later(bench), by(None)).status == "done"
    assert {record.current.quote.cu for record in bench.state().records.values() if record.current.quote} == {20, 10}


def test_a_composition_is_priced_at_its_launch_and_still_stopped_by_the_limit(tmp_path: Path) -> None:
    """Its parts do not exist before."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"), composition("ink", "kael"), limits=Limits(cost=15))
    service = PricedService(bench)
    ledger = bench.apply(service, by(None))
    assert (ledger.gated, dict(service.launches())) == (True, {"Kael": 1})
    assert "Scenario quotes 10 CU for composition.ink" in str(ledger.failed[0].reason)


def test_a_quote_is_too_old_for_a_limit_after_hours(tmp_path: Path) -> None:
    """A launch that waited for others of this run is asked about again, and the price has risen."""
    bench, service = two(tmp_path, Limits(cost=100))
    service.parallel_training = 1
    service.training_s = 7200

    class Rising(PricedService):
        def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
            return 95 if self.jobs else 20

    rising = Rising(bench)
    rising.parallel_training, rising.training_s = 1, 7200
    ledger = bench.apply(rising, by(None))
    assert ledger.gated
    assert len(rising.jobs) == 1


# -- saved plans


def test_a_saved_plan_approves_the_quotes_that_it_shows(tmp_path: Path) -> None:
    """The new version has another price than the old one was quoted: more stops it before the first upload."""
    bench, service = two(tmp_path)
    assert bench.apply(service, by(None)).status == "done"
    bench.datasets["kael"] = recaptioned(bench.datasets["kael"], "01.png", "KAEL, another one")
    for price, is_done in ((20.01, False), (20.0, True)):
        saved = bench.plan(service).plan
        assert saved.cu == 20
        before = len(service.jobs), len(service.assets)
        service.prices = {} if is_done else {"Kael": price}
        # the plan was quoted for the old model; the dry run of the new one says another price
        ledger = apply_saved(bench, service, saved)
        assert (ledger.status == "done") is is_done
        if not is_done:
            assert ledger.gated
            assert "it costs 20.01 CU now, and the saved plan approves 20 CU" in str(ledger.error)
            assert (len(service.jobs), len(service.assets)) == before
        service.prices = {}


def apply_saved(bench: Bench, service: FakeScenario, saved: object) -> Ledger:
    """Apply with what a plan approved; the old model is quoted as it was then."""
    from scenario_apply.apply.apply_plan import apply_plan
    from scenario_apply.apply.stop_signal import StopSignal
    from tests.fakes.bench import NO_PLAN

    prices, service.prices = service.prices, {}  # type: ignore[attr-defined]  # of PricedService
    prepared = bench.plan(service, NO_PLAN)
    service.prices = prices  # type: ignore[attr-defined]  # of PricedService
    options = ApplyOptions(parallelism=1, approval=Approval(plan=saved))  # type: ignore[arg-type]  # a plan
    environment = bench.environment(service)
    with environment.store.locked("apply"):
        environment.store.load()
        return apply_plan(environment, prepared, str(bench.root), options, bench.events.append, StopSignal())


# -- for any prices

CENTS = st.integers(min_value=0, max_value=100_000).map(lambda cents: cents / 100)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prices=st.lists(CENTS, min_size=1, max_size=4), limit=CENTS, answer=st.booleans())
def test_nothing_is_paid_above_a_limit_or_without_a_yes(
    tmp_path_factory: pytest.TempPathFactory, prices: list[float], limit: float, answer: bool
) -> None:
    """All or nothing: the sum of what is launched is the sum that was shown, and within the limit."""
    bench = Bench(tmp_path_factory.mktemp("prices"))
    bench.add("kael", ["KAEL, front"])
    names = [f"m{number}" for number in range(len(prices))]
    bench.declare(*(model(name, "kael") for name in names), limits=Limits(cost=limit))
    service = PricedService(bench, {name.title(): price for name, price in zip(names, prices, strict=True)})
    service._price = lambda model, images: service.prices[model.name]  # type: ignore[method-assign]  # as quoted
    ask = Asked(answer)
    ledger = bench.apply(service, by(ask))
    whole = total(prices)
    may = whole <= limit and (answer or not whole)
    assert (len(service.jobs) == len(prices)) is may
    assert untouched(service) is not may
    assert [one.cu for one in ask.prices] == ([whole] if whole and whole <= limit else [])
    if may:
        state = bench.state()
        assert ledger.cu_charged == whole == total(entry.charged or 0 for entry in state.trainings)
        assert [charge.quoted for charge in ledger.charges] == prices


# -- a run that dies


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_at_any_call_pays_once_and_asks_about_nothing_new(tmp_path: Path, when: When) -> None:
    """The second run was quoted what the first one was, also for a model that was filled in part."""

    def make(root: Path) -> tuple[Bench, FakeScenario]:
        bench = Bench(root)
        bench.add("kael", ["KAEL, front", "KAEL, side"])
        bench.declare(model("kael", "kael"), limits=Limits(cost=20))
        return bench, PricedService(bench)

    def wrongs(bench: Bench, service: FakeScenario) -> list[str]:
        entry = next(iter(bench.state().trainings), None)
        if entry is None or (entry.quoted, entry.charged, entry.images) != (20, 20, 2):
            return [f"the account has {entry}"]
        if len(service.jobs) != 1 or len(service.alive()) != 1:
            return [f"{len(service.jobs)} trainings, {len(service.alive())} models"]
        return []

    assert crash_everywhere(tmp_path, make, wrongs, when) > 5


def test_a_model_that_was_filled_in_part_keeps_its_quote(tmp_path: Path) -> None:
    """A dry run prices the images that are there: of one of two images it would be half the price."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.declare(model("kael", "kael"))
    service = PricedService(bench)
    assert bench.apply(service, by(Asked(False))).status == "stopped"
    model_id = bench.record("model.kael").current.id
    from scenario_apply.state.state import ImageRecord

    asset = service.upload_asset(name="01.png", body=(tmp_path / "kael" / "01.png").read_bytes())
    service.attach_assets(model_id, [asset.id])
    state, store = bench.state(), bench.store()
    record = state.records[parse_address("model.kael")]
    image = bench.datasets["kael"].contents.images[0]
    from msgspec.structs import replace as with_fields

    held = with_fields(record.current, images=(ImageRecord(image.path, image.sha256, asset.id, ""),))
    store.load()
    store.save(state.with_record(parse_address("model.kael"), with_fields(record, current=held)))
    service.asked.clear()
    [change] = bench.plan(service).plan.changes
    assert (change.cost.cu, change.cost.source, service.asked) == (20, "quoted", [])
    bench.declare(model("kael", "kael", parameters={"nbEpochs": 4}))  # another training, so another price
    [change] = bench.plan(service).plan.changes
    assert (change.cost.cu, change.cost.source, service.asked) == (20, "estimate", ["Kael"])

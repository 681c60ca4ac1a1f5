"""A training that another user started is never taken for ours, neither after a lost response or a refusal nor later.

Ours is what the model had not been trained by right before the launch; the journal remembers that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.apply_plan import apply_plan
from scenario_apply.apply.events import Ledger
from scenario_apply.apply.prepare import PlanOptions, make_plan
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.errors import AnswerLost, ApiError, Refused
from scenario_apply.manifest.spec import Lifecycle, OnChange
from scenario_apply.model.address import parse_address
from scenario_apply.model.ports import ScenarioApi, Sending
from scenario_apply.model.remote import JobId, Launch, ModelId, RemoteModel
from scenario_apply.planning.changes import Action
from scenario_apply.planning.reasons import ParameterChanged, PartChanged
from tests.fakes.bench import ONE_BY_ONE, Bench, composition, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire

RETRAIN = Lifecycle(on_change="retrain")
NOT_DONE = partial(AnswerLost, "service unavailable", status=503)
REFUSED = partial(Refused, "learningRate out of range", status=400)
ALREADY = partial(Refused, "Model is already training", status=400)


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    declare(bench, 4)
    return bench


@pytest.fixture
def service(bench: Bench) -> FakeScenario:
    """One that holds the trained model."""
    service = FakeScenario(bench.clock)
    assert bench.apply(service).status == "done"
    return service


def declare(bench: Bench, rank: int, on_change: OnChange = "retrain") -> None:
    bench.declare(model("kael", "kael", parameters={"rank": rank}, lifecycle=Lifecycle(on_change=on_change)))


def trained_in_the_web_app(bench: Bench, service: FakeScenario, *, rank: int = 99, ended: bool = True) -> JobId:
    """Another user trains the model again."""
    launch = service.train(service.model_named("Kael").id, {"rank": rank})
    if ended:
        bench.clock.wait(service.training_s + 1)
        service.list_models()
    return launch.job_id


def apply(bench: Bench, api: ScenarioApi, meanwhile: Callable[[], object]) -> Ledger:
    """Plan and apply, with an action of another user in between."""
    environment = bench.environment(api)
    with environment.store.locked("apply"):
        prepared = make_plan(environment, bench.manifest, bench.datasets, PlanOptions(), bench.clock.now())
        meanwhile()
        return apply_plan(environment, prepared, str(bench.root), ONE_BY_ONE, bench.events.append, StopSignal())


def actions(bench: Bench, service: FakeScenario) -> list[Action]:
    return [change.action for change in bench.plan(service).plan.changes]


def drift(bench: Bench, service: FakeScenario) -> list[tuple[str, object, object]]:
    return [(item.what, item.recorded, item.observed) for item in bench.plan(service).plan.drift]


# -- a launch that was not carried out


@pytest.mark.parametrize("when", ["before the plan", "after the plan"])
def test_a_launch_that_never_ran_is_sent_again_although_another_user_trained_the_model(
    bench: Bench, service: FakeScenario, when: str
) -> None:
    """Their job is newer than the recorded one, and still not ours."""
    declare(bench, 8)
    if when == "before the plan":
        trained_in_the_web_app(bench, service)
    wire = Wire(service, Fault("before", NOT_DONE, name="train"))
    ledger = apply(
        bench, wire.api, lambda: trained_in_the_web_app(bench, service) if when == "after the plan" else None
    )
    assert (ledger.status, ledger.adopted, wire.hit) == ("done", (), ["train"])
    assert service.model_named("Kael").parameters == {"rank": 8}
    assert actions(bench, service) == [Action.NONE]
    assert drift(bench, service) == []


@pytest.mark.parametrize("has_been_trained", [True, False])
def test_a_refused_launch_has_failed_even_if_another_user_trained_the_model(
    bench: Bench, service: FakeScenario, has_been_trained: bool
) -> None:
    declare(bench, 8)
    if has_been_trained:
        trained_in_the_web_app(bench, service)
    ledger = bench.apply(Wire(service, Fault("before", REFUSED, name="train")).api)
    assert (ledger.status, ledger.adopted) == ("failed", ())
    assert [line.reason for line in ledger.failed] == ["learningRate out of range"]
    assert actions(bench, service) == [Action.RETRAIN]


def test_a_training_that_another_user_started_since_the_plan_is_left_alone(bench: Bench, service: FakeScenario) -> None:
    """Nothing is sent while it runs; the next run waits for it, and then trains what the manifest asks for."""
    declare(bench, 8)
    ledger = apply(bench, service, lambda: trained_in_the_web_app(bench, service, ended=False))
    assert (ledger.status, ledger.adopted, ledger.cu_charged) == ("failed", (), 0)
    assert str(service.model_named("Kael").jobs[-1]) in str(ledger.failed[0].reason)
    assert service.count("train") == 2, "the first one, and theirs"
    assert bench.record("model.kael").current.parameters == {"rank": 4}
    assert actions(bench, service) == [Action.WAIT]
    assert bench.apply(service).status == "done"
    assert actions(bench, service) == [Action.RETRAIN]
    assert bench.apply(service).status == "done"
    assert service.model_named("Kael").parameters == {"rank": 8}
    assert actions(bench, service) == [Action.NONE]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_model_said_to_be_training_is_ours_only_if_a_call_of_ours_was_lost(tmp_path: Path, is_first: bool) -> None:
    """Another user starts a training between our last read and our call: the refusal counts."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    declare(bench, 4)

    class Racing(FakeScenario):
        races = is_first

        def train(
            self, model_id: ModelId, parameters: Mapping[str, object], *, sending: Sending | None = None
        ) -> Launch:
            if self.races:
                self.races = False
                super().train(model_id, {"rank": 99})
            return super().train(model_id, parameters, sending=sending)

    service = Racing(bench.clock)
    if not is_first:
        bench.apply(service)
        service.races = True
        declare(bench, 8)
    ledger = bench.apply(service)
    assert (ledger.status, ledger.adopted) == ("partial" if is_first else "failed", ())
    assert "Model is already training" in str(ledger.failed[0].reason)
    assert bench.apply(service).status == "done"  # waits for theirs
    assert bench.apply(service).status == "done"  # and trains ours
    wanted = {"rank": 4 if is_first else 8}
    assert [dict(m.parameters) for m in service.alive()][-1] == wanted
    assert actions(bench, service) == [Action.NONE]


# -- a launch that was carried out


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("after_s", [0, 3600])
def test_a_lost_launch_that_ran_is_found_in_the_same_run_and_in_the_next(
    tmp_path: Path, is_first: bool, after_s: int
) -> None:
    for error in (NOT_DONE, Killed):
        bench = Bench(tmp_path / error.__class__.__name__)
        bench.add("kael", ["KAEL, front"])
        declare(bench, 4)
        service = FakeScenario(bench.clock)
        if not is_first:
            bench.apply(service)
            trained_in_the_web_app(bench, service)
            declare(bench, 8)
        wire = Wire(service, Fault("after", error, name="train"))
        try:
            ledger = bench.apply(wire.api)
        except Killed:
            bench.clock.wait(after_s)
            ledger = bench.apply(service)
        assert (ledger.status, [line.what for line in ledger.adopted]) == ("done", ["train"])
        assert len(service.jobs) == (1 if is_first else 3)
        assert actions(bench, service) == [Action.NONE]


def test_a_call_carried_out_late_is_found_when_the_second_is_refused(bench: Bench, service: FakeScenario) -> None:
    """The service takes longer than all our looks: our second call hears that the model is training, by the first."""
    declare(bench, 8)
    calls: list[str] = []

    class Late(FakeScenario):
        def train(
            self, model_id: ModelId, parameters: Mapping[str, object], *, sending: Sending | None = None
        ) -> Launch:
            calls.append("train")
            if sending is not None:
                sending()
            if len(calls) == 1:
                raise AnswerLost("timed out", timed_out=True)
            service.train(model_id, {"rank": 8})  # the first call, carried out only now
            return service.train(model_id, parameters)

    late = Late(bench.clock)
    late.models, late.jobs, late.assets, late._numbers = service.models, service.jobs, service.assets, service._numbers
    ledger = bench.apply(late)
    assert (ledger.status, calls) == ("done", ["train", "train"])
    assert [line.what for line in ledger.adopted] == ["train"]
    assert len(service.jobs) == 2
    assert actions(bench, service) == [Action.NONE]


def test_the_next_start_compares_with_what_was_there_before_the_call(bench: Bench, service: FakeScenario) -> None:
    """Trained in the web app after the plan, then killed before the service carried our call out."""
    declare(bench, 8)
    wire = Wire(service, Fault("before", Killed, name="train"))
    with pytest.raises(Killed):
        apply(bench, wire.api, lambda: trained_in_the_web_app(bench, service))
    ledger = bench.apply(service)
    assert (ledger.status, ledger.adopted) == ("done", ())
    assert service.model_named("Kael").parameters == {"rank": 8}


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_service_that_names_no_jobs_is_compared_by_its_own_times(
    bench: Bench, service: FakeScenario, monkeypatch: pytest.MonkeyPatch, carried_out: bool
) -> None:
    """jobId is for owners only: then the start of the last training says whether another one came."""
    remote = service._remote

    def nameless(*args: object, **named: object) -> RemoteModel:
        from msgspec.structs import replace

        return replace(remote(*args, **named), job_id=None)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(service, "_remote", nameless)
    declare(bench, 8)
    trained_in_the_web_app(bench, service)
    wire = Wire(service, Fault("after" if carried_out else "before", Killed, name="train"))
    with pytest.raises(Killed):
        bench.apply(wire.api)
    bench.clock.wait(3600)
    ledger = bench.apply(service)
    assert (ledger.status, bool(ledger.adopted)) == ("done", carried_out)
    assert len(service.jobs) == 3


def test_failed_reads_leave_the_launch_and_its_baseline_to_the_next_run(bench: Bench, service: FakeScenario) -> None:
    declare(bench, 8)
    trained_in_the_web_app(bench, service)
    down = partial(ApiError, "bad gateway", status=502)
    wire = Wire(
        service,
        Fault("before", NOT_DONE, name="train"),
        Fault("before", down, name="get_model", nth=2, times=10**6),  # the first is right before the launch
    )
    ledger = bench.apply(wire.api)
    assert [line.what for line in ledger.unknown] == ["train"]
    ledger = bench.apply(service)
    assert (ledger.status, ledger.adopted) == ("done", ())
    assert service.model_named("Kael").parameters == {"rank": 8}


def test_only_a_model_that_was_trained_before_is_read_right_before_its_launch(tmp_path: Path) -> None:
    """A first training costs no request more."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael", lifecycle=RETRAIN))
    service = FakeScenario(bench.clock)
    bench.apply(service, ApplyOptions(parallelism=1, wait=False))
    assert service.count("get_model") == 0
    bench.clock.wait(100)
    bench.declare(model("kael", "kael", parameters={"rank": 2}, lifecycle=RETRAIN))
    bench.apply(service, ApplyOptions(parallelism=1, wait=False))
    assert service.count("get_model") == 1


# -- drift: trained again by another user, with nothing planned


def test_a_model_trained_again_on_other_parameters_is_drift_and_trained_back(
    bench: Bench, service: FakeScenario
) -> None:
    ours = bench.record("model.kael").current.job_id
    theirs = trained_in_the_web_app(bench, service, rank=99)
    assert drift(bench, service) == [("training", ours, theirs)]
    [change] = bench.plan(service).plan.changes
    assert (change.action, change.reasons) == (Action.RETRAIN, (ParameterChanged("rank", 99, 4),))
    assert bench.apply(service).status == "done"
    assert service.model_named("Kael").parameters == {"rank": 4}
    assert (drift(bench, service), actions(bench, service)) == ([], [Action.NONE])


@pytest.mark.parametrize(("on_change", "action"), [("replace", Action.REPLACE), ("keep", Action.NONE)])
def test_its_repair_follows_on_change(bench: Bench, service: FakeScenario, on_change: OnChange, action: Action) -> None:
    trained_in_the_web_app(bench, service)
    declare(bench, 4, on_change)
    assert [what for what, _, _ in drift(bench, service)] == ["training"]
    assert actions(bench, service) == [action]


def test_a_model_trained_again_on_the_same_is_told_and_costs_nothing(bench: Bench, service: FakeScenario) -> None:
    trained_in_the_web_app(bench, service, rank=4)
    assert [what for what, _, _ in drift(bench, service)] == ["training"]
    assert actions(bench, service) == [Action.NONE]


def test_a_composition_of_a_retrained_model_is_retrained_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"), composition("ink", "kael"))
    service = FakeScenario(bench.clock)
    bench.apply(service)
    trained_in_the_web_app(bench, service)
    reasons = {str(c.address): c.reasons for c in bench.plan(service).plan.changes if c.action is not Action.NONE}
    assert reasons == {"composition.ink": (PartChanged(parse_address("model.kael"), "retrained-before"),)}
    assert bench.apply(service).status == "done"
    assert set(actions(bench, service)) == {Action.NONE}
    assert drift(bench, service) == []


@pytest.mark.parametrize("declared", [4, 8])
def test_a_running_training_of_another_user_is_waited_for_and_not_adopted(
    bench: Bench, service: FakeScenario, declared: int
) -> None:
    trained_in_the_web_app(bench, service, ended=False)
    declare(bench, declared)
    assert drift(bench, service) == [("status", "trained", "training")]
    check: Callable[[], list[Action]] = partial(actions, bench, service)
    assert check() == [Action.WAIT]
    assert bench.apply(service).status == "done"
    assert check() == [Action.RETRAIN]
    assert bench.apply(service).status == "done"
    assert service.model_named("Kael").parameters == {"rank": declared}
    assert check() == [Action.NONE]

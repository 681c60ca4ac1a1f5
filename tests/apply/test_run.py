"""The run itself: what a failure spares, what is waited for, how it is stopped, and what its ledger says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply import schedule
from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.apply_plan import apply_plan
from scenario_apply.apply.events import Ledger, Noted, StepFailed, StepStarted, Throttled, TrainingMoved
from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.errors import AnswerLost, ApiError, GateClosed, NotFound, Refused, Unauthorized, Unreachable
from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import UploadImage
from scenario_apply.planning.reasons import TrainingEnded
from tests.fakes.bench import Bench, composition, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire

EIGHT = ApplyOptions(parallelism=8)


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two models over two datasets."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.add("props", ["a lamp", "a chair"])
    bench.declare(model("kael", "kael"), model("props", "props", type="sd-xl-lora"))
    return bench


@pytest.fixture
def service(bench: Bench) -> FakeScenario:
    return FakeScenario(bench.clock)


def lines(ledger: Ledger) -> dict[str, list[str]]:
    """The addresses in each list of a ledger."""
    kinds = ("done", "running", "failed", "unknown", "not_started", "adopted")
    return {kind: [str(line.address) for line in getattr(ledger, kind)] for kind in kinds if getattr(ledger, kind)}


def test_a_successful_run_reports_what_it_did(bench: Bench, service: FakeScenario) -> None:
    ledger = bench.apply(service)
    assert (ledger.status, ledger.next_command, ledger.error) == ("done", None, None)
    assert lines(ledger) == {"done": ["model.kael", "model.props"]}
    assert ledger.cu_charged == 40
    assert (ledger.steps_done, ledger.steps_total) == (14, 14)
    assert ledger.counts == {"create": 2, "upload": 4, "caption": 4, "train": 2, "wait": 2}
    assert bench.events[-1] is ledger, "the ledger is the last event"


def test_a_run_leaves_no_thread_behind(bench: Bench, service: FakeScenario) -> None:
    """A worker of a fleet carries out thousands of runs."""
    before = set(threading.enumerate())
    bench.apply(service)
    for left in set(threading.enumerate()) - before:
        left.join(30)
        assert not left.is_alive(), left.name


def test_a_second_apply_asks_once_and_writes_nothing(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    before = bench.state_path.read_bytes()
    service.log.clear()
    ledger = bench.apply(service)
    assert [name for name, _ in service.log] == ["get_models"]
    assert ledger.status == "done"
    assert bench.state_path.read_bytes() == before


def test_a_failed_step_skips_its_dependants_only(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"), model("props", "props", type="sd-xl-lora"), composition("ink", "kael"))
    fault = Fault("before", lambda: Refused("no such picture, please", status=400), name="add_image", nth=1)
    ledger = bench.apply(Wire(service, fault).api)
    assert ledger.status == "partial"
    assert lines(ledger) == {
        "done": ["model.props"],
        "failed": ["model.kael"],
        "not_started": ["model.kael", "composition.ink"],
    }
    assert "no such picture, please" in str(ledger.failed[0].reason), "the service's own words"
    [failed] = [event for event in bench.events if isinstance(event, StepFailed)]
    assert failed.skipped == 6, "its caption, its training, its wait, and the composition's"
    assert service.launches() == {"Props": 1}
    assert ledger.next_command == "scenario-apply apply"
    again = bench.apply(service)
    assert again.status == "done"
    assert len(service.assets) == 4


def test_a_failed_training_gives_the_services_reason_and_is_planned_again(bench: Bench, service: FakeScenario) -> None:
    service.fail_training = {"Kael"}
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    assert lines(ledger) == {"done": ["model.props"], "failed": ["model.kael"]}
    assert "the GPU was on fire" in str(ledger.failed[0].reason)
    assert ledger.cu_charged == 20, "a failed training is refunded"
    service.fail_training = set()
    plan = bench.plan(service).plan
    [change] = [c for c in plan.changes if c.steps]
    assert change.action.value == "retrain"
    assert "the GPU was on fire" in str(change.reasons)
    assert bench.apply(service).status == "done"
    assert service.uploads_by_bytes().most_common(1)[0][1] == 1, "no image is uploaded again"


def test_a_training_cancelled_in_the_web_app_is_told_from_one_that_failed(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"))
    bench.apply(service, ApplyOptions(wait=False))
    service.cancel(service.model_named("Kael").id)
    reasons = bench.plan(service).plan.changes[0].reasons
    assert reasons == (TrainingEnded("canceled", "the training was cancelled on the service"),)


def test_a_model_deleted_while_it_trains_is_created_again_by_the_next_run(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service, ApplyOptions(wait=False))
    service.delete_model(service.model_named("Kael").id)
    ledger = bench.apply(service)
    assert ledger.status == "done"
    assert len(service.alive("flux.1-lora")) == 1
    assert service.launches()["Kael"] == 2
    assert not bench.plan(service).plan.has_changes


def test_wrong_credentials_stop_the_run(bench: Bench, service: FakeScenario) -> None:
    fault = Fault("before", lambda: Unauthorized("who are you", status=401), name="add_image", nth=1)
    ledger = bench.apply(Wire(service, fault).api)
    assert (ledger.status, ledger.error) == ("stopped", "who are you")
    assert service.count("add_image") == 0
    assert not service.jobs
    assert bench.apply(service).status == "done"


def test_a_service_without_responses_stops_the_run(bench: Bench, service: FakeScenario) -> None:
    fault = Fault("before", lambda: Unreachable("no route"), name="create_model", nth=2)
    ledger = bench.apply(Wire(service, fault).api)
    assert (ledger.status, ledger.error) == ("stopped", "no route")
    assert bench.apply(service).status == "done"
    assert len(service.alive()) == 2


# -- limits of the plan


def test_a_training_of_five_hours_is_waited_for_by_default(bench: Bench) -> None:
    """Real ones were seen to take three: without --timeout a run has no end but theirs."""
    long = FakeScenario(bench.clock, training_s=5 * 3600.0)
    ledger = bench.apply(long, EIGHT)
    assert (ledger.failed, ledger.running) == ((), ())
    assert {model.status for model in long.alive()} == {"trained"}


@pytest.mark.parametrize("parallelism", [1, 8])
@pytest.mark.parametrize("limit", [1, 2])
def test_launches_above_the_ceiling_wait_for_others_to_end(
    bench: Bench, service: FakeScenario, parallelism: int, limit: int
) -> None:
    bench.declare(*(model(f"m{n}", "kael") for n in range(4)))
    service.parallel_training = limit
    ledger = bench.apply(service, ApplyOptions(parallelism=parallelism))
    assert ledger.status == "done"
    assert sum(service.launches().values()) == 4
    assert any(isinstance(e, Noted) and "waits for another training" in e.text for e in bench.events)


def test_a_ceiling_of_zero_fails_with_the_services_message(bench: Bench, service: FakeScenario) -> None:
    service.parallel_training = 0
    ledger = bench.apply(service)
    assert lines(ledger)["failed"] == ["model.kael", "model.props"]
    assert "too many trainings at once" in str(ledger.failed[0].reason)


def test_a_ceiling_held_by_others_fails_instead_of_waiting_for_ever(bench: Bench, service: FakeScenario) -> None:
    stranger = service.create_model(name="Stranger", type="flux.1-lora")
    service.add_image(stranger.id, name="x.png", mime="image/png", body=b"x")
    service.train(stranger.id, {})
    service.training_s, service.parallel_training = 1e9, 1
    for job in service.jobs.values():
        job.ends_at = 1e18
    ledger = bench.apply(service)
    assert lines(ledger)["failed"] == ["model.kael", "model.props"]


def test_without_waiting_a_launch_above_the_ceiling_is_left_to_the_next_run(
    bench: Bench, service: FakeScenario
) -> None:
    service.parallel_training = 1
    ledger = bench.apply(service, ApplyOptions(wait=False))
    assert ledger.status == "running"
    found = lines(ledger)
    assert [*map(len, found.values())] == [1, 1], "either of the two may be launched first"
    assert sorted(found["running"] + found["not_started"]) == ["model.kael", "model.props"]
    assert ledger.next_command == "scenario-apply apply", "to watch launches nothing"
    assert bench.apply(service).status == "done"
    assert service.launches() == {"Kael": 1, "Props": 1}


def test_a_cooldown_is_waited_for_as_long_as_the_service_asks(bench: Bench, service: FakeScenario) -> None:
    service.cooldown_s = 17.0
    ledger = bench.apply(service, EIGHT)
    assert ledger.status == "done"
    starts = sorted(job.starts_at for job in service.jobs.values())
    assert starts[1] - starts[0] >= 17
    assert any(isinstance(e, Throttled) and "cooldown" in e.reason for e in bench.events)


def test_without_waiting_a_cooldown_is_still_waited_for(bench: Bench, service: FakeScenario) -> None:
    service.cooldown_s = 17.0
    ledger = bench.apply(service, ApplyOptions(wait=False))
    assert ledger.status == "running"
    assert len(service.jobs) == 2


@pytest.mark.parametrize("seconds", [3601.0, 1e308])
def test_a_cooldown_without_end_is_not_waited_for(bench: Bench, service: FakeScenario, seconds: float) -> None:
    """The run ends with its ledger; trainings launched before continue and are recorded."""
    service.cooldown_s = seconds
    ledger = bench.apply(service, EIGHT)
    assert ledger.status == "partial"
    assert len(ledger.failed) == 1
    assert "not waited for" in str(ledger.failed[0].reason)
    assert len(service.jobs) == 1


# -- gates


def test_a_quote_counts_once_however_often_its_launch_is_put_off(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"), model("props", "props", type="sd-xl-lora"), limits=Limits(cost=40))
    service.cooldown_s = 25.0
    service.parallel_training = 1
    assert bench.apply(service, EIGHT).status == "done"


def test_a_launch_over_the_limit_is_not_paid(bench: Bench, service: FakeScenario) -> None:
    """A composition has no price before its parts are trained."""
    bench.declare(model("kael", "kael"), composition("ink", "kael"), limits=Limits(cost=29))
    ledger = bench.apply(service)
    assert sum(service.launches().values()) == 1
    assert "over the limit of 29" in str(ledger.failed[0].reason)


def test_a_refused_launch_leaves_its_share_of_the_limit_to_others(bench: Bench, service: FakeScenario) -> None:
    props = model("props", "props", type="sd-xl-lora")
    bench.declare(model("kael", "kael"), props, composition("ink", "kael"), limits=Limits(cost=40))
    fault = Fault("before", lambda: Refused("not this one", status=422), name="train", nth=2)
    ledger = bench.apply(Wire(service, fault).api)
    assert lines(ledger)["done"] == ["composition.ink", "model.kael"]


def test_a_low_score_stops_a_launch_if_the_manifest_sets_the_limit(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"), limits=Limits(min_score=0.5))
    service.score = 0.4
    ledger = bench.apply(service)
    assert "0.40" in str(ledger.failed[0].reason)
    assert not service.jobs


def test_a_blocked_plan_is_not_applied(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    bench.declare(model("kael", "kael", parameters={"rank": 4}), limits=Limits(cost=1))
    prepared = bench.plan(service)
    with pytest.raises(GateClosed):
        apply_plan(bench.environment(service), prepared, str(bench.root), EIGHT, bench.events.append, StopSignal())


# -- waiting


def polls(service: FakeScenario) -> list[str]:
    """The names of the reads after the last launch."""
    names = [name for name, _ in service.log]
    after = len(names) - names[::-1].index("train")
    return names[after:]


def test_many_trainings_are_asked_for_in_one_request_a_round(bench: Bench, service: FakeScenario) -> None:
    bench.declare(*(model(f"m{n}", "kael") for n in range(5)))
    bench.apply(service, EIGHT)
    rounds = polls(service)
    assert set(rounds) == {"get_models"}
    assert 2 <= len(rounds) <= 12, "30 seconds at 3 s and slower"


@pytest.mark.parametrize(
    ("type", "asked"), [("flux.1-lora", "get_job"), ("sd-xl-lora", "get_model"), ("zimage-lora", "get_model")]
)
def test_a_training_is_requested_as_the_guide_of_its_type_describes(
    bench: Bench, service: FakeScenario, type: str, asked: str
) -> None:
    bench.declare(model("kael", "kael", type=type))
    bench.apply(service)
    *rounds, last = polls(service)
    assert set(rounds) == {asked}
    assert last in (asked, "get_model"), "a job may end before its model does, so that is looked at, too"


def test_a_single_composition_is_asked_for_by_its_model(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"), composition("ink", "kael"))
    bench.apply(service)
    assert set(polls(service)) == {"get_model"}


def test_rounds_that_fail_are_tried_again_and_at_last_end_the_run(bench: Bench, service: FakeScenario) -> None:
    down = partial(ApiError, "bad gateway", status=502)
    wire = Wire(service, Fault("before", down, name="get_models", nth=1, times=4))
    assert bench.apply(wire.api).status == "done"
    other = Bench(bench.root / "other", clock=bench.clock, datasets=bench.datasets)
    other.manifest = replace(bench.manifest, root=str(bench.root))
    wire = Wire(service, Fault("before", down, name="get_models", nth=1, times=10**6))
    environment = other.environment(wire.api)
    prepared = other.plan(wire.api)
    ledger = apply_plan(
        environment, replace(prepared), str(bench.root), ApplyOptions(), other.events.append, StopSignal()
    )
    assert ledger.status == "stopped"
    assert lines(ledger)["running"] == ["model.kael", "model.props"]


def test_the_interval_given_is_kept_to_the_fraction(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"))
    bench.apply(service, ApplyOptions(parallelism=1, poll_interval_s=7.5))
    assert polls(service).count("get_job") == 4, "30 s in rounds of 7.5"


def test_a_timeout_leaves_the_trainings_running(bench: Bench, service: FakeScenario) -> None:
    service.training_s = 3600
    ledger = bench.apply(service, ApplyOptions(timeout_s=60))
    assert ledger.status == "running"
    assert lines(ledger)["running"] == ["model.kael", "model.props"]
    assert not bench.journal_path.exists()
    service.training_s = 30
    assert bench.apply(service).status == "done"
    assert service.launches() == {"Kael": 1, "Props": 1}


def test_a_poll_reports_the_progress_of_each_training(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    moved = [e for e in bench.events if isinstance(e, TrainingMoved) and str(e.address) == "model.kael"]
    assert {e.status for e in moved} == {"training", "trained"}
    assert moved[0].progress is not None


# -- stopping


def stopping(stop: StopSignal, when: Callable[[object], bool], *, now: bool = False) -> Callable[[object], None]:
    def emit(event: object) -> None:
        if when(event):
            (stop.request_now if now else stop.request)()

    return emit


def run(bench: Bench, service: FakeScenario, stop: StopSignal, emit: Callable[[object], None]) -> Ledger:
    prepared = bench.plan(service)
    return apply_plan(bench.environment(service), prepared, str(bench.root), EIGHT, emit, stop)


def test_ctrl_c_lets_calls_in_flight_end_and_starts_no_more(bench: Bench, service: FakeScenario) -> None:
    stop = StopSignal()
    ledger = run(bench, service, stop, stopping(stop, lambda e: isinstance(e, StepStarted)))
    assert ledger.status == "interrupted"
    assert not ledger.unknown
    assert not bench.journal_path.exists(), "everything is in the state"
    assert not service.jobs
    assert ledger.next_command == "scenario-apply apply"
    assert bench.apply(service).status == "done"
    assert (len(service.alive()), len(service.assets)) == (2, 4)


def test_ctrl_c_while_trainings_run_leaves_them_running(bench: Bench, service: FakeScenario) -> None:
    stop = StopSignal()
    ledger = run(bench, service, stop, stopping(stop, lambda e: isinstance(e, TrainingMoved)))
    assert ledger.status == "interrupted"
    assert lines(ledger)["running"] == ["model.kael", "model.props"]
    assert bench.apply(service).status == "done"
    assert service.launches() == {"Kael": 1, "Props": 1}


def test_ctrl_c_twice_leaves_at_once_and_the_next_run_finds_what_was_in_flight(
    bench: Bench, service: FakeScenario
) -> None:
    stop, go_on = StopSignal(), threading.Event()

    class Slow(FakeScenario):
        """Carries out create requests at once, and responds to them only on demand."""

    slow = Slow(bench.clock)
    carried_out = threading.Semaphore(0)
    create = slow.create_model

    def late(**named: object) -> object:
        answer = create(**named)  # type: ignore[arg-type]  # passed on as it came
        carried_out.release()
        go_on.wait(10)
        return answer

    slow.create_model = late  # type: ignore[assignment, method-assign]  # a stand-in of the same shape

    def press_twice() -> None:
        for _ in range(2):
            carried_out.acquire(timeout=10)
        stop.request_now()

    thread = threading.Thread(target=press_twice)
    thread.start()
    ledger = run(bench, slow, stop, lambda event: None)
    thread.join()
    assert ledger.status == "interrupted"
    assert sorted(lines(ledger)["unknown"]) == ["model.kael", "model.props"]
    assert bench.journal_path.exists(), "what is unanswered stays journalled"
    slow.create_model = create  # type: ignore[method-assign]  # fast again
    again = bench.apply(slow)
    go_on.set()
    # in the order they were sent; which of the two threads is first does not matter
    assert (again.status, sorted(lines(again)["adopted"])) == ("done", ["model.kael", "model.props"])
    assert len(slow.alive()) == 2


# -- requests with an unknown outcome


@pytest.mark.parametrize("name", ["create_model", "upload_asset", "add_image", "attach_assets", "train"])
@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_that_cannot_be_looked_into_is_left_to_the_next_run(
    bench: Bench, service: FakeScenario, name: str, carried_out: bool
) -> None:
    """The response and all later reads are lost, so the outcome is unknown. The journal keeps it for the next run."""
    bench.declare(
        model("kael", "kael"), model("fast", "kael", label="Fast"), model("props", "props", type="sd-xl-lora")
    )
    wire = Wire(
        service,
        Fault("after" if carried_out else "before", lambda: AnswerLost("reset by peer"), name=name, nth=1),
        *(
            Fault("before", lambda: ApiError("bad gateway", status=502), name=look, nth=nth, times=10**6)
            # the first lists are read before anything is made: by the plan, and as baseline
            for look, nth in (("list_models", 3), ("list_assets", 2), ("get_model", 1))
        ),
    )
    ledger = bench.apply(wire.api)
    assert ledger.status in ("partial", "stopped")
    assert len(ledger.unknown) == 1
    assert "bad gateway" in str(ledger.unknown[0].reason)
    assert bench.journal_path.exists()
    again = bench.apply(service)
    assert again.status == "done"
    assert bool(again.adopted) == carried_out
    assert (len(service.alive()), len(service.assets)) == (3, 4)
    assert set(service.launches().values()) == {1}
    assert not bench.plan(service).plan.has_changes
    assert not bench.journal_path.exists()


def test_two_models_of_one_name_and_a_lost_answer_ask_instead_of_guessing(bench: Bench, service: FakeScenario) -> None:
    """Another user creates an empty model of that name in the web app at the same moment."""

    class Crowd(Wire):
        def __getattr__(self, name: str) -> Callable[..., object]:
            if name == "create_model" and not self.calls.count("create_model"):
                service.create_model(name="Kael", type="flux.1-lora")
            return super().__getattr__(name)

    bench.declare(model("kael", "kael"))
    wire = Crowd(service, Fault("after", lambda: AnswerLost("reset"), name="create_model", nth=1))
    ledger = bench.apply(wire.api)
    assert "several objects match" in str(ledger.unknown[0].reason)
    assert len(service.alive()) == 2, "and nothing was made anew"


def test_requests_whose_results_could_be_mistaken_for_each_other_are_not_in_flight_together(
    bench: Bench, service: FakeScenario
) -> None:
    """While the create request of one model is in flight, another of the same name and type is not sent."""
    bench.declare(
        model("one", "kael", label="Same"), model("two", "props", label="Same"), model("zoo", "props", label="Other")
    )
    first, other = service.hold("create_model", "Same"), service.hold("create_model", "Other")
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(bench.apply, service, EIGHT)
        first.wait_for(1)
        other.wait_for(1)  # it comes last in the plan: the loop has passed the second one of the same name
        steps = [e.step for e in bench.events if isinstance(e, StepStarted)]
        started = [str(step.address) for step in steps if step.kind == "create"]
        try:
            assert first.arrived == ["Same"]
            assert started == ["model.one", "model.zoo"]
        finally:
            first.release()
            other.release()
        assert ending.result().status == "done"
    assert len(service.alive()) == 3


def test_a_model_that_vanishes_before_its_lost_launch_is_looked_up_is_created_again(
    bench: Bench, service: FakeScenario
) -> None:
    bench.declare(model("kael", "kael"))
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="train", nth=1)).api)
    service.delete_model(service.model_named("Kael").id)
    assert bench.apply(service).status == "done"
    with pytest.raises(NotFound):
        service.get_model(next(iter(service.models)))


# -- resources


def test_images_in_flight_hold_a_bounded_number_of_bytes(
    bench: Bench, service: FakeScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of twelve images fit: no third one is sent until one of them has arrived."""
    images = bench.add("many", [f"KAEL {n}" for n in range(12)]).contents.images
    bench.declare(model("kael", "many"), model("zoo", "props", tags=("t",)))
    monkeypatch.setattr(schedule, "IN_FLIGHT_BYTES", 2 * max(image.size_bytes for image in images) + 10)
    uploads, tags = service.hold("add_image"), service.hold("update_tags")
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(bench.apply, service, EIGHT)
        uploads.wait_for(2)
        tags.wait_for(1)  # the loop has looked at all uploads since, and there was room for other calls
        try:
            assert len(uploads.arrived) == 2
        finally:
            uploads.release()
            tags.release()
        assert ending.result().status == "done"
    assert len(service.assets) == 14


def test_a_picture_that_changed_since_the_plan_is_not_sent(bench: Bench, service: FakeScenario) -> None:
    prepared = bench.plan(service)
    [first, *_] = [p.step for p in prepared.plan.steps if isinstance(p.step, UploadImage)]
    (bench.root / first.picture.file).write_bytes(b"something else")
    ledger = apply_plan(bench.environment(service), prepared, str(bench.root), EIGHT, bench.events.append, StopSignal())
    assert ledger.status == "partial"
    assert "changed since it was scanned" in str(ledger.failed[0].reason)
    assert service.launches() == {"Props": 1}


def test_a_bug_leaves_a_ledger_and_a_journal(bench: Bench, service: FakeScenario) -> None:
    wire = Wire(service, Fault("before", lambda: ZeroDivisionError("ours"), name="add_image", nth=2))
    with pytest.raises(ZeroDivisionError):
        bench.apply(wire.api)
    ledger = bench.events[-1]
    assert isinstance(ledger, Ledger)
    assert ledger.status == "stopped"
    assert "ZeroDivisionError" in str(ledger.error)
    assert bench.apply(service).status == "done"
    assert (len(service.alive()), len(service.assets)) == (2, 4)


def test_deletes_come_last_and_only_with_consent(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"), composition("ink", "kael"))
    bench.apply(service)
    bench.declare(model("props", "props", type="sd-xl-lora", lifecycle=Lifecycle()))
    ledger = bench.apply(service)
    assert (ledger.status, ledger.next_command) == ("partial", "scenario-apply apply --allow-destroy")
    assert len(service.alive()) == 3
    ledger = bench.apply(service, plan=PlanOptions(allow_destroy=True))
    assert ledger.status == "done"
    assert [m.name for m in service.alive()] == ["Props"]
    deleted = [service.models[ModelId(detail)].name for name, detail in service.log if name == "delete_model"]
    assert deleted == ["Ink", "Kael"], "the composition first"

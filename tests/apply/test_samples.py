"""Samples in a run: drawn once each after their training, waited for together, and nothing depends on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Noted, SampleMoved, StepFinished
from scenario_apply.apply.sample_ceiling import ASK_EVERY_S, LONGEST_CROWDED_S
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.cli.progress.json_lines import ledger_json
from scenario_apply.errors import ApiError, CoolingDown, PlanCeiling, Refused
from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.model.samples import SampleSettings
from tests.fakes.bench import Bench, composition, model
from tests.fakes.sample_bench import drawing, phases, recorded, sample_wrongs
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire

LEAVE = ApplyOptions(wait=False)
EIGHT = ApplyOptions(parallelism=8)


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A model that owes two samples."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle"))
    return bench


@pytest.fixture
def service(bench: Bench) -> FakeScenario:
    return FakeScenario(bench.clock)


def test_a_new_model_is_trained_and_drawn_in_one_run(bench: Bench, service: FakeScenario) -> None:
    ledger = bench.apply(service)
    assert (ledger.status, ledger.next_command) == ("done", None)
    assert ledger.cu_charged == 10 + 2 * 10.75
    assert [(c.samples, c.charged, c.quoted) for c in ledger.charges] == [(0, 10, 10), (2, 21.5, 21.5)]
    assert ledger.counts["sample"] == ledger.counts["sample-wait"] == 2
    assert not sample_wrongs(bench, service, paid=2)
    assert [one.details for one in recorded(bench)] == [{"custom-generation": 9.0, "quality-gate": 1.75}] * 2
    service.log.clear()
    assert bench.apply(service).status == "done"
    assert service.count("generate", "list_jobs", "get_job") == 0, "nothing is left to do, and nothing is asked"


def test_the_price_is_asked_once_for_all_samples_that_cost_the_same(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    assert service.count("quote_generation") == 2, "once with the base for the plan, once with the trained model"


def test_several_samples_are_polled_by_one_list_and_one_alone_by_its_job(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    service.log.clear()
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle", "a boat", "a bridge", "a fox"))
    bench.apply(service, EIGHT)
    polls = len([e for e in bench.events if isinstance(e, SampleMoved)])
    assert polls >= 3
    assert service.count("get_job") == 0
    assert 2 <= service.count("list_jobs") <= 4, "what was drawn before the run, and the polls"
    service.log.clear()
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle", "a boat", "a bridge", "a fox", "an owl"))
    bench.apply(service)
    assert (service.count("list_jobs"), service.count("get_job")) == (1, 2)


def test_a_changed_prompt_draws_that_one_only(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    bench.declare(drawing(model("kael", "kael"), "a knight", "a tower"))
    ledger = bench.apply(service)
    assert (ledger.status, ledger.cu_charged) == ("done", 10.75)
    assert service.launches() == {"Kael": 1}
    assert phases(bench)["a tower"] == "drawn"


def test_a_sample_that_fails_fails_nothing_else_and_is_proposed_again(bench: Bench, service: FakeScenario) -> None:
    service.generation.fail_drawing = {"a knight"}
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    [failed] = ledger.failed
    assert (failed.what, failed.reason) == ("sample 1", "the picture did not pass the quality gate")
    assert ledger.cu_charged == 10 + 10.75, "a failed generation is refunded"
    assert bench.record("model.kael").current.phase == "trained"
    assert phases(bench) == {"a knight": "failed", "a castle": "drawn"}
    service.generation.fail_drawing = set()
    again = bench.apply(service)
    assert (again.status, again.cu_charged) == ("done", 10.75)
    assert phases(bench) == {"a knight": "drawn", "a castle": "drawn"}
    assert service.launches() == {"Kael": 1}


def test_a_cancelled_sample_has_failed(bench: Bench, service: FakeScenario) -> None:
    service.generation.drawing_s = 60
    bench.apply(service)
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle", "a fox"))
    bench.apply(service, LEAVE)
    service.cancel_drawing(list(service.drawings)[-1])
    ledger = bench.apply(service)
    assert "cancelled on Scenario" in str(ledger.failed[0].reason)


def test_no_wait_launches_what_is_trained_and_a_later_run_records(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service, LEAVE)
    assert not service.drawings
    bench.clock.wait(100)
    ledger = bench.apply(service, LEAVE)
    assert len(service.drawings) == 2
    assert (ledger.status, [line.what for line in ledger.running]) == ("running", ["2 samples (1, 2)"])
    assert ledger.next_command == "scenario-apply apply"
    assert set(phases(bench).values()) == {"drawing"}
    bench.clock.wait(100)
    assert bench.apply(service, LEAVE).status == "done", "one look records what has been drawn meanwhile"
    assert not sample_wrongs(bench, service, paid=2)


def test_a_refused_sample_names_the_services_reason(bench: Bench, service: FakeScenario) -> None:
    fault = Fault("before", lambda: Refused("that prompt is not allowed", status=400), name="generate")
    ledger = bench.apply(Wire(service, fault).api)
    assert ledger.status == "partial"
    assert "that prompt is not allowed" in str(ledger.failed[0].reason)
    assert phases(bench) == {"a castle": "drawn"}
    assert bench.apply(service).status == "done"
    assert not sample_wrongs(bench, service, paid=2)


def test_the_ceiling_is_waited_for_while_samples_of_the_run_end(bench: Bench, service: FakeScenario) -> None:
    service.generation.parallel_custom_jobs = 2
    bench.declare(drawing(model("kael", "kael"), *(f"prompt {n}" for n in range(9))))
    ledger = bench.apply(service, EIGHT)
    assert (ledger.status, len(service.drawings)) == ("done", 9)
    assert service.count("generate") <= 9 + 8 + 4, "those in flight are refused, and few others"
    notes = [event.text for event in bench.events if isinstance(event, Noted) and "another sample" in event.text]
    assert notes
    assert not sample_wrongs(bench, service, paid=9)


def test_a_ceiling_that_others_fill_for_a_moment_is_waited_for(bench: Bench, service: FakeScenario) -> None:
    bench.declare(drawing(model("kael", "kael"), *(f"prompt {n}" for n in range(9))))
    full = PlanCeiling("You have reached your plan's limit", action="parallel-custom-jobs", limit=2)
    wire = Wire(service, Fault("before", lambda: full, name="generate", times=12))
    ledger = bench.apply(wire.api, EIGHT)
    assert (ledger.status, len(service.drawings)) == ("done", 9)
    notes = [event.text for event in bench.events if isinstance(event, Noted) and "jobs of others" in event.text]
    assert len(notes) == 1
    assert not sample_wrongs(bench, service, paid=9)


def test_a_ceiling_that_others_fill_is_named_and_asked_about_by_one(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle", *(f"prompt {n}" for n in range(5))))
    full = PlanCeiling("You have reached your plan's limit", action="parallel-custom-jobs", limit=2)
    service.log.clear()
    wire = Wire(service, Fault("before", lambda: full, name="generate", times=99))
    began = bench.clock.monotonic()
    ledger = bench.apply(wire.api)
    assert ledger.status == "failed"
    assert bench.clock.monotonic() - began < LONGEST_CROWDED_S + 2 * ASK_EVERY_S
    assert wire.calls.count("generate") <= LONGEST_CROWDED_S / ASK_EVERY_S + 5
    [failed] = ledger.failed
    assert failed.what == "5 samples (3, 4, 5 and 2 more)"
    assert "your plan's limit" in str(failed.reason)
    assert ledger.next_command == "scenario-apply apply"


def test_a_cooldown_is_waited_for(bench: Bench, service: FakeScenario) -> None:
    fault = Fault("before", lambda: CoolingDown("too soon", remaining_s=30), name="generate")
    assert bench.apply(Wire(service, fault).api).status == "done"
    assert not sample_wrongs(bench, service, paid=2)


def test_ctrl_c_while_samples_are_drawn_leaves_and_the_next_run_records(bench: Bench, service: FakeScenario) -> None:
    service.generation.drawing_s = 300
    stop = StopSignal()

    def interrupted() -> BaseException:
        stop.requested.set()
        return ApiError("the connection broke", status=None)

    wire = Wire(service, Fault("early", interrupted, name="list_jobs", nth=3))
    ledger = bench.apply(wire.api, stop=stop)
    assert (ledger.status, [line.what for line in ledger.running]) == ("interrupted", ["2 samples (1, 2)"])
    bench.clock.wait(300)
    assert bench.apply(service).status == "done"
    assert not sample_wrongs(bench, service, paid=2)


def test_a_replaced_model_is_drawn_with_its_new_version(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    bench.declare(drawing(model("kael", "kael", parameters={"rank": 16}), "a knight", "a castle"))
    assert bench.apply(service).status == "done"
    record = bench.record("model.kael")
    used = {str(job.input["modelId"]) for job in list(service.drawings.values())[2:]}
    assert (record.current.number, used) == (2, {record.current.id})
    assert [one.phase for one in record.previous[0].samples] == ["drawn", "drawn"], "those of the old one stay"
    assert not sample_wrongs(bench, service, paid=4)


def test_a_model_that_is_trained_again_in_place_is_drawn_again(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    spec = model("kael", "kael", parameters={"rank": 16}, lifecycle=Lifecycle(on_change="retrain"))
    bench.declare(drawing(spec, "a knight", "a castle"))
    bench.clock.wait(60)
    assert bench.apply(service).status == "done"
    version = bench.record("model.kael").current
    assert (len(version.samples), len(version.current_samples), len(service.drawings)) == (4, 2, 4)


def test_a_composition_is_drawn_by_its_own_id(bench: Bench, service: FakeScenario) -> None:
    bench.declare(model("kael", "kael"), drawing(composition("ink", "kael"), "a knight in ink"))
    assert bench.apply(service).status == "done"
    [job] = service.drawings.values()
    assert (job.input["modelId"], "loras" in job.input) == (bench.record("composition.ink").current.id, False)
    assert not sample_wrongs(bench, service, paid=1)


def test_a_sample_of_four_pictures_is_one_generation(bench: Bench, service: FakeScenario) -> None:
    settings = SampleSettings(scale=0.8, width=512, height=768, count=4)
    bench.declare(drawing(model("kael", "kael"), "a knight", settings=settings))
    ledger = bench.apply(service)
    [one] = recorded(bench)
    assert (len(one.pictures), one.charged, ledger.cu_charged) == (4, 43, 53)
    [job] = service.drawings.values()
    assert (job.input["lorasScale"], job.input["width"], job.input["numOutputs"]) == ([0.8], 512, 4)


def test_a_job_that_is_gone_after_it_ended_is_a_failed_sample(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle", "a fox"))
    bench.apply(service, LEAVE)
    bench.clock.wait(100)
    del service.drawings[list(service.drawings)[-1]]
    ledger = bench.apply(service)
    assert "no longer has its job" in str(ledger.failed[0].reason)
    assert bench.apply(service).status == "done"


def test_events_name_each_sample_with_its_price(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    done = [e for e in bench.events if isinstance(e, StepFinished) and e.step.kind == "sample"]
    assert [(e.cu_charged, str(e.remote_id)[:4]) for e in done] == [(10.75, "job_")] * 2


def test_the_ledger_of_samples_is_plain_json(bench: Bench, service: FakeScenario) -> None:
    charges = ledger_json(bench.apply(service))["charges"]
    assert isinstance(charges, list)
    assert json.loads(json.dumps(charges))[1] == {
        "address": "model.kael",
        "quoted": 21.5,
        "charged": 21.5,
        "discount": None,
        "details": {"custom-generation": 18.0, "quality-gate": 3.5},
        "samples": 2,
    }


def test_the_account_outlives_the_version(bench: Bench, service: FakeScenario) -> None:
    bench.apply(service)
    state = bench.state()
    assert [(one.name, one.charged, one.phase, one.quoted) for one in state.samples] == [
        ("1", 10.75, "drawn", 10.75),
        ("2", 10.75, "drawn", 10.75),
    ]
    assert replace(state, records={}).samples == state.samples

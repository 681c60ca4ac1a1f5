"""A queued training is shown as such by plan, status and ledger, with a warning after hours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.cli.resource_status import refreshed_statuses
from scenario_apply.model.queue_wait import QUEUED_LONG_S, queued_too_long, queued_words
from scenario_apply.model.remote import JobId, ModelId, Progress, RemoteJob, RemoteModel
from scenario_apply.planning.changes import Action
from scenario_apply.planning.reasons import TrainingQueued, TrainingRunning
from scenario_apply.review.ledger_text import ledger_text
from scenario_apply.review.screen import Screen
from scenario_apply.review.status_text import long_queued, status_json, status_text
from tests.fakes.bench import Bench, model
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

SCREEN = Screen(width=160)
NO_WAIT = ApplyOptions(parallelism=1, wait=False)


class Busy(FakeScenario):
    """Every training waits at the seventh place, for days."""

    def _queued(self, model: RemoteModel) -> RemoteModel:
        progress = Progress(stage="queued-for-train", progress=0.0, position=7)
        return replace(model, progress=progress) if model.is_running else model

    def get_model(self, model_id: ModelId) -> RemoteModel:
        return self._queued(super().get_model(model_id))

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> dict[ModelId, RemoteModel]:
        return {key: self._queued(value) for key, value in super().get_models(model_ids, images=images).items()}

    def get_job(self, job_id: JobId) -> RemoteJob:
        return replace(super().get_job(job_id), status="queued", progress=0.0)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    bench = Bench(tmp_path, clock=FakeClock())
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    return bench


def later(bench: Bench, seconds: float) -> None:
    assert isinstance(bench.clock, FakeClock)
    bench.clock.advance(seconds)


def test_a_plan_shows_the_queue_position_and_warns_after_hours(bench: Bench) -> None:
    service = Busy(bench.clock, training_s=10**6)
    bench.apply(service, NO_WAIT)
    launched_at = bench.record("model.kael").current.launched_at
    later(bench, QUEUED_LONG_S / 2)
    plan = bench.plan(service).plan
    [change] = plan.changes
    assert (change.action, change.reasons) == (Action.WAIT, (TrainingQueued(launched_at, 7),))
    assert not plan.diagnostics
    later(bench, QUEUED_LONG_S)
    [problem] = bench.plan(service).plan.diagnostics
    assert (problem.severity, problem.code) == ("warning", "queued-long")
    assert "model.kael has been queued for 6 hours" in problem.message
    assert "web app" in (problem.hint or "")


def test_a_training_that_has_begun_is_running_however_long(bench: Bench) -> None:
    service = FakeScenario(bench.clock, training_s=10**6)
    bench.apply(service, NO_WAIT)
    later(bench, 10 * QUEUED_LONG_S)
    plan = bench.plan(service).plan
    assert plan.changes[0].reasons == (TrainingRunning(),)
    assert not plan.diagnostics


def test_status_shows_it_and_warns_after_hours(bench: Bench) -> None:
    service = Busy(bench.clock, training_s=10**6)
    bench.apply(service, NO_WAIT)
    launched_at = bench.record("model.kael").current.launched_at
    now = refreshed_statuses(bench.environment(service), bench.state())
    assert f"queued since {launched_at}, place 7" in status_text(now, SCREEN)
    assert not long_queued(now)
    later(bench, 1.5 * QUEUED_LONG_S)
    then = refreshed_statuses(bench.environment(service), bench.state())
    [problem] = long_queued(then)
    assert "queued for 6 hours" in problem.message
    assert json.loads(status_json(then))["model.kael"]["queued_too_long"] is True


@pytest.mark.parametrize("models", [1, 2])
def test_an_apply_that_timed_out_reports_it_in_its_ledger(bench: Bench, models: int) -> None:
    """One training is read by its job, which has no position; two are read in bulk."""
    bench.declare(*[model(name, "kael") for name in ("kael", "twin")[:models]])
    service = Busy(bench.clock, training_s=10**6)
    ledger = bench.apply(service, ApplyOptions(timeout_s=60))
    launched_at = bench.record("model.kael").current.launched_at
    place = ", place 7" if models > 1 else ""
    assert ledger.running[0].reason == f"queued since {launched_at}{place}"
    assert f"queued since {launched_at}" in ledger_text(ledger, SCREEN)
    ledger = bench.apply(service, ApplyOptions(timeout_s=1.5 * QUEUED_LONG_S))
    reason = ledger.running[0].reason or ""
    assert "has been queued for 6 hours" in reason
    assert "web app" in reason


@pytest.mark.parametrize(
    ("status", "progress", "launched_at", "words"),
    [
        ("queued", None, None, "queued"),
        (
            "training",
            Progress(stage="pending", position=0),
            "2026-08-01T12:00:00Z",
            "queued since 2026-08-01T12:00:00Z",
        ),
        ("training", Progress(stage="queued-for-train", position=1), None, "queued, place 1"),
        ("training", Progress(stage="running-train", position=3), "2026-08-01T12:00:00Z", None),
        ("training", None, "2026-08-01T12:00:00Z", None),
        ("in-progress", Progress(stage=""), None, None),
    ],
)
def test_how_a_position_in_the_queue_is_worded(
    status: str, progress: Progress | None, launched_at: str | None, words: str | None
) -> None:
    assert queued_words(status, progress, launched_at) == words


def test_a_queue_without_a_known_start_is_never_too_long() -> None:
    assert queued_too_long(None, 10.0**10) is None
    assert queued_too_long("yesterday", 10.0**10) is None

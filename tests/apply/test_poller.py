"""Rounds over trainings whose model is deleted meanwhile: that is their end, however they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.poller import poll_trainings
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.state.state import Version
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario

KAEL = parse_address("model.kael")


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    return bench


def training(bench: Bench) -> tuple[FakeScenario, dict[Address, Version]]:
    """A single flux.1-lora that trains: it is asked for by its job."""
    service = FakeScenario(bench.clock)
    assert bench.apply(service, ApplyOptions(parallelism=1, wait=False)).status == "running"
    return service, {KAEL: bench.record("model.kael").working}


@pytest.mark.parametrize("job", ["goes on", "is lost", "is cancelled"])
def test_a_single_model_deleted_while_it_trained_has_ended(bench: Bench, job: str) -> None:
    service, waiting = training(bench)
    if job == "is cancelled":
        service.cancel(waiting[KAEL].id)
    service.delete_model(waiting[KAEL].id)
    bench.clock.wait(100)
    if job == "is lost":
        service.jobs.clear()
    seen = poll_trainings(service, bench.clock, waiting)[KAEL]
    assert seen.outcome is not None
    assert (seen.status, seen.outcome.phase) == ("deleted", "canceled")
    assert seen.outcome.reason == "the model was deleted on Scenario"


def test_a_run_whose_only_model_is_deleted_reports_it_and_the_next_creates_it_again(bench: Bench) -> None:
    class Deleted(FakeScenario):
        """Another user deletes the model while its job is running."""

        deletes = True

        def get_model(self, model_id: ModelId) -> RemoteModel:
            self.models[model_id].deleted |= self.deletes
            return super().get_model(model_id)

    service = Deleted(bench.clock)
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    assert [line.reason for line in ledger.failed] == ["the model was deleted on Scenario"]
    service.deletes = False
    assert bench.apply(service).status == "done"
    assert len(service.alive()) == 1

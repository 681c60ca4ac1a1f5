"""Right before a launch: the score of a dataset is read once, however many models train on it at the same moment."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Noted
from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.cli.parser import limit
from scenario_apply.errors import ApiError, Diagnostic, Severity
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import DatasetScore, ModelId
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario

MANY = ApplyOptions(parallelism=12)


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def six_of_one(root: Path, limits: Limits) -> tuple[Bench, FakeScenario]:
    bench = Bench(root)
    bench.add("kael", ["KAEL, front"])
    bench.declare(*(model(f"m{number}", "kael") for number in range(6)), limits=limits)
    return bench, FakeScenario(bench.clock)


class Slow(FakeScenario):
    """Its first answer about a score comes only when a second question has arrived, or half a second went by."""

    def __init__(self, service: FakeScenario, answer: Callable[[], DatasetScore]) -> None:
        super().__init__(service.clock)
        self.asked = 0
        self.answer = answer
        self.second = threading.Event()

    def get_score(self, model_id: ModelId) -> DatasetScore:
        self.asked += 1
        if self.asked > 1:
            self.second.set()
        self.second.wait(0.5)
        return self.answer()


@pytest.mark.parametrize("status", ["complete", "processing"])
def test_a_score_is_read_once_however_many_launch_at_once(tmp_path: Path, status: str) -> None:
    bench, service = six_of_one(tmp_path, Limits())
    slow = Slow(service, lambda: DatasetScore(score=0.7, status=status, warnings=()))
    assert bench.apply(slow, MANY).status == "done"
    assert slow.asked == 1
    told = [event for event in bench.events if isinstance(event, Noted) and "dataset score" in event.text]
    assert len(told) == (status == "complete")


def test_an_unreadable_score_without_a_limit_is_read_once(tmp_path: Path) -> None:
    bench, service = six_of_one(tmp_path, Limits())

    def broken() -> DatasetScore:
        raise ApiError("no such route", status=404)

    slow = Slow(service, broken)
    assert bench.apply(slow, MANY).status == "done"
    assert slow.asked == 1


def test_a_score_that_stops_launches_is_read_once_too(tmp_path: Path) -> None:
    bench, service = six_of_one(tmp_path, Limits(min_score=0.8))
    slow = Slow(service, lambda: DatasetScore(score=0.7, status="complete", warnings=()))
    ledger = bench.apply(slow, MANY)
    assert (ledger.gated, len(ledger.failed), slow.asked) == (True, 6, 1)


def test_other_datasets_do_not_wait_for_a_score(tmp_path: Path) -> None:
    """Two datasets are asked about at the same time: each answer waits for the other question."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.add("props", ["a lamp"])
    bench.declare(model("kael", "kael"), model("props", "props", type="sd-xl-lora"))
    both = threading.Barrier(2, timeout=10)

    class Meeting(FakeScenario):
        def get_score(self, model_id: ModelId) -> DatasetScore:
            both.wait()
            return super().get_score(model_id)

    assert bench.apply(Meeting(bench.clock), MANY).status == "done"


# -- a gate that closed is opened by the command the run ends with


def options_of(command: str | None) -> tuple[ApplyOptions, PlanOptions]:
    """What the command asks for, as far as limits go."""
    assert command is not None
    program, _, *words = shlex.split(command)
    assert program == "scenario-apply"
    limits = dict(limit(word.removeprefix("--limit=")) for word in words)
    assert len(limits) == len(words)
    return ApplyOptions(command=command), PlanOptions(limits=Limits(**limits))  # type: ignore[arg-type]  # two floats


class Dearer(FakeScenario):
    """Quotes more at a launch than in a plan."""

    def quote_training(self, model_id: ModelId | None, parameters: object, image_count: int | None) -> float:
        return 30.5 if model_id is not None else 1.0


@pytest.mark.parametrize("cost", [20, 40, 70])
def test_a_run_above_the_cost_limit_ends_before_its_first_upload_with_the_next_command(
    tmp_path: Path, cost: float
) -> None:
    """It raises the limit to what the run costs."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(*(model(f"m{number}", "kael") for number in range(3)), limits=Limits(cost=cost))
    service = Dearer(bench.clock)
    ledger = bench.apply(service, ApplyOptions(parallelism=1, command=f"scenario-apply apply --limit=cost={cost}"))
    assert ledger.gated
    assert ledger.next_command == "scenario-apply apply --limit=cost=92"
    assert f"cost: 91.5 CU is over the limit of {cost}; raise it for a run with --limit cost=92" in str(ledger.error)
    assert (service.count("upload_asset", "add_image"), len(service.jobs), len(service.alive())) == (0, 0, 3)
    options, asked = options_of(ledger.next_command)
    assert bench.apply(service, options, plan=asked).status == "done"


def test_a_score_that_stops_a_launch_ends_with_the_next_command(tmp_path: Path) -> None:
    bench, service = six_of_one(tmp_path, Limits(min_score=0.8))
    service.score = 0.487
    ledger = bench.apply(service, MANY)
    assert ledger.gated
    assert ledger.next_command == "scenario-apply apply --limit=min_score=0.48"
    assert "--limit min_score=0.48" in str(ledger.failed[0].reason)
    options, asked = options_of(ledger.next_command)
    assert bench.apply(service, options, plan=asked).status == "done"


def test_a_score_that_is_not_computed_in_time_lowers_no_limit(tmp_path: Path) -> None:
    bench, service = six_of_one(tmp_path, Limits(min_score=0.8))
    slow = Slow(service, lambda: DatasetScore(score=0, status="processing", warnings=()))
    ledger = bench.apply(slow, MANY)
    assert (ledger.gated, ledger.next_command) == (True, "scenario-apply apply")
    assert "has not computed" in str(ledger.failed[0].reason)


def test_the_services_verdict_stands_beside_our_own(tmp_path: Path) -> None:
    """One line before the launch: the score with its warnings, and the codes that the lint rules found."""
    bench, service = six_of_one(tmp_path, Limits())
    found: list[tuple[str, Severity]] = [("R01", "warning"), ("C11", "warning"), ("R01", "warning"), ("N03", "info")]
    problems = tuple(Diagnostic(code=code, message="it is", severity=severity) for code, severity in found)
    bench.datasets["kael"] = replace(bench.datasets["kael"], problems=problems)
    slow = Slow(service, lambda: DatasetScore(score=0.7, status="complete", warnings=("a: Missing caption",)))
    assert bench.apply(slow, MANY).status == "done"
    [told] = [event.text for event in bench.events if isinstance(event, Noted) and "dataset score" in event.text]
    assert told == "dataset score 0.70: a: Missing caption; own checks: R01 x 2, C11"

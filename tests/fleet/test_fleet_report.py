"""fleet_report.py: one exit code for many projects, and the limits of the whole fleet."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.errors import ExitCode
from scenario_apply.fleet.fleet_file import FleetLimits
from scenario_apply.fleet.fleet_markdown import fleet_markdown
from scenario_apply.fleet.fleet_report import Command, FleetReport, exit_code, judged
from scenario_apply.fleet.fleet_text import fleet_text
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.review.screen import Screen
from tests.fleet.fleets import apply_run, ledger, planned, task

OK, ERROR, CHANGES, RUNNING = ExitCode.OK, ExitCode.ERROR, ExitCode.CHANGES, ExitCode.RUNNING
GATE, LOCKED, PARTIAL, INTERRUPTED = ExitCode.GATE, ExitCode.LOCKED, ExitCode.PARTIAL, ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("command", "codes", "code"),
    [
        ("plan", [OK, CHANGES], CHANGES),
        ("plan", [RUNNING, CHANGES], CHANGES),
        ("plan", [RUNNING, OK], RUNNING),
        ("plan", [CHANGES, GATE], GATE),
        ("plan", [CHANGES, ERROR], ERROR),
        ("apply", [OK, OK], OK),
        ("apply", [OK, RUNNING], RUNNING),
        ("apply", [OK, ERROR], PARTIAL),
        ("apply", [ERROR, ERROR], ERROR),
        ("apply", [LOCKED, LOCKED], LOCKED),
        ("apply", [OK, GATE], GATE),
        ("apply", [OK, GATE, LOCKED], PARTIAL),
        ("apply", [OK, INTERRUPTED], INTERRUPTED),
        ("status", [OK, PARTIAL, RUNNING], PARTIAL),
    ],
)
def test_one_code_for_many_projects(command: Command, codes: list[ExitCode], code: ExitCode) -> None:
    assert exit_code(command, codes) is code


def test_the_limits_of_the_fleet_are_judged_over_all_plans() -> None:
    """None of two projects is over the limit, and both together are."""
    runs = [apply_run("a", cu=60.0), apply_run("b", cu=60.0)]
    (over,) = judged(runs, FleetLimits(cost=100))
    assert over.message == "cost: 120 in all projects is over the fleet's limit of 100"
    assert "--limit cost=120" in (over.hint or "")
    assert judged(runs, FleetLimits(cost=120)) == ()


def test_a_plan_says_how_much_of_its_cost_is_for_samples() -> None:
    """And an apply counts a resource once, whose training and samples are done."""
    only = planned(cu=43.0, samples=2, samples_cu=43.0, summary={"update": 1}, requests=4)
    beside = planned("b", cu=152.0, samples=1, samples_cu=10.75, summary={"create": 1}, requests=9)
    runs = [ProjectRun(task=task(one.path[0]), results={one.path: one}) for one in (only, beside)]
    report = FleetReport(command="plan", path="fleet.yaml", runs=runs)
    text = fleet_text(report, Screen(width=120))
    assert "1 update, 4 requests, 43 CU for 2 samples" in text
    assert "1 create, 9 requests, 152 CU, 10.75 of it for 1 sample" in text
    assert "195 CU, 53.75 of it for 3 samples." in text
    assert "| 43 CU for 2 samples |" in fleet_markdown(report)
    lines = [{"address": "model.one", "what": what} for what in ("created", "samples drawn")]
    done = ProjectRun(task=task("a"), results={"a": planned(code=0, ledger=ledger(done=lines))})
    assert "1 manifest, 1 done" in fleet_text(replace(report, command="apply", runs=[done]), Screen(width=120))

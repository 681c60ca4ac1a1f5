"""fleet_report.py: one exit code for many projects, and the limits of the whole fleet."""

from __future__ import annotations

import pytest

from scenario_apply.errors import ExitCode
from scenario_apply.fleet.fleet_file import FleetLimits
from scenario_apply.fleet.fleet_report import Command, exit_code, judged
from tests.fleet.fleets import apply_run

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

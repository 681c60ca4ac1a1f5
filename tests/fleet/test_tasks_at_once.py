"""tasks_at_once.py: processes for those that work, and for those that wait."""

from __future__ import annotations

import pytest

from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.tasks_at_once import tasks_at_once
from tests.fleet.fleets import apply_run, task


@pytest.mark.parametrize(
    ("engine", "kind", "projects", "requests", "expected"),
    [
        ("processes", "plan", 50, 0, 4),
        ("processes", "apply", 50, 20, 16),  # each is done within its first minute: the processor is what they share
        ("processes", "apply", 5, 20, 5),
        ("processes", "apply", 30, 400, 30),  # they wait for their limits: nobody waits for another
        ("processes", "apply", 200, 400, 64),
        ("dask", "apply", 50, 20, 4),
        ("dask=tcp://host:1", "plan", 200, 0, 64),  # its workers are not of this machine
        ("processes", "plan", 0, 0, 1),
    ],
)
def test_a_machine_of_two_cores(engine: str, kind: str, projects: int, requests: int, expected: int) -> None:
    if kind == "plan":
        runs = [ProjectRun(task=task(f"p{number}", kind)) for number in range(projects)]
    else:
        runs = [apply_run(f"p{number}", requests=requests) for number in range(projects)]
    assert tasks_at_once(runs, engine=engine, cores=2) == expected

"""launch_limits.py: how many trainings, and for how many CU, each task may launch."""

from __future__ import annotations

from scenario_apply.fleet.launch_limits import LaunchLimits
from tests.fleet.fleets import apply_run, charge, ledger


def test_without_limits_a_task_may_launch_anything() -> None:
    run = apply_run()
    grant = LaunchLimits().grant(run)
    assert grant is not None
    assert (grant.launches, grant.cost) == (None, None)


def test_a_task_may_spend_what_its_plan_costs_and_no_more() -> None:
    limits = LaunchLimits(cost=100)
    runs = [apply_run("a", cu=60.0), apply_run("b", cu=30.0)]
    limits.expect(runs)
    grants = [limits.grant(run) for run in runs]
    assert [round(grant.cost) for grant in grants if grant is not None and grant.cost is not None] == [60, 30]


def test_what_has_no_price_yet_gets_what_is_left_one_project_at_a_time() -> None:
    """So that two of them cannot spend the same rest."""
    limits = LaunchLimits(cost=100)
    first, second = apply_run("a", cu=10.0, unknown=1), apply_run("b", cu=20.0, unknown=1)
    limits.expect([first, second])
    grant = limits.grant(first)
    assert grant is not None
    assert grant.cost is not None
    assert round(grant.cost) == 80  # its own 10 and the rest of 70
    assert limits.grant(second) is None
    first.results["a.yaml"].ledger.update(ledger()) if first.results["a.yaml"].ledger else None
    first.due_at = None
    limits.settle(first)
    again = limits.grant(second)
    assert again is not None
    assert round(again.cost or 0) == 100  # the first launched nothing in the end


def test_what_a_dead_worker_may_have_launched_counts_as_spent() -> None:
    """Its charges are in no ledger."""
    limits = LaunchLimits(cost=100)
    died, other = apply_run("a", cu=60.0), apply_run("b", cu=10.0, unknown=1)
    limits.expect([died, other])
    limits.grant(died)
    died.has_died, died.due_at = True, None
    limits.settle(died)
    grant = limits.grant(other)
    assert grant is not None
    assert round(grant.cost or 0) == 40


def test_charges_count_once() -> None:
    limits = LaunchLimits(cost=100)
    run, other = apply_run("a", cu=60.0), apply_run("b", unknown=1)
    limits.expect([run, other])
    limits.grant(run)
    from msgspec.structs import replace

    run.results["a.yaml"] = replace(run.results["a.yaml"], ledger=ledger(charges=[charge(60)]))
    limits.settle(run)
    limits.settle(run)
    grant = limits.grant(other)
    assert grant is not None
    assert round(grant.cost or 0) == 40

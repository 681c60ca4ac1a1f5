"""planning/gates.py: may this plan be applied?"""

from __future__ import annotations

from scenario_apply.model.address import Address
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import DeleteModel, PlannedStep
from scenario_apply.planning.changes import Action, Change, Cost
from scenario_apply.planning.gates import judge, merged
from scenario_apply.planning.plan import Plan, PlanSource


def change(name: str, action: Action, cu: float | None = 0, source: str = "none", existed: bool = True) -> Change:
    cost = Cost(cu=cu, source=source)  # type: ignore[arg-type]  # one of the four
    before = {"id": "model_1"} if existed else None
    return Change(address=Address("model", name), action=action, cost=cost, before=before)


def plan(*changes: Change, deletes: int = 0) -> Plan:
    steps = tuple(
        PlannedStep(id=f"s{n}", step=DeleteModel(address=Address("model", "a"), model_id=ModelId(f"m{n}"), number=n))
        for n in range(deletes)
    )
    source = PlanSource(
        manifest_path="m", manifest_digest="d", lineage=None, serial=0, endpoint="https://scenario.test", project=None
    )
    return Plan(source=source, tool_version="0", created_at="now", changes=changes, steps=steps)


def stopped_by(made: Plan, **limits: float) -> list[str]:
    return [problem.message for problem in judge(made, Limits(**limits))]  # type: ignore[arg-type]  # whole numbers


PAID = plan(change("a", Action.REPLACE, 230, "quoted"), change("b", Action.CREATE, 100, "history", existed=False))


def test_no_limit_stops_nothing() -> None:
    assert stopped_by(PAID) == []


def test_cost_is_what_is_quoted_and_what_history_tells() -> None:
    assert stopped_by(PAID, cost=330) == []
    assert stopped_by(PAID, cost=329) == ["cost: 330 is over the limit of 329"]


def test_what_is_known_of_the_cost_counts_though_the_rest_is_not() -> None:
    """And where nothing is known each launch is still quoted and judged right before it is paid."""
    unknown = change("c", Action.CREATE, None, "unknown", existed=False)
    assert stopped_by(plan(*PAID.changes, unknown), cost=300) == ["cost: 330 is over the limit of 300"]
    assert stopped_by(plan(unknown), cost=1) == []


def test_deletes_count_models_on_the_service() -> None:
    assert stopped_by(plan(deletes=2), deletes=2) == []
    assert stopped_by(plan(deletes=2), deletes=1) == ["deletes: 2 is over the limit of 1"]
    assert stopped_by(plan(deletes=1), deletes=0) == ["deletes: 1 is over the limit of 0"]


def test_retrains_count_what_existed_and_is_trained_again() -> None:
    made = plan(change("a", Action.REPLACE), change("b", Action.RETRAIN), change("c", Action.CREATE, existed=False))
    assert stopped_by(made, retrains=2) == []
    assert stopped_by(made, retrains=1) == ["retrains: 2 is over the limit of 1"]


def test_the_share_that_changes_is_of_what_exists() -> None:
    """New ones are growth, a wait is no change."""
    changes = [change(name, Action.NONE) for name in "abc"] + [change("d", Action.REPLACE), change("e", Action.WAIT)]
    new = [change(name, Action.CREATE, existed=False) for name in "xyz"]
    assert stopped_by(plan(*changes, *new), changes_percent=20) == []
    assert stopped_by(plan(*changes, *new), changes_percent=19) == [
        "changes_percent: 1 of 5 resources change (20%), limit 19%"
    ]
    assert stopped_by(plan(*new), changes_percent=0) == []


def test_the_hint_is_enough() -> None:
    """A third is 33.3 %: 33 would stop the next run, too."""
    changes = [change("a", Action.REPLACE, 10.4, "quoted"), change("b", Action.NONE), change("c", Action.NONE)]
    share, cost = judge(plan(*changes), Limits(changes_percent=0)) + judge(plan(*changes), Limits(cost=1))
    assert "--limit changes_percent=34," in str(share.hint)
    assert "--limit cost=11," in str(cost.hint)


def test_all_limits_that_are_passed_are_told_at_once() -> None:
    assert len(stopped_by(plan(*PAID.changes, deletes=1), cost=1, deletes=0, retrains=0, changes_percent=0)) == 4


def test_the_command_line_stands_over_the_manifest() -> None:
    limits = merged(Limits(cost=500, deletes=0), Limits(cost=0))
    assert limits == Limits(cost=0, deletes=0)

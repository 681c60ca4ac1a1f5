"""One view model of a plan for every writer: status with its reasons, totals, changes, and what is only counted."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Action, Change, Cost
from scenario_apply.planning.reasons import NotSelected, RollbackPinned
from scenario_apply.review.change_view import Beside
from scenario_apply.review.plan_view import PlanContext, failed_plan_view, plan_view
from tests.cli.plans import ALL_SIGNS, CREATED, KAEL, REPLACED, plan_of

GATE = Diagnostic(code="gate", message="cost: 600 is over the limit of 500")
STALE = Diagnostic(code="plan-stale", message="kael/07.png changed")
LEFT_OUT = Change(address=Address("model", "other"), action=Action.NONE, notes=(NotSelected(),))
INK = Change(
    address=Address("composition", "ink"),
    action=Action.RETRAIN,
    change_class="training",
    cost=Cost(cu=10, source="quoted"),
)


def test_the_status_is_the_first_that_holds_and_keeps_the_reasons_of_the_others() -> None:
    """Blocked and partial at once: blocked, with both reasons; a stale plan is not applyable either."""
    view = plan_view(plan_of(REPLACED, LEFT_OUT, blocked=(GATE,)))
    assert (view.status.kind, view.status.blocked) == ("blocked", (GATE,))
    assert view.status.partial == ("1 resource is not selected",)
    assert not view.status.is_applyable
    stale = plan_view(plan_of(REPLACED), PlanContext(stale=(STALE,)))
    assert (stale.status.kind, stale.status.stale, stale.status.is_applyable) == ("stale", (STALE,), False)
    assert plan_view(plan_of(REPLACED)).status.kind == "applyable"
    assert plan_view(plan_of()).status.kind == "nothing"


def test_deletes_that_wait_for_consent_make_a_plan_partial() -> None:
    view = plan_view(plan_of(REPLACED, withheld=(KAEL,)))
    assert view.status.kind == "partial"
    assert view.status.partial == ("1 delete waits for consent: pass --allow-destroy",)
    assert view.status.is_applyable


def test_blocked_stale_and_partial_plans_are_to_be_shown_whole() -> None:
    assert plan_view(plan_of(REPLACED, blocked=(GATE,))).status.is_whole
    assert plan_view(plan_of(REPLACED, LEFT_OUT)).status.is_whole
    assert not plan_view(plan_of(REPLACED)).status.is_whole


def test_unchanged_resources_are_counted_and_those_with_a_note_are_kept() -> None:
    same = Change(address=KAEL, action=Action.NONE)
    pinned = Change(address=Address("model", "props"), action=Action.NONE, notes=(RollbackPinned(KAEL, 1),))
    view = plan_view(plan_of(same, pinned, LEFT_OUT, CREATED))
    assert (view.unchanged, view.not_selected) == (2, 1)
    assert [str(change.address) for change in view.changes] == ["model.kael-lr/fast"]
    assert [str(change.address) for change in view.kept] == ["model.props", "model.other"]


def test_every_change_of_a_plan_is_in_the_view_with_its_sign() -> None:
    view = plan_view(ALL_SIGNS)
    changed = [change for change in ALL_SIGNS.changes if change.action is not Action.NONE]
    assert [change.address for change in view.changes] == [change.address for change in changed]
    assert {change.sign for change in view.changes} == {change.action.sign for change in changed}
    assert view.counts == dict(ALL_SIGNS.summary)


def test_trainings_of_models_run_side_by_side_and_compositions_after_them() -> None:
    """60 s and 90 s side by side, then 30 s: 120 s. One that is not known makes the whole unknown, never shorter."""
    other = replace(REPLACED, address=Address("model", "props"))
    plan = plan_of(INK, REPLACED, other)
    known = {KAEL: Beside(seconds=60), other.address: Beside(seconds=90), INK.address: Beside(seconds=30)}
    assert plan_view(plan, PlanContext(beside=known)).totals.training_seconds == 120
    assert plan_view(plan, PlanContext(beside={KAEL: Beside(seconds=60)})).totals.training_seconds is None
    assert plan_view(plan_of()).totals.training_seconds is None


def test_a_plan_that_could_not_be_made_has_its_problems_and_no_changes() -> None:
    view = failed_plan_view((STALE,), manifest=None, endpoint="local", created_at="2026-01-02T03:04:05Z")
    assert (view.status.kind, view.diagnostics, view.changes) == ("errored", (STALE,), ())
    assert view.counts["create"] == 0

"""review.plan_annotations: what a reviewer sees beside the lines of the manifest, and no more than GitHub shows."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Action, Affected, Change, Cost
from scenario_apply.planning.reasons import NoLongerDeclared
from scenario_apply.review.plan_annotations import SHOWN, plan_annotations
from scenario_apply.review.plan_view import PlanContext, plan_view
from tests.cli.plans import KAEL, REPLACED, SOURCE, plan_of

GATE = Diagnostic(code="gate", message="cost: 600 is over the limit of 500")
PLACE = Location(file="kael.yaml", line=7, column=3)
IN_A_FILE = replace(SOURCE, manifest_path="kael.yaml")


def test_a_gate_is_an_error_on_the_manifest_and_a_paid_change_a_notice_at_its_line() -> None:
    plan = plan_of(replace(REPLACED, place=PLACE), blocked=(GATE,), source=IN_A_FILE)
    gate, total, paid = plan_annotations(plan_view(plan))
    assert (gate.severity, gate.location) == ("error", Location(file="kael.yaml"))
    assert total.message.startswith("Plan: 0 create, 0 update, 1 replace")
    assert (paid.severity, paid.location) == ("info", PLACE)
    assert paid.message.startswith("model.kael will be replaced: 230 CU quoted (because parameters.nbEpochs 10 -> 12")


def test_what_is_free_is_in_the_sum_only_and_deletes_are_named() -> None:
    gone = Change(address=Address("model", "old"), action=Action.DELETE, reasons=(NoLongerDeclared(),))
    kept = Change(address=KAEL, action=Action.UPDATE, change_class="metadata")
    found = plan_annotations(plan_view(plan_of(gone, kept)))
    assert [one.code for one in found] == ["plan", "plan delete"]
    assert found[1].location is None, "the manifest is a folder"


def test_more_than_ten_of_a_kind_are_counted_and_the_dearest_are_shown() -> None:
    many = [
        replace(REPLACED, address=Address("model", f"m{n:02}"), cost=Cost(cu=n, source="quoted")) for n in range(1, 31)
    ]
    warnings = [Diagnostic(code="D03", message=f"like {n}", severity="warning") for n in range(10)]
    found = plan_annotations(plan_view(plan_of(*many, diagnostics=tuple(warnings))))
    notices = [one for one in found if one.severity == "info"]
    assert len(notices) == SHOWN
    assert notices[1].message.startswith("model.m30 ")
    assert notices[-1].message.startswith("and 22 more notices")
    assert [one.message for one in found if one.severity == "warning"] == [f"like {n}" for n in range(10)]


def test_stale_and_partial_plans_say_why() -> None:
    stale = Diagnostic(code="plan-stale", message="1.png changed", location=Location(file="1.png"))
    view = plan_view(plan_of(REPLACED, withheld=(KAEL,)), PlanContext(stale=(stale,)))
    found = plan_annotations(view)
    assert found[0] == stale
    assert found[1].severity == "warning"
    assert "1 delete waits for consent" in found[1].message


def test_notes_are_left_out_unless_they_are_asked_for() -> None:
    note = Diagnostic(code="N03", message="30 images", severity="info")
    view = plan_view(plan_of(REPLACED, diagnostics=(note,)))
    assert note not in plan_annotations(view)
    assert note in plan_annotations(view, notes=True)


def test_what_saves_a_training_is_annotated_and_what_a_change_reaches_is_said() -> None:
    """The `moved:` line of a resource that seems to be renamed is no mere note: without it the training is paid."""
    moved = Diagnostic(code="looks-renamed", message="a is b", severity="info", hint="add moved:", location=PLACE)
    other = Diagnostic(code="N01", message="a note", severity="info")
    reached = Affected(address=Address("composition", "duo"), action=Action.RETRAIN, is_protected=True)
    found = plan_annotations(plan_view(plan_of(replace(REPLACED, affects=(reached,)), diagnostics=(other, moved))))
    assert moved in found
    assert other not in found
    assert found[-1].message.endswith("; it affects 1 protected composition: composition.duo (retrain)")

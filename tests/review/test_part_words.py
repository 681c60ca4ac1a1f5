"""Parts of compositions in words: addresses with versions, and names, in place of ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import ConceptRef, PlannedStep, UpdateModel
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.reasons import ConceptAdded, ConceptRemoved, PartChanged, Reason
from scenario_apply.review.change_view import AttributeView, ChangeView
from scenario_apply.review.plan_view import PlanContext, plan_view
from scenario_apply.state.state import Record, Version
from tests.cli.plans import KAEL, plan_of

Parts = Sequence[Mapping[str, object]]

INK = parse_address("composition.ink")
FOUND = {"find": {"name": "Ink Wash", "type": "flux.1-lora"}}
REPLACED = PartChanged(KAEL, "replaced")


def record(model_id: str, number: int = 1) -> Record:
    return Record(
        current=Version(number=number, id=ModelId(model_id), phase="trained", name="Kael", type="flux.1-lora")
    )


RECORDS = {KAEL: record("model_1", 3), INK: record("model_ink")}


def part(model_id: str, scale: float) -> dict[str, object]:
    return {"modelId": model_id, "scale": scale}


def view_of(before: Parts, after: Parts, refs: Sequence[ConceptRef], *reasons: Reason) -> ChangeView:
    """A composition whose parts are set by a step with refs, or by none where there are none."""
    change = Change(
        address=INK,
        action=Action.RETRAIN,
        reasons=reasons,
        before={"concepts": before},
        after={"concepts": after},
    )
    steps = (PlannedStep(id="s1", step=UpdateModel(address=INK, concepts=tuple(refs))),) if refs else ()
    return plan_view(plan_of(change, steps=steps), PlanContext(records=RECORDS)).changes[0]


def concepts(view: ChangeView) -> AttributeView:
    return next(attribute for attribute in view.attributes if attribute.name == "concepts")


KAEL_REF, FOUND_REF = ConceptRef(model=KAEL, scale=0.8), ConceptRef(model_id=ModelId("model_9"), scale=0.4)
KAEL_PART, FOUND_PART = {"model": "model.kael", "scale": 0.8}, {**FOUND, "scale": 0.4}


def test_parts_of_which_only_the_version_moves_are_no_changed_row() -> None:
    before = [part("model_1", 0.8), part("model_9", 0.4)]
    view = view_of(before, [KAEL_PART, FOUND_PART], [KAEL_REF, FOUND_REF], REPLACED)
    assert view.changed_attributes == ()


def test_a_part_in_use_is_named_by_address_and_version_on_both_sides() -> None:
    """The version before is that of the state, the one after is the next; a found model is called as it was found."""
    before = [part("model_1", 0.5), part("model_9", 0.4)]
    row = concepts(view_of(before, [KAEL_PART, FOUND_PART], [KAEL_REF, FOUND_REF], REPLACED))
    assert row.before == "model.kael (version 3) at 0.5; Ink Wash (flux.1-lora) at 0.4"
    assert row.after == "model.kael (version 4) at 0.8; Ink Wash (flux.1-lora) at 0.4"
    kept = concepts(view_of(before, [KAEL_PART, FOUND_PART], [KAEL_REF, FOUND_REF]))
    assert kept.after == "model.kael (version 3) at 0.8; Ink Wash (flux.1-lora) at 0.4"


def test_a_name_under_which_another_model_is_found_now_is_a_changed_row() -> None:
    row = concepts(view_of([part("model_8", 0.4)], [FOUND_PART], [FOUND_REF]))
    assert (row.before, row.after) == ("model_8 at 0.4", "Ink Wash (flux.1-lora) at 0.4")


def test_parts_that_no_step_sets_are_those_that_were_there() -> None:
    assert view_of([part("model_9", 0.4)], [FOUND_PART], []).changed_attributes == ()
    assert view_of([part("model_9", 0.4)], [part("model_9", 0.4)], []).changed_attributes == ()


def test_other_ids_are_a_changed_row_also_where_they_are_versions_of_one_model() -> None:
    """What the manifest pins by id is what it says, and not what is current."""
    row = concepts(
        view_of([part("model_0", 0.4)], [part("model_1", 0.4)], [ConceptRef(model_id=ModelId("model_1"), scale=0.4)])
    )
    assert (row.before, row.after) == ("model_0 at 0.4", "model.kael (version 3) at 0.4")


def test_reasons_name_the_parts_that_come_and_go() -> None:
    reasons = (ConceptAdded(ModelId("model_9")), ConceptRemoved(ModelId("model_1")), ConceptRemoved(ModelId("model_x")))
    view = view_of([part("model_1", 0.8), part("model_x", 1)], [FOUND_PART], [FOUND_REF], *reasons)
    assert [reason.text for reason in view.reasons] == [
        "concept Ink Wash (flux.1-lora) added",
        "concept model.kael (version 3) removed",
        "concept model_x removed",
    ]

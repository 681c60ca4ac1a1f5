"""planning/composition_parts.py: the parts of a composition, found, waited for, or told to be missing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.apply.prepare import PlanOptions, make_plan
from scenario_apply.errors import Diagnostic, ManifestError
from scenario_apply.manifest.spec import Concept, Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import CreateModel
from scenario_apply.planning.changes import Action
from scenario_apply.planning.plan import Plan
from scenario_apply.state.state import ConceptRecord, Record, State, Version
from tests.planning.decisions import decisions, gone, recorded
from tests.planning.decisions import ink as recorded_ink
from tests.planning.manifests import HERE, composition, dataset, manifest, model, part, picture
from tests.planning.situations import NOW, Model, Service, world_of

NOTHING_RECORDED = State()
FIND = Concept(find=("Ink Wash", "flux.1-lora"), scale=0.3, place=HERE)
SETS = {"set": dataset("set", [picture("01.png", "ash")])}


def service(*named: tuple[str, str, str]) -> Service:
    """Models of the project: id, name, type."""
    made = Service()
    for model_id, name, type in named:
        made.models[ModelId(model_id)] = Model(id=ModelId(model_id), type=type, name=name, status="trained")
    return made


def plan(made: Manifest, asked: Service | None, state: State = NOTHING_RECORDED) -> Plan:
    return make_plan(world_of(asked, state), made, SETS, PlanOptions(), NOW).plan


def refusal(made: Manifest, asked: Service) -> Diagnostic:
    with pytest.raises(ManifestError) as raised:
        plan(made, asked)
    assert len(raised.value.problems) == 1
    return raised.value.problems[0]


INK = manifest(composition("ink", [FIND]))


def test_exactly_one_model_of_that_name_and_type_is_the_part() -> None:
    """The type counts, and so does every letter of the name."""
    asked = service(
        ("model_1", "Ink Wash", "sd-xl-lora"),
        ("model_2", "Ink Wash", "flux.1-lora"),
        ("model_3", "ink wash", "flux.1-lora"),
    )
    step = plan(INK, asked).steps[0].step
    assert isinstance(step, CreateModel)
    assert [concept.model_id for concept in step.concepts] == ["model_2"]


def test_a_name_in_another_unicode_form_is_the_same_name() -> None:
    """The service may collapse blanks and compose letters; an exact name comes first."""
    made = manifest(composition("ink", [replace(FIND, find=("Cafe\u0301  Wash", "flux.1-lora"))]))
    step = plan(made, service(("model_1", "Caf\u00e9 Wash", "flux.1-lora"))).steps[0].step
    assert isinstance(step, CreateModel)
    assert [concept.model_id for concept in step.concepts] == ["model_1"]


def test_none_is_an_error_that_lists_the_nearest() -> None:
    problem = refusal(INK, service(("model_1", "Ink Wish", "flux.1-lora"), ("model_2", "Something", "sd-xl-lora")))
    assert problem.code == "find-nothing"
    assert problem.location == HERE
    assert "Ink Wish (flux.1-lora)" in str(problem.hint)


def test_several_are_an_error_that_lists_them() -> None:
    asked = service(("model_1", "Ink Wash", "flux.1-lora"), ("model_2", "Ink Wash", "flux.1-lora"))
    problem = refusal(INK, asked)
    assert problem.code == "find-ambiguous"
    assert "model_1" in problem.message
    assert "model_2" in problem.message


def test_the_projects_models_are_listed_only_for_a_find_and_once_for_what_is_created() -> None:
    """One request less for all others: parts named by id are read, fifty at once. What is created is looked for among
    the models of its name."""
    asked = service(("model_2", "Ink Wash", "flux.1-lora"))
    plan(INK, asked)
    assert asked.reads.count("list") == 1
    other = service(("model_9", "Ink Wash", "flux.1-lora"))
    declared = manifest(composition("ink", [Concept(model_id="model_9", scale=1, place=HERE)]))
    plan(declared, other)
    assert other.reads == ["get-bulk", "list"]
    other.reads.clear()
    recorded = Version(number=1, id=ModelId("model_1"), phase="trained", name="ink", type="flux.1-composition")
    plan(declared, other, State(records={Address("composition", "ink"): Record(current=recorded)}))
    assert "list" not in other.reads


def test_a_part_whose_id_nothing_has_is_an_error_of_the_plan() -> None:
    """At its place; not where the service was not asked, nor where the composition holds it already."""
    part = Concept(model_id="model_9", scale=0.5, place=HERE)
    declared = manifest(composition("ink", [part]))
    problem = refusal(declared, service())
    assert (problem.code, problem.location) == ("part-nothing", HERE)
    assert "model_9" in problem.message
    assert plan(declared, None).has_changes
    made = Version(
        number=1,
        id=ModelId("model_1"),
        phase="trained",
        name="ink",
        type="flux.1-composition",
        concepts=(ConceptRecord(ModelId("model_9"), 0.5),),
    )
    state = State(records={Address("composition", "ink"): Record(current=made)})
    plan(declared, Service.as_recorded(state), state)
    other = manifest(composition("ink", [replace(part, scale=0.7)]))
    with pytest.raises(ManifestError):
        plan(other, Service.as_recorded(state), state)


def test_a_composition_is_made_after_every_part_is_trained() -> None:
    """And trained after it is made."""
    made = plan(manifest(model("kael"), model("props"), composition("ink", [part("kael"), part("props")])), service())
    steps = {planned.id: planned for planned in made.steps}
    create = next(p for p in made.steps if p.kind == "create" and p.address.kind == "composition")
    needs = [steps[need] for need in create.after]
    assert {(str(p.address), p.kind) for p in needs} == {("model.kael", "wait"), ("model.props", "wait")}


def test_one_part_that_is_not_trained_holds_up_its_composition_only() -> None:
    from scenario_apply.manifest.spec import Lifecycle

    manual = model("kael", lifecycle=Lifecycle(train="manual"))
    made = plan(manifest(manual, model("props"), composition("ink", [part("kael")])), service())
    actions = {str(change.address): change.action for change in made.changes}
    assert actions == {
        "composition.ink": Action.NONE,
        "model.kael": Action.CREATE,
        "model.props": Action.CREATE,
    }
    assert [problem.code for problem in made.diagnostics] == ["untrained-part"]
    assert made.diagnostics[0].severity == "warning"


def test_a_part_that_is_gone_and_not_made_again_holds_its_composition_up() -> None:
    """Not selected, it would be composed of a model that does not exist; one that holds it already stays as it is."""
    made = manifest(model("kael"), composition("ink", [part("kael")]))
    ink = Address("composition", "ink")
    found = decisions(made, observed=gone("m1"), selected=frozenset({ink}))
    assert [problem.code for problem in found[ink].resource.problems] == ["untrained-part"]
    held = State(records={**recorded().records, ink: recorded_ink("m1")})
    assert decisions(made, held, gone("m1"), selected=frozenset({ink}))[ink].resource.problems == ()

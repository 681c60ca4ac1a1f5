"""planning/resource_graph.py: what depends on what, as it is drawn."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.manifest.spec import Concept, Lifecycle, Manifest
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.resource_graph import GraphEdge, resource_graph
from scenario_apply.state.state import ConceptRecord, Record, State, Version
from tests.planning.manifests import HERE, composition, manifest, model, part

INK = "V2anp75qTuKmmHOeInzQhg"
ELSEWHERE = Concept(model_id=INK, scale=0.3, place=HERE)
FOUND = Concept(find=("Ink Wash", "flux.1-lora"), scale=0.3, place=HERE)
MADE = manifest(
    model("kael"),
    model("lr", label="slow"),
    model("lr", label="fast"),
    composition("ink", [part("kael"), ELSEWHERE]),
    composition("wash", [part("kael"), ELSEWHERE, FOUND]),
)


def recorded(name: str, id: str, **more: object) -> Record:
    kind = "flux.1-composition" if "concepts" in more else "flux.1-lora"
    values: dict[str, object] = {"number": 1, "id": ModelId(id), "phase": "trained", "name": name, "type": kind}
    return Record(current=Version(**(values | more)))  # type: ignore[arg-type]  # fields by name


def edges(made: Manifest = MADE, state: State | None = None, selected: set[str] | None = None) -> set[tuple[str, str]]:
    chosen = None if selected is None else frozenset(map(parse_address, selected))
    return {(edge.source, edge.target) for edge in resource_graph(made, state or State(), chosen).edges}


def test_datasets_lead_to_models_and_models_to_compositions() -> None:
    assert edges() >= {
        ("dataset.set", "model.kael"),
        ("model.kael", "composition.ink"),
        ("model.kael", "composition.wash"),
    }


def test_a_model_made_elsewhere_is_one_node_for_all_that_use_it() -> None:
    graph = resource_graph(MADE, State())
    external = [node for node in graph.nodes if node.kind == "external"]
    assert [(node.title, *node.details) for node in external] == [
        (INK, "made elsewhere"),
        ("Ink Wash", "flux.1-lora", "found by name"),
    ]
    assert {edge.target for edge in graph.edges if edge.source == external[0].key} == {
        "composition.ink",
        "composition.wash",
    }


def test_children_of_a_matrix_name_their_group() -> None:
    graph = resource_graph(MADE, State())
    assert {node.key: node.group for node in graph.nodes if node.kind == "model"} == {
        "model.kael": None,
        "model.lr/slow": "model.lr",
        "model.lr/fast": "model.lr",
    }


def test_a_selection_draws_what_is_selected_and_what_it_uses_directly() -> None:
    graph = resource_graph(MADE, State(), frozenset({Address("composition", "ink")}))
    assert [node.key for node in graph.nodes] == [f"external.{INK}", "model.kael", "composition.ink"]
    assert "not selected" in graph.nodes[1].details
    assert graph.not_selected == 4
    assert edges(selected={"model.lr/slow"}) == {("dataset.set", "model.lr/slow")}


def test_what_is_recorded_and_no_longer_declared_is_drawn_with_its_parts() -> None:
    parts = (ConceptRecord(ModelId("model_k"), 0.5), ConceptRecord(ModelId("model_x"), 0.25, "3"))
    records = {
        Address("model", "kael"): recorded("Kael", "model_k"),
        Address("composition", "old"): recorded("Old", "model_o", concepts=parts),
    }
    graph = resource_graph(MADE, State(records=records))
    old = next(node for node in graph.nodes if node.key == "composition.old")
    assert old.details == ("Old", "flux.1-composition", "not in the manifest")
    assert [edge for edge in graph.edges if edge.target == "composition.old"] == [
        GraphEdge(source="model.kael", target="composition.old", label="scale 0.5"),
        GraphEdge(source="external.model_x", target="composition.old", label="scale 0.25, epoch 3"),
    ]


def test_actions_are_those_of_the_plan_and_only_of_what_is_selected() -> None:
    kael, ink = Address("model", "kael"), Address("composition", "ink")
    graph = resource_graph(
        MADE, State(), frozenset({ink}), [Change(address=a, action=Action.CREATE) for a in (kael, ink)]
    )
    assert {node.key: node.action for node in graph.nodes} == {
        f"external.{INK}": None,
        "model.kael": None,
        "composition.ink": Action.CREATE,
    }
    assert all(node.action is None for node in resource_graph(MADE, State()).nodes)


def test_disabled_and_protected_resources_say_so() -> None:
    spec = replace(model("kael"), enabled=False, lifecycle=Lifecycle(prevent_destroy=True))
    graph = resource_graph(manifest(spec), State())
    assert graph.nodes[-1].details[-2:] == ("disabled", "protected")

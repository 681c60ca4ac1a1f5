"""What depends on what, for drawing: datasets -> models -> compositions, and the models that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from scenario_apply.manifest.spec import CompositionSpec, Concept, Manifest, ModelSpec
from scenario_apply.model.address import Address
from scenario_apply.planning.attributes import Spec
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.moves import resolve_moves
from scenario_apply.state.state import Record, State

NodeKind = Literal["dataset", "model", "composition", "external"]


class GraphNode(Struct, frozen=True, kw_only=True):
    """key: unique in its graph. title: the address, or what a model made elsewhere is known by.

    details: the display name where it is not the key, the type, and what else to know, in this order. group: the
    address of the matrix that a model is a child of. action: what a plan would do; None where no plan was asked for.
    """

    key: str
    kind: NodeKind
    title: str
    details: tuple[str, ...] = ()
    group: str | None = None
    action: Action | None = None


class GraphEdge(Struct, frozen=True, kw_only=True):
    """source is needed by target; both are keys of nodes. label: how, for parts of a composition."""

    source: str
    target: str
    label: str = ""


class ResourceGraph(Struct, frozen=True, kw_only=True):
    """nodes: datasets, models made elsewhere, models, compositions, each in the order of the manifest."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    not_selected: int = 0


def resource_graph(
    manifest: Manifest,
    state: State,
    selected: frozenset[Address] | None = None,
    changes: Iterable[Change] | None = None,
) -> ResourceGraph:
    """The graph of what is declared, and of what is recorded and no longer declared.

    selected None: everything. Of the rest, only what a selected resource uses directly is drawn, and marked.
    changes: of a plan, for the actions; None: no plan was asked for.
    """
    declared: dict[Address, Spec] = {**manifest.models, **manifest.compositions}
    moving = set(resolve_moves(manifest.moved, state.records, declared, declared).sources.values())
    lost = {a: r for a, r in sorted(state.records.items()) if a not in declared and a not in moving}
    everything = (*declared, *lost)
    drawn = set(everything) if selected is None else set(everything) & selected
    edges = [*_declared_edges(declared, drawn), *_recorded_edges(lost, state, drawn)]
    used = {edge.source for edge in edges}
    actions = None if changes is None else {change.address: change.action for change in changes}
    datasets = [GraphNode(key=f"dataset.{name}", kind="dataset", title=f"dataset.{name}") for name in manifest.datasets]
    nodes = [
        *(node for node in datasets if node.key in used or selected is None),
        *_external_nodes(declared, lost, used),
        *(
            _node(address, declared.get(address), lost.get(address), drawn, actions)
            for address in everything
            if address in drawn or str(address) in used
        ),
    ]
    return ResourceGraph(nodes=tuple(nodes), edges=tuple(edges), not_selected=len(everything) - len(drawn))


def _node(
    address: Address,
    spec: Spec | None,
    record: Record | None,
    drawn: set[Address],
    actions: Mapping[Address, Action] | None,
) -> GraphNode:
    shown = spec if spec is not None else record.working if record is not None else None
    assert shown is not None, "a resource is declared or recorded"
    details = [] if shown.name == address.name else [shown.name]
    details.append(shown.type)
    if spec is None:
        details.append("not in the manifest")
    elif not spec.enabled:
        details.append("disabled")
    if (record is not None and record.protected) or (spec is not None and spec.lifecycle.prevent_destroy):
        details.append("protected")
    if address not in drawn:
        details.append("not selected")
    return GraphNode(
        key=str(address),
        kind="composition" if address.kind == "composition" else "model",
        title=str(address),
        details=tuple(details),
        group=f"{address.kind}.{address.name}" if address.label else None,
        action=None if actions is None or address not in drawn else actions.get(address, Action.NONE),
    )


def _declared_edges(declared: Mapping[Address, Spec], drawn: set[Address]) -> Iterator[GraphEdge]:
    for address, spec in declared.items():
        if address not in drawn:
            continue
        if isinstance(spec, ModelSpec):
            yield GraphEdge(source=f"dataset.{spec.dataset}", target=str(address))
            continue
        for concept in spec.concepts:
            yield GraphEdge(source=_part_key(concept), target=str(address), label=_how(concept.scale, concept.epoch))


def _recorded_edges(lost: Mapping[Address, Record], state: State, drawn: set[Address]) -> Iterator[GraphEdge]:
    """Of compositions that are no longer declared: all that is known of them are the ids of their parts."""
    owners = {version.id: address for address, record in state.records.items() for version in record.versions()}
    for address, record in lost.items():
        for concept in record.working.concepts if address in drawn else ():
            owner = owners.get(concept.model_id)
            source = _id_key(concept.model_id) if owner is None else str(owner)
            yield GraphEdge(source=source, target=str(address), label=_how(concept.scale, concept.epoch))


def _external_nodes(
    declared: Mapping[Address, Spec], lost: Mapping[Address, Record], used: set[str]
) -> Iterator[GraphNode]:
    """One for each model that was made elsewhere, however many compositions use it."""
    found: dict[str, GraphNode] = {}
    for spec in declared.values():
        for concept in spec.concepts if isinstance(spec, CompositionSpec) else ():
            if concept.model is None:
                node = _external(_part_key(concept), concept.model_id, concept.find)
                found.setdefault(node.key, node)
    for record in lost.values():
        for part in record.working.concepts:
            node = _external(_id_key(part.model_id), part.model_id, None)
            found.setdefault(node.key, node)
    return (node for key, node in found.items() if key in used)


def _external(key: str, model_id: str | None, find: tuple[str, str] | None) -> GraphNode:
    if find is not None:
        return GraphNode(key=key, kind="external", title=find[0], details=(find[1], "found by name"))
    return GraphNode(key=key, kind="external", title=str(model_id), details=("made elsewhere",))


def _part_key(concept: Concept) -> str:
    if concept.model is not None:
        return str(concept.model)
    if concept.find is not None:
        return f"find.{concept.find[1]}/{concept.find[0]}"
    return _id_key(str(concept.model_id))


def _id_key(model_id: str) -> str:
    return f"external.{model_id}"


def _how(scale: float, epoch: str | None) -> str:
    return f"scale {scale:g}" + (f", epoch {epoch}" if epoch else "")

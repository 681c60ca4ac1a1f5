"""The dependency graph as an SVG, in columns: datasets, models, compositions; with every line of it as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scenario_apply.planning.changes import Action
from scenario_apply.planning.resource_graph import GraphEdge, GraphNode, NodeKind, ResourceGraph
from scenario_apply.review.html.charts import Numbers
from scenario_apply.review.html.page import Section
from scenario_apply.review.screen import counted, fit, safe

MOST_DRAWN = 200
"""Nodes; a larger graph is only a table."""
_BOX_WIDTH, _BOX_HEIGHT = 220, 40
_ACROSS, _DOWN = 310, 54
_COLUMNS: Mapping[NodeKind, int] = {"dataset": 0, "external": 1, "model": 1, "composition": 2}
_TITLE_COLUMNS, _DETAIL_COLUMNS = 29, 34
_SWEEPS = 3


class Box(NamedTuple):
    """x, y: of its corner. words: all that is known of it. tone: what the plan does: good, busy, bad or ""."""

    x: float
    y: float
    kind: NodeKind
    title: str
    detail: str
    words: str
    tone: str


class GraphView(NamedTuple):
    """lines: the path of each edge. boxes is empty where the graph is too large to be drawn."""

    width: float
    height: float
    summary: str
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    numbers: Numbers
    box_width: int = _BOX_WIDTH
    box_height: int = _BOX_HEIGHT


_TONES = {
    Action.CREATE: "good", Action.IMPORT: "good", Action.DELETE: "bad", Action.FORGET: "bad", Action.WAIT: "busy",
    Action.UPDATE: "busy", Action.RETRAIN: "busy", Action.REPLACE: "busy", Action.MOVE: "busy",
}  # fmt: skip


def graph_section(graph: ResourceGraph) -> Section:
    return Section("graph", "Dependencies", "graph.html.jinja", _view(graph), f"{len(graph.nodes):,}")


def _view(graph: ResourceGraph) -> GraphView:
    numbers = _table(graph)
    kinds = {kind: sum(node.kind == kind for node in graph.nodes) for kind in _COLUMNS}
    summary = (
        f"{counted(kinds['dataset'], 'dataset')}, {counted(kinds['model'], 'model')} and "
        f"{counted(kinds['composition'], 'composition')}, from left to right"
        + (f"; {counted(kinds['external'], 'model')} made elsewhere" if kinds["external"] else "")
        + ". A line leads from what is needed to what needs it."
    )
    if len(graph.nodes) > MOST_DRAWN:
        summary += (
            f" A graph of more than {MOST_DRAWN} is not drawn: `scenario-apply graph --select` draws a part of it."
        )
        return GraphView(0, 0, summary, (), (), numbers)
    places = _places(graph)
    boxes = tuple(_box(node, *places[node.key]) for node in graph.nodes)
    lines = tuple(_line(places[edge.source], places[edge.target]) for edge in graph.edges)
    width = max((x for x, _ in places.values()), default=0) + _BOX_WIDTH + 2
    height = max((y for _, y in places.values()), default=0) + _BOX_HEIGHT + 2
    return GraphView(width, height, summary, boxes, lines, numbers)


def _places(graph: ResourceGraph) -> dict[str, tuple[float, float]]:
    """The corner of each box: columns in the order that makes lines short, each in the middle of the height."""
    used = sorted({_COLUMNS[node.kind] for node in graph.nodes})
    columns = [[node.key for node in graph.nodes if _COLUMNS[node.kind] == number] for number in used]
    near: dict[str, list[str]] = {node.key: [] for node in graph.nodes}
    for edge in graph.edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
    for sweep in range(_SWEEPS):
        order = range(len(columns)) if sweep % 2 == 0 else range(len(columns) - 1, -1, -1)
        for number in order:
            _sort(columns, number, near)
    tallest = max((len(column) for column in columns), default=0)
    return {
        key: (1 + number * _ACROSS, 1 + (row + (tallest - len(column)) / 2) * _DOWN)
        for number, column in enumerate(columns)
        for row, key in enumerate(column)
    }


def _sort(columns: list[list[str]], number: int, near: Mapping[str, Sequence[str]]) -> None:
    """Puts each box of a column where its neighbours are, on average."""
    at = {
        key: (row + 0.5) / len(column)
        for other, column in enumerate(columns)
        if other != number
        for row, key in enumerate(column)
    }
    own = {key: (row + 0.5) / len(columns[number]) for row, key in enumerate(columns[number])}

    def wish(key: str) -> float:
        found = [at[other] for other in near[key] if other in at]
        return sum(found) / len(found) if found else own[key]

    columns[number].sort(key=wish)


def _box(node: GraphNode, x: float, y: float) -> Box:
    doing = "" if node.action in (None, Action.NONE) else f"{node.action.sign} {node.action.value}"
    detail = ", ".join([*([doing] if doing else []), *node.details]) or node.kind
    return Box(
        x,
        y,
        node.kind,
        fit(safe(node.title), _TITLE_COLUMNS),
        fit(safe(detail), _DETAIL_COLUMNS),
        f"{node.title}: {detail}",
        "" if node.action is None else _TONES.get(node.action, ""),
    )


def _line(source: tuple[float, float], target: tuple[float, float]) -> str:
    x, y = source[0] + _BOX_WIDTH, source[1] + _BOX_HEIGHT / 2
    to_x, to_y = target[0], target[1] + _BOX_HEIGHT / 2
    if to_x <= x:  # in one column: round the right side
        x, to_x = source[0] + _BOX_WIDTH, target[0] + _BOX_WIDTH
        return f"M{x:g} {y:g}C{x + 40:g} {y:g} {to_x + 40:g} {to_y:g} {to_x:g} {to_y:g}"
    middle = (x + to_x) / 2
    return f"M{x:g} {y:g}C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"


def _table(graph: ResourceGraph) -> Numbers:
    titles = {node.key: node.title for node in graph.nodes}
    needs: dict[str, list[GraphEdge]] = {}
    for edge in graph.edges:
        needs.setdefault(edge.target, []).append(edge)
    rows = []
    for node in graph.nodes:
        parts = [titles[e.source] + (f" ({e.label})" if e.label else "") for e in needs.get(node.key, ())]
        action = "" if node.action in (None, Action.NONE) else node.action.value
        rows.append((node.title, ", ".join(node.details) or node.kind, ", ".join(parts) or "nothing", action))
    return Numbers(("Resource", "What it is", "Needs", "Planned"), tuple(rows))

"""The graph of a manifest as text, Mermaid and DOT.

Names are other people's texts: in Mermaid and DOT everything in them that could be syntax is written as a number, so
that a name changes nothing but itself. Sources: the grammar of Mermaid's flowcharts (entity codes `#34;`), Graphviz's
"The DOT Language" (a quoted string has no escape but `\\"`; labels know `\\N`, `\\l` and HTML entities).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from scenario_apply.planning.changes import Action
from scenario_apply.planning.resource_graph import GraphEdge, GraphNode, NodeKind, ResourceGraph
from scenario_apply.review.screen import Screen, columns, counted, fit, safe

Item = TypeVar("Item")

MERMAID_MOST_EDGES = 500
MERMAID_MOST_CHARACTERS = 50_000
"""What Mermaid draws unless the page that holds it allows more; GitHub does not. Source: maxEdges, maxTextSize."""

_COLORS: Mapping[Action, str] = {
    Action.CREATE: "#2da44e",
    Action.UPDATE: "#0969da",
    Action.RETRAIN: "#bf8700",
    Action.REPLACE: "#bf8700",
    Action.DELETE: "#cf222e",
    Action.WAIT: "#8250df",
    Action.MOVE: "#0969da",
    Action.IMPORT: "#0969da",
    Action.FORGET: "#6e7781",
}
"""Of the border, readable on light and dark. The label says the same in words."""


# -- text


def graph_text(graph: ResourceGraph, screen: Screen) -> str:
    """A tree for each dataset and each model made elsewhere; a composition stands below each of its parts."""
    if not graph.nodes:
        return _left_out(graph) or "Nothing is declared.\n"
    nodes = {node.key: node for node in graph.nodes}
    below: dict[str, list[GraphEdge]] = {}
    for edge in graph.edges:
        below.setdefault(edge.source, []).append(edge)
    targets = {edge.target for edge in graph.edges}
    lines: list[str] = []
    for node in graph.nodes:
        if node.key not in targets:
            lines.append(_line("", node, "", screen))
            lines += _branches(below.get(node.key, ()), nodes, below, "", screen)
    return "\n".join(lines) + f"\n\n{_counts(graph)}\n" + _left_out(graph)


def _branches(
    edges: Sequence[GraphEdge],
    nodes: Mapping[str, GraphNode],
    below: Mapping[str, Sequence[GraphEdge]],
    indent: str,
    screen: Screen,
) -> list[str]:
    """What is below a node: at most models, then their compositions, with a line for each matrix."""
    entries = _grouped(edges, lambda edge: nodes[edge.target].group)
    lines: list[str] = []
    for number, (group, members) in enumerate(entries, 1):
        stem, rest = _stems(indent, is_last=number == len(entries))
        if group is not None:
            lines.append(f"{stem}{safe(group)}  matrix of {len(members)}")
        for inner, edge in enumerate(members, 1):
            own = (stem, rest) if group is None else _stems(rest, is_last=inner == len(members))
            lines.append(_line(own[0], nodes[edge.target], edge.label, screen))
            lines += _branches(below.get(edge.target, ()), nodes, below, own[1], screen)
    return lines


def _stems(indent: str, *, is_last: bool) -> tuple[str, str]:
    """In front of an entry, and in front of what is below it."""
    return (f"{indent}└─ ", f"{indent}   ") if is_last else (f"{indent}├─ ", f"{indent}│  ")


def _line(stem: str, node: GraphNode, how: str, screen: Screen) -> str:
    title = f"{stem}{safe(node.title)}"
    details = ", ".join((*(safe(text) for text in node.details), *([safe(how)] if how else [])))
    if node.action not in (None, Action.NONE):
        details += f"  {node.action.sign} {node.action.value}"
    if not details:
        return title
    room = screen.width - columns(title) - 2
    if screen.terminal and not screen.verbose and room >= 12:
        details = fit(details, room)
    return f"{title}  {details}"


def _counts(graph: ResourceGraph) -> str:
    kinds: dict[NodeKind, int] = {}
    for node in graph.nodes:
        kinds[node.kind] = kinds.get(node.kind, 0) + 1
    words: tuple[tuple[NodeKind, str, str], ...] = (
        ("dataset", "dataset", "datasets"),
        ("model", "model", "models"),
        ("composition", "composition", "compositions"),
        ("external", "model made elsewhere", "models made elsewhere"),
    )
    return ", ".join(counted(kinds[kind], one, many) for kind, one, many in words if kind in kinds) + "."


def _left_out(graph: ResourceGraph) -> str:
    return f"{counted(graph.not_selected, 'resource')} not selected.\n" if graph.not_selected else ""


# -- Mermaid

_SHAPES: Mapping[NodeKind, tuple[str, str]] = {
    "dataset": ('[("', '")]'),
    "model": ('["', '"]'),
    "composition": ('(["', '"])'),
    "external": ('{{"', '"}}'),
}
_PLAIN_WORD = re.compile(r"(?i)(?!www)[a-z][a-z0-9]*([./,+-][a-z0-9]+)*")
"""Addresses and types: no Markdown, no link."""
_DECIMAL = re.compile(r"\d\.\d")
_DECODED_FIRST = re.compile(r"\$(?=\$)|\\(?=n)|:(?=[A-Za-z])|ﬂ")
"""What Mermaid acts upon after it has read the numbers: formulas, line ends, icons, its own codes. Each is parted by a
word joiner, which takes no room."""
_DIRECTION = re.compile("(?i)(direction) ")
"""Mermaid takes the whole line for a statement where these two words follow each other, even inside a label."""


def graph_mermaid(graph: ResourceGraph) -> str:
    """A flowchart, for a ```mermaid block of GitHub or GitLab."""
    lines = ["flowchart LR"]
    for group, nodes in _grouped(graph.nodes, _group):
        indent = "  "
        if group is not None:
            lines.append(f'  subgraph {_mermaid_id(f"matrix.{group}")}["{_mermaid_text(group)}"]')
            indent = "    "
        for node in nodes:
            start, end = _SHAPES[node.kind]
            label = "<br/>".join(_mermaid_text(text) for text in _label(node))
            lines.append(f"{indent}{_mermaid_id(node.key)}{start}{label}{end}")
        if group is not None:
            lines.append("  end")
    for edge in graph.edges:
        label = f'|"{_mermaid_text(edge.label)}"| ' if edge.label else " "
        lines.append(f"  {_mermaid_id(edge.source)} -->{label}{_mermaid_id(edge.target)}")
    for action, members in _by_action(graph.nodes):
        lines.append(f"  classDef plan_{action.value} stroke:{_COLORS[action]},stroke-width:3px")
        lines.append(f"  class {','.join(_mermaid_id(node.key) for node in members)} plan_{action.value}")
    return "\n".join(lines) + "\n"


def github_notice(mermaid: str, edges: int) -> str | None:
    """Why GitHub would not draw it, as a sentence; None where it does."""
    if edges <= MERMAID_MOST_EDGES and len(mermaid) <= MERMAID_MOST_CHARACTERS:
        return None
    return (
        f"GitHub draws at most {MERMAID_MOST_EDGES} arrows and {MERMAID_MOST_CHARACTERS:,} characters; "
        f"this diagram has {edges} and {len(mermaid):,}. --select draws a part, --format dot all of it."
    )


def _mermaid_id(key: str) -> str:
    """Letters, digits and `_2e_` for what else a key holds: two keys never give one id."""
    return "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in key)


def _mermaid_text(text: str) -> str:
    """Letters, digits, marks and spaces as they are, and what between them is neither syntax nor Markdown."""
    line = safe(text)
    if _PLAIN_WORD.fullmatch(line):
        return line
    line = _DECODED_FIRST.sub("\\g<0>\u2060", line)
    kept = " -,/()" if line[:1].isalpha() else " "
    plain = "".join(
        character
        if character in kept or _is_letter(character) or (character == "." and _DECIMAL.match(line, at - 1))
        else f"#{ord(character)};"
        for at, character in enumerate(line)
    )
    return _DIRECTION.sub(r"\1#32;", plain)


def _is_letter(character: str) -> bool:
    """Also digits and marks."""
    return character.isalnum() or unicodedata.category(character) in ("Mn", "Mc")


# -- DOT

_DOT_SHAPES: Mapping[NodeKind, str] = {
    "dataset": "shape=cylinder",
    "model": "shape=box",
    "composition": 'shape=box, style="rounded"',
    "external": 'shape=box, style="dashed"',
}


def graph_dot(graph: ResourceGraph) -> str:
    """A digraph for Graphviz: `dot -Tsvg`."""
    lines = [
        "digraph scenario {",
        "  rankdir=LR;",
        '  node [fontname="sans-serif"];',
        '  edge [fontname="sans-serif"];',
    ]
    for group, nodes in _grouped(graph.nodes, _group):
        indent = "  "
        if group is not None:
            lines += [f"  subgraph {_quoted(f'cluster {group}')} {{", f"    label={_quoted_label([group])};"]
            indent = "    "
        lines += [f"{indent}{_quoted(node.key)} [{_dot_attributes(node)}];" for node in nodes]
        if group is not None:
            lines.append("  }")
    for edge in graph.edges:
        label = f" [label={_quoted_label([edge.label])}]" if edge.label else ""
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_attributes(node: GraphNode) -> str:
    parts = [f"label={_quoted_label(_label(node))}", _DOT_SHAPES[node.kind]]
    if node.action is not None and node.action in _COLORS:
        parts.append(f'color="{_COLORS[node.action]}", penwidth=3')
    return ", ".join(parts)


def _quoted(key: str) -> str:
    return '"' + safe(key).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted_label(lines: Iterable[str]) -> str:
    escaped = (safe(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'


# -- what Mermaid and DOT share


def _label(node: GraphNode) -> list[str]:
    action = [] if node.action in (None, Action.NONE) else [f"{node.action.sign} {node.action.value}"]
    return [node.title, *node.details, *action]


def _grouped(items: Iterable[Item], group_of: Callable[[Item], str | None]) -> list[tuple[str | None, list[Item]]]:
    """The children of one matrix together, where the first of them is; every other item alone."""
    entries: list[tuple[str | None, list[Item]]] = []
    places: dict[str, list[Item]] = {}
    for item in items:
        group = group_of(item)
        if group in places:
            places[group].append(item)
            continue
        entries.append((group, [item]))
        if group is not None:
            places[group] = entries[-1][1]
    return entries


def _group(node: GraphNode) -> str | None:
    return node.group


def _by_action(nodes: Iterable[GraphNode]) -> list[tuple[Action, list[GraphNode]]]:
    found = {action: [node for node in nodes if node.action is action] for action in _COLORS}
    return [(action, members) for action, members in found.items() if members]

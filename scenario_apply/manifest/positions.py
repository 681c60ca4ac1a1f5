"""Maps and lists of a manifest that keep the position of every key and value.

They are a dict and a list, so the schema check and the merge see plain data. A mark is what the YAML parser gives with
each event; it becomes a Location only when a diagnostic needs one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from scenario_apply.model.secret import MASK, Secret


class Mark(Protocol):
    """Where an event begins. name: the file as the user would name it; line and column count from 0."""

    @property
    def name(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class SourceMark(Struct, frozen=True):
    """A mark that does not come from the parser."""

    name: str
    line: int
    column: int


class Map(dict[str, "Node"]):
    """marks: key -> (where the key begins, where its value begins). start: where the map itself begins."""

    __slots__ = ("marks", "start")

    def __init__(self, start: Mark) -> None:
        super().__init__()
        self.start = start
        self.marks: dict[str, tuple[Mark, Mark]] = {}

    def put(self, key: str, value: Node, marks: tuple[Mark, Mark]) -> None:
        self[key] = value
        self.marks[key] = marks

    def copied(self) -> Map:
        """A shallow copy, marks and all."""
        twin = Map(self.start)
        twin.update(self)
        twin.marks.update(self.marks)
        return twin

    def key_mark(self, key: str) -> Mark:
        return self.marks[key][0]

    def value_mark(self, key: str) -> Mark:
        return self.marks[key][1]


class Seq(list["Node"]):
    """marks: where each item begins, in order."""

    __slots__ = ("marks", "start")

    def __init__(self, start: Mark) -> None:
        super().__init__()
        self.start = start
        self.marks: list[Mark] = []

    def add(self, value: Node, mark: Mark) -> None:
        self.append(value)
        self.marks.append(mark)


Node = None | bool | int | float | str | Secret | Map | Seq


def marks_in(node: Node, mark: Mark) -> Iterator[Mark]:
    """Where the node and every value in it begin. mark: where the node does."""
    yield mark
    if isinstance(node, Map):
        for key, value in node.items():
            yield from marks_in(value, node.value_mark(key))
    elif isinstance(node, Seq):
        for value, where in zip(node, node.marks, strict=True):
            yield from marks_in(value, where)


def masked_nodes(node: Node) -> Node:
    """The same tree with MASK in place of every Secret, for code that accepts plain values only. Marks are kept."""
    if isinstance(node, Secret):
        return MASK
    if isinstance(node, Map):
        changed = {key: new for key, value in node.items() if (new := masked_nodes(value)) is not value}
        if not changed:
            return node
        twin = node.copied()
        twin.update(changed)
        return twin
    if isinstance(node, Seq):
        items = [masked_nodes(item) for item in node]
        if all(new is old for new, old in zip(items, node, strict=True)):
            return node
        copy = Seq(node.start)
        copy.extend(items)
        copy.marks.extend(node.marks)
        return copy
    return node


def values_in(value: object, most: int) -> int:
    """Counts the values in a value, itself included, and stops soon after most. A value that is contained twice
    counts twice, even when it is the same object."""
    count = 0
    waiting: list[object] = [value]
    while waiting and count <= most:
        inner = waiting.pop()
        count += 1
        if isinstance(inner, dict):
            waiting.extend(inner.values())
        elif isinstance(inner, list | tuple):
            waiting.extend(inner)
    return count


def kind_of(value: object) -> str:
    """The kind of a value in words: a map, a list, text, a number, true or false, null."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str() | Secret():
            return "text"
        case list():
            return "a list"
        case _:
            return "a map"

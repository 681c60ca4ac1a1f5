"""Fields of a map by the kind they should have. Values of another kind are left out: the schema check reports them."""

from __future__ import annotations

from scenario_apply.manifest.positions import Map, Mark, Node, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.model.ids import ID_IN_WORDS, is_id


def text(fields: Map, key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None


def service_id(fields: Map, key: str, report: Report) -> str | None:
    """An id of the service; None, after an error at its position, for a text that cannot be one."""
    value = text(fields, key)
    if value is None or is_id(value):
        return value
    mark = fields.value_mark(key)
    if not report.is_wrong(mark):
        report.error("id", f"{key} {value[:140]!r} is not a valid id", mark, f"an id is {ID_IN_WORDS}")
    return None


def flag(fields: Map, key: str, default: bool) -> bool:
    value = fields.get(key)
    return value if isinstance(value, bool) else default


def texts(fields: Map, key: str) -> tuple[str, ...]:
    """A text alone is a list of one."""
    value = fields.get(key)
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, Seq) else ()


def number(fields: Map, key: str) -> float | None:
    value = fields.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(fields: Map, key: str) -> int | None:
    value = number(fields, key)
    return int(value) if value is not None and value == int(value) else None


def child(fields: Map, key: str) -> Map | None:
    value = fields.get(key)
    return value if isinstance(value, Map) else None


def maps(fields: Map, key: str) -> list[tuple[Map, Mark]]:
    """The maps of a list, each with its mark."""
    value = fields.get(key)
    if not isinstance(value, Seq):
        return []
    return [(item, mark) for item, mark in zip(value, value.marks, strict=True) if isinstance(item, Map)]


def is_extension(key: str) -> bool:
    """Keys that start with x- belong to the user: anchors, notes."""
    return key.startswith("x-")


def plain(node: Node) -> Node:
    """The value as plain dicts and lists, without x- keys, as it leaves the loader."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items() if not is_extension(key)}  # type: ignore[return-value]  # a plain dict is the point
    if isinstance(node, list):
        return [plain(value) for value in node]  # type: ignore[return-value]  # a plain list is the point
    return node

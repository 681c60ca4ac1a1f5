"""Adds entries to the text of a manifest: lines are inserted, none is changed, and comments stay. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

_INDENT = "  "


class CannotAppend(ValueError):
    """The text is written in a way that entries cannot be added to without changing a line. The text says why."""


def with_entries(text: str, entries: Mapping[str, str]) -> str:
    """The text with more entries in its top-level blocks, which are made where they are missing.

    entries: block -> its new entries as YAML without indentation, each line terminated. The text must be a manifest
    that was loaded. Raises CannotAppend.
    """
    import yaml

    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CannotAppend("it is not one document of YAML") from error
    if root is not None and (not isinstance(root, yaml.MappingNode) or root.flow_style):
        raise CannotAppend("it is not written as a block of keys")
    lines = text.splitlines(keepends=True)
    blocks = [] if root is None else [(key.value, key, value) for key, value in root.value]
    inserts: list[tuple[int, str]] = []
    tail = ""
    for name, more in entries.items():
        found = next((index for index, block in enumerate(blocks) if block[0] == name), None)
        if found is None:
            tail += f"{name}:\n{_indented(more, _INDENT)}"
            continue
        _, key, value = blocks[found]
        end = blocks[found + 1][1].start_mark.line if found + 1 < len(blocks) else len(lines)
        column = _column(name, key, value)
        at = _after_entries(lines, key.start_mark.line, end, column)
        inserts.append((at, _indented(more, " " * column)))
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline
    for at, piece in sorted(inserts, reverse=True):
        lines[at:at] = [piece.replace("\n", newline)]
    longer = "".join(lines) + tail.replace("\n", newline)
    _check(text, longer, entries)
    return longer


def _column(name: str, key: yaml.Node, value: yaml.Node) -> int:
    """The column of the entries of a block."""
    import yaml

    if isinstance(value, yaml.ScalarNode) and value.value in ("", "~", "null") and not value.style:
        if value.value:
            raise CannotAppend(f"{name}: is written as {value.value}")
        return len(_INDENT)
    if not isinstance(value, yaml.MappingNode | yaml.SequenceNode) or value.flow_style or not value.value:
        raise CannotAppend(f"{name}: is written on one line")
    if value.start_mark.line < key.start_mark.line:
        raise CannotAppend(f"{name}: is an alias of another block")
    if isinstance(value, yaml.MappingNode):
        column: int = value.value[0][0].start_mark.column
        return column
    return int(value.start_mark.column)


def _after_entries(lines: list[str], start: int, end: int, column: int) -> int:
    """The line behind the last entry of a block: blanks and comments that stand further left follow the block."""
    at = end
    while at - 1 > start:
        line = lines[at - 1]
        bare = line.strip(" \t\r\n\ufeff")
        is_left = len(line) - len(line.lstrip(" \t")) < max(column, 1)
        if bare and not (bare.startswith("#") and is_left) and bare != "...":
            break
        at -= 1
    return at


def _indented(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _check(before: str, after: str, entries: Mapping[str, str]) -> None:
    """Raises CannotAppend unless the result says what the text said, and the entries besides."""
    old, new = _plain(before), _plain(after)
    added = {name: _plain(f"{name}:\n{_indented(more, _INDENT)}").get(name) for name, more in entries.items()}
    for name in {*old, *new}:
        was, more, now = old.get(name), added.get(name), new.get(name)
        if name not in added:
            is_right = name in old and was == now
        elif isinstance(more, dict):
            held = was if isinstance(was, dict) else {}
            is_right = not held.keys() & more.keys() and now == {**held, **more}
        else:
            is_right = isinstance(more, list) and now == [*(was if isinstance(was, list) else []), *more]
        if not is_right:
            raise CannotAppend(f"{name}: cannot be extended without changing it")


def _plain(text: str) -> dict[str, object]:
    """The content with every scalar as text."""
    import yaml

    try:
        value = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # makes texts, lists and dicts, nothing else
    except yaml.YAMLError as error:
        raise CannotAppend("the result would not be one document of YAML") from error
    return value if isinstance(value, dict) else {}

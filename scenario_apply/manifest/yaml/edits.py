"""Changes values of YAML text and leaves every other byte as it is: comments, order, quotes, line ends.

A value is found by its keys. What cannot be changed by itself is not changed: CannotEdit says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from scenario_apply.manifest.spec import Json
from scenario_apply.manifest.yaml.own_maps import (
    CannotEdit,
    composed,
    double_quoted,
    end_of_value,
    entry_of,
    is_alias,
    new_line,
    quoted,
    section_of,
    shared_entry,
    use_of_anchor,
    without_sharing,
)

_PLAIN = re.compile(r"[^\W\d_][\w .()/+-]*(?<! )")
TEMPLATE_SIGNS = ("{{", "{%", "{#")
_WORDS_OF_YAML = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


class YamlEdit(NamedTuple):
    """A value to be set. keys: from the top of the file; they exist but for the last, where it may be new.

    removed: the key goes, with its value.
    """

    keys: tuple[str, ...]
    value: Json
    may_be_new: bool = True
    removed: bool = False


class NotThere(CannotEdit):
    """A key, or the map that is to hold it, that the entry gets from elsewhere, such as `defaults`."""

    def __init__(self) -> None:
        super().__init__("it is not written there itself")


class _Change(NamedTuple):
    start: int
    end: int
    text: str


def with_values(text: str, edits: Sequence[YamlEdit]) -> str:
    """The text with these values. Raises CannotEdit for the first that cannot be set alone.

    text: of a file that the manifest's reader accepts: its depth and aliases are bounded there.
    """
    set_there: dict[tuple[str, ...], dict[str, str]] = {}
    for edit in edits:
        written = {} if edit.removed else {edit.keys[-1]: one_line(edit.value, is_flow=True)}
        set_there.setdefault(edit.keys[:-1], {}).update(written)
    text = without_sharing(text, set_there)
    root = composed(text)
    changes = [change for edit in edits for change in _changes_of(text, root, edit)]
    for change in sorted(changes, key=lambda one: (one.start, one.end), reverse=True):
        space = " " if text[change.start - 1 : change.start] == ":" and change.text else ""  # a key without a value
        text = f"{text[: change.start]}{space}{change.text}{text[change.end :]}"
    return text


def _changes_of(text: str, root: Any, edit: YamlEdit) -> list[_Change]:
    if any(sign in str(edit.value) for sign in TEMPLATE_SIGNS):
        raise CannotEdit("it would be read as a template")
    block, key = _block(root, edit.keys[:-1]), edit.keys[-1]
    entry = entry_of(block, key)
    if not edit.may_be_new and entry is None and shared_entry(block, key) is None:
        raise NotThere
    try:
        return [_removed(text, block, key)] if edit.removed else _changes(text, block, key, edit.value)
    except CannotEdit as error:
        if entry is not None and error.line is None:
            error.line = entry[0].start_mark.line + 1
        raise


def _block(root: Any, keys: tuple[str, ...]) -> Any:
    found = section_of(root, keys)
    node = root if not keys else found and found[2]
    for key in keys[2:]:
        pair = entry_of(node, key)
        node = pair and pair[1]
    if node is None:
        raise NotThere
    if node.id != "mapping" or not node.value:
        raise CannotEdit("it is not written as a map")
    return node


def _changes(text: str, block: Any, key: str, value: Json) -> list[_Change]:
    entry = entry_of(block, key)
    is_flow = bool(block.flow_style)
    if entry is None:
        at, before, after = new_line(text, block)
        return [_Change(at, at, f"{before}{quoted(key)}: {one_line(value, is_flow=is_flow)}{after}")]
    key_node, node = entry
    if is_alias(key_node, node):
        at = text.index("*", key_node.end_mark.index)
        return [_Change(at, end_of_value(text, key_node, node), one_line(value, is_flow=is_flow))]
    start, end = _without_anchor(text, key_node, node), node.end_mark.index
    if isinstance(value, dict):
        return _map_changes(text, node, value)
    if isinstance(value, list):
        return _list_changes(text, key_node, node, [str(item) for item in value])
    if node.id != "scalar":
        raise CannotEdit("it is not written as one value")
    if "{{" in node.value or "{%" in node.value:
        raise CannotEdit("it is a template")
    segment = text[start:end]
    kept = segment[len(segment.rstrip()) :]  # the line end after a block scalar
    return [_Change(start, end, _scalar(value, node.style, is_flow=is_flow) + kept)]


def _without_anchor(text: str, key: Any, node: Any) -> int:
    """Where a value begins, after an anchor. Raises CannotEdit for an anchor that is used, and for a tag."""
    start = int(node.start_mark.index)
    before = text[key.end_mark.index : start].partition(":")[2]
    if text[start : start + 1] in ("&", "!"):
        found = re.match(r"(&\S+)\s*", text[start:])
        before, start = (found[1], start + found.end()) if found else ("!", start)
    for word in before.split():
        if word.startswith("&") and (use := use_of_anchor(text, word[1:], after=start)):
            raise CannotEdit(f"its anchor {word} is used by another entry", use)
    if "!" in before or text[start : start + 1] == "!":
        raise CannotEdit("it has a tag")
    return start


def _removed(text: str, block: Any, key: str) -> _Change:
    """A key with its value, which leaves others in its block."""
    entry, shared = entry_of(block, key), shared_entry(block, key)
    if shared is not None:
        raise CannotEdit(f"{key} comes from another entry by a merge key (<<)", shared[0].start_mark.line + 1)
    if entry is None:
        raise NotThere
    if len(block.value) < 2:
        raise CannotEdit("nothing else is in its block")
    start, end = entry[0].start_mark.index, end_of_value(text, *entry)
    if block.flow_style:
        after = re.match(r"\s*,[ \t]*", text[end:])
        before = re.search(r",\s*\Z", text[:start])
        if _has_comment(text, start, end, entry) or (after is None and before is None):
            raise CannotEdit("it has comments inside")
        return _Change(start, end + after.end(), "") if after else _Change(before.start() if before else start, end, "")
    line = text.rfind("\n", 0, start) + 1
    until = text.find("\n", end)
    until = len(text) if until < 0 else until + 1
    if text[line:start].strip() or not re.fullmatch(r"\s*(#.*)?\s*", text[end:until]):
        raise CannotEdit("it is not on lines of its own")
    return _Change(line, until, "")


def _has_comment(text: str, start: int, end: int, nodes: Iterable[Any]) -> bool:
    """Whether there is a comment in a part of the text; a # within a value is none. nodes: all that the part has."""
    between = text[start:end]
    for node in _scalars(nodes):
        first, last = node.start_mark.index - start, node.end_mark.index - start
        if first >= 0:  # an alias stands for a node that is above
            between = f"{between[:first]}{' ' * (last - first)}{between[last:]}"
    return "#" in between


def _scalars(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        if node.id == "scalar":
            yield node
        else:
            yield from _scalars(chain.from_iterable(node.value) if node.id == "mapping" else node.value)


def _map_changes(text: str, node: Any, value: dict[str, Json]) -> list[_Change]:
    """A map in place of one: written on one line where it was, else key by key."""
    start, end = node.start_mark.index, node.end_mark.index
    if node.id != "mapping":
        raise CannotEdit("it is not written as a map")
    if node.flow_style:
        if _has_comment(text, start, end, [node]):
            raise CannotEdit("it has comments inside")
        return [_Change(start, end, one_line(value, is_flow=True))]
    old = [key.value for key, _ in node.value]
    if not set(old) & set(value):
        raise CannotEdit("it is another map")
    changes = [change for key, item in value.items() for change in _changes(text, node, key, item)]
    return changes + [_removed(text, node, key) for key in old if key not in value and not key.startswith("x-")]


def one_line(value: Json, *, is_flow: bool) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(key)}: {one_line(item, is_flow=True)}" for key, item in value.items()) + " }"
    return _flow(value) if isinstance(value, list) else _scalar(value, None, is_flow=is_flow)


def _list_changes(text: str, key_node: Any, node: Any, items: list[str]) -> list[_Change]:
    start, end = node.start_mark.index, node.end_mark.index
    if node.id == "scalar":
        if "{{" in node.value:
            raise CannotEdit("it is a template")
        return [_Change(start, end, _flow(items))]
    if node.id != "sequence" or any(item.id != "scalar" or "{{" in item.value for item in node.value):
        raise CannotEdit("it is not a list of texts")
    if node.flow_style:
        if _has_comment(text, start, end, [node]):
            raise CannotEdit("it has comments inside")
        return [_Change(start, end, _flow(items))]
    if not items:
        raise CannotEdit("its last entry would go")
    return _line_changes(text, node, items)


def _line_changes(text: str, node: Any, items: list[str]) -> list[_Change]:
    """Of a list with an entry on each line: those that go, and new ones after the last."""
    changes = []
    for item in node.value:
        start, end = _line_of(text, item)
        if item.value not in items:
            changes.append(_Change(start, end, ""))
    new = [item for item in items if item not in {one.value for one in node.value}]
    if new:
        start, end = _line_of(text, node.value[-1])
        dash = text[start : node.value[-1].start_mark.index]
        break_ = "\r\n" if text[:end].endswith("\r\n") else "\n"
        before = "" if text[:end].endswith("\n") else break_
        changes.append(_Change(end, end, before + break_.join(dash + _scalar(i, None, is_flow=False) for i in new)))
        if not before:
            changes[-1] = changes[-1]._replace(text=changes[-1].text + break_)
    return changes


def _line_of(text: str, item: Any) -> tuple[int, int]:
    start = text.rfind("\n", 0, item.start_mark.index) + 1
    if text[start : item.start_mark.index].strip() != "-" or item.start_mark.line != item.end_mark.line:
        raise CannotEdit("its entries are not on lines of their own")
    end = text.find("\n", item.end_mark.index)
    return start, len(text) if end < 0 else end + 1


def _flow(items: Sequence[object]) -> str:
    return "[" + ", ".join(_scalar(str(item), None, is_flow=True) for item in items) + "]"


def _scalar(value: Json, style: str | None, *, is_flow: bool) -> str:
    """A value on one line, in the quotes that were there where these can hold it."""
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = _PLAIN.fullmatch(value) is not None and value.lower() not in _WORDS_OF_YAML
    if is_plain and style not in ('"', "'"):
        return value
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return double_quoted(value)

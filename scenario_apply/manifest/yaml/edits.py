"""Changes values of YAML text and leaves every other byte as it is: comments, order, quotes, line ends.

A value is found by its keys. What cannot be changed by itself is not changed: CannotEdit says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from scenario_apply.manifest.spec import Json

_PLAIN = re.compile(r"[^\W\d_][\w .()/+-]*(?<! )")
TEMPLATE_SIGNS = ("{{", "{%", "{#")
_WORDS_OF_YAML = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


class CannotEdit(Exception):
    """A value that is not written as a literal of its own; the text continues "it ...": "it is a template"."""


class YamlEdit(NamedTuple):
    """A value to be set. keys: from the top of the file; they exist but for the last, where it may be new.

    removed: the key goes, with its value.
    """

    keys: tuple[str, ...]
    value: Json
    may_be_new: bool = True
    removed: bool = False


class _Change(NamedTuple):
    start: int
    end: int
    text: str


def with_values(text: str, edits: Sequence[YamlEdit]) -> str:
    """The text with these values. Raises CannotEdit for the first that cannot be set alone.

    text: of a file that the manifest's reader accepts: its depth and aliases are bounded there.
    """
    import yaml

    root: Any = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    changes: list[_Change] = []
    for edit in edits:
        if any(sign in str(edit.value) for sign in TEMPLATE_SIGNS):
            raise CannotEdit("it would be read as a template")
        block = _block(root, edit.keys[:-1])
        if not edit.may_be_new and _entry(block, edit.keys[-1]) is None:
            raise CannotEdit("it is not written there itself")
        if edit.removed:
            changes.append(_removed(text, block, edit.keys[-1]))
        else:
            changes += _changes(text, block, edit.keys[-1], edit.value)
    for change in sorted(changes, key=lambda one: (one.start, one.end), reverse=True):
        text = text[: change.start] + change.text + text[change.end :]
    return text


def _block(node: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        found = _entry(node, key)
        if found is None:
            raise CannotEdit("it is not written there itself")
        node = found[1]
    if node.id != "mapping" or not node.value:
        raise CannotEdit("it is not written as a map")
    return node


def _entry(node: Any, key: str) -> tuple[Any, Any] | None:
    if node is None or node.id != "mapping":
        return None
    return next((pair for pair in node.value if pair[0].id == "scalar" and pair[0].value == key), None)


def _changes(text: str, block: Any, key: str, value: Json) -> list[_Change]:
    entry = _entry(block, key)
    if entry is None:
        return [_inserted(text, block, key, value)]
    key_node, node = entry
    if not text[key_node.end_mark.index : node.start_mark.index].lstrip().startswith(":"):
        raise CannotEdit("it is an alias")  # whose node is at its anchor
    start, end = node.start_mark.index, node.end_mark.index
    if text[start : start + 1] in ("&", "!") or _is_property(text[key_node.end_mark.index : start]):
        raise CannotEdit("it has an anchor or a tag")
    is_flow = bool(block.flow_style)
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


def _is_property(between: str) -> bool:
    return any(word.startswith(("&", "!")) for word in between.split()[1:])


def _inserted(text: str, block: Any, key: str, value: Json) -> _Change:
    """Before the first key that has a map or list, else after the last: names stay in front."""
    first = next((k for k, v in block.value if v.id != "scalar"), None)
    at = (first or block.value[0][0]).start_mark.index
    written = one_line(value, is_flow=bool(block.flow_style))
    if block.flow_style:
        return _Change(at, at, f"{key}: {written}, ")
    line = text.rfind("\n", 0, at) + 1
    indent = text[line:at]
    if indent.strip():
        raise CannotEdit("its block begins on the line of another")
    end = "\r\n" if text[:at].endswith("\r\n" + indent) else "\n"
    last_key, last = block.value[-1]
    if first is None and last_key.start_mark.line == last.start_mark.line == last.end_mark.line:
        after = text.find("\n", last.end_mark.index)
        if after < 0:
            return _Change(len(text), len(text), f"{end}{indent}{key}: {written}")
        line = after + 1
    else:
        line = _above_comments(text, line, indent)
    return _Change(line, line, f"{indent}{key}: {written}{end}")


def _above_comments(text: str, line: int, indent: str) -> int:
    """Where the comments begin that stand right above a line and are about it; those at the top are of the file."""
    while indent and line:
        before = text.rfind("\n", 0, line - 1) + 1
        if not text.startswith(f"{indent}#", before):
            break
        line = before
    return line


def _removed(text: str, block: Any, key: str) -> _Change:
    """A key with its value, which leaves others in its block."""
    entry = _entry(block, key)
    if entry is None:
        raise CannotEdit("it is not written there itself")
    if len(block.value) < 2:
        raise CannotEdit("nothing else is in its block")
    start, end = entry[0].start_mark.index, _end_of(entry[1])
    if block.flow_style:
        after = re.match(r"\s*,[ \t]*", text[end:])
        before = re.search(r",\s*\Z", text[:start])
        if "#" in text[start:end] or (after is None and before is None):
            raise CannotEdit("it has comments inside")
        return _Change(start, end + after.end(), "") if after else _Change(before.start() if before else start, end, "")
    line = text.rfind("\n", 0, start) + 1
    until = text.find("\n", end)
    until = len(text) if until < 0 else until + 1
    if text[line:start].strip() or not re.fullmatch(r"\s*(#.*)?\s*", text[end:until]):
        raise CannotEdit("it is not on lines of its own")
    return _Change(line, until, "")


def _end_of(node: Any) -> int:
    """Where a value ends; a block ends with its last value, not at the next key."""
    if node.id == "scalar" or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end_of(last[1] if isinstance(last, tuple) else last)


def _map_changes(text: str, node: Any, value: dict[str, Json]) -> list[_Change]:
    """A map in place of one: written on one line where it was, else key by key."""
    start, end = node.start_mark.index, node.end_mark.index
    if node.id != "mapping":
        raise CannotEdit("it is not written as a map")
    if node.flow_style:
        if "#" in text[start:end]:
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
        return "{ " + ", ".join(f"{key}: {one_line(item, is_flow=True)}" for key, item in value.items()) + " }"
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
        if "#" in text[start:end]:
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
    return _ESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(value, ensure_ascii=False))

"""Maps that an entry shares with others, by an alias or a merge key: what they are, and how it gets one of its own.

`parameters: *p` becomes `parameters: { <<: *p }`, and what `<<: *base` brings in is written out below its key, so that
a value can be set for that entry alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_ALIAS = re.compile(r"\s*:\s+(\*([^\s,\[\]{}]+))")
_ANCHOR = re.compile(r"\s*:\s+(?:![^\s]*\s+)?&([^\s,\[\]{}]+)")
_PLAIN = re.compile(r"(?!-(?: |$))[\w.+-][\w .()/+-]*(?<! )")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_MOST_WRITTEN_OUT = 200
_NOTHING: Mapping[str, str] = {}
_SECTIONS = 2
"""How many keys from the top may be shared: `models: *all`, or `kael:` within `models: { <<: *all }`."""


class CannotEdit(Exception):
    """A value that is not written as a literal of its own; the text continues "it ...": "it is a template".

    line: from 1, where the reason is; None where that is the entry. file: of that line, where it is known.
    """

    def __init__(self, why: str, line: int | None = None, file: str = "") -> None:
        super().__init__(why)
        self.line = line
        self.file = file


def composed(text: str) -> Any:
    """The node of the whole text, which the manifest's reader accepts: its depth and aliases are bounded there."""
    import yaml

    return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def entry_of(node: Any, key: str) -> tuple[Any, Any] | None:
    """The key and its value in that map itself."""
    if node is None or node.id != "mapping":
        return None
    return next((pair for pair in node.value if pair[0].id == "scalar" and pair[0].value == key), None)


def shared_entry(node: Any, key: str) -> tuple[Any, Any] | None:
    """The key and its value in a map that merge keys of this one bring in: the first that has it counts."""
    return next((found for source in _sources(node) for found in [_any_entry(source, key)] if found), None)


def _any_entry(node: Any, key: str) -> tuple[Any, Any] | None:
    return entry_of(node, key) or shared_entry(node, key)


def _sources(node: Any) -> Iterator[Any]:
    for key, value in node.value if node is not None and node.id == "mapping" else ():
        if is_merge(key):
            yield from value.value if value.id == "sequence" else [value]


def is_merge(key: Any) -> bool:
    return key.id == "scalar" and key.value == "<<" and not key.style


def is_alias(key: Any, node: Any) -> bool:
    """The node of an alias is that of its anchor, which is above."""
    return bool(node.start_mark.index < key.start_mark.index)


def end_of_value(text: str, key: Any, node: Any) -> int:
    """Where a value ends; a block ends with its last value, not at the next key."""
    if is_alias(key, node):
        found = _ALIAS.match(text, key.end_mark.index)
        if found is None:
            raise CannotEdit("it is an alias", key.start_mark.line + 1)
        return found.end()
    if node.id == "scalar" or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    if isinstance(last, tuple):
        return end_of_value(text, *last)
    return end_of_value(text, node, last) if last.start_mark.index >= node.start_mark.index else node.end_mark.index


def section_of(root: Any, keys: Sequence[str]) -> tuple[Any, Any, Any] | None:
    """The map that holds the entry of a resource, its key and its value; None where there is none."""
    block, pair = root, None
    for key in keys[:_SECTIONS]:
        block = root if pair is None else pair[1]
        pair = _any_entry(block, key)
        if pair is None:
            return None
    return None if pair is None else (block, *pair)


def without_sharing(text: str, paths: Mapping[tuple[str, ...], Mapping[str, str]]) -> str:
    """The text, in which the maps at these paths are of their entry alone. Raises CannotEdit.

    paths: for each, what is set there, as it is written within braces: so much is not taken over from the others.
    """
    root = composed(text)
    for keys in paths:
        for end in range(_SECTIONS, len(keys) + 1):
            before, text = text, _own_map(text, root, keys[:end], paths.get(keys[:end], {}))
            if text != before:
                root = composed(text)
    return text


def _own_map(text: str, root: Any, keys: tuple[str, ...], values: Mapping[str, str]) -> str:
    found = section_of(root, keys)
    for key in keys[_SECTIONS:]:
        block = None if found is None else found[2]
        pair = entry_of(block, key)
        if pair is None:
            shared = shared_entry(block, key)
            return text if shared is None else _written_out(text, block, key, shared[1], values)
        found = (block, *pair)
    if found is None or not is_alias(*found[1:]) or found[2].id != "mapping":
        return text
    alias = _ALIAS.match(text, found[1].end_mark.index)
    if alias is None:
        raise CannotEdit("it is an alias", found[1].start_mark.line + 1)
    return f"{text[: alias.start(1)]}{{ <<: {alias[1]} }}{text[alias.end(1) :]}"


def _written_out(text: str, block: Any, key: str, shared: Any, values: Mapping[str, str]) -> str:
    """What a merge key brings in, as a map of this entry: templates stay templates, numbers are as they were."""
    if shared.id != "mapping":
        return text
    at, before, after = new_line(text, block)
    return f"{text[:at]}{before}{key}: {_flow_text(shared, [_MOST_WRITTEN_OUT], values)}{after}{text[at:]}"


def _flow_text(node: Any, left: list[int], values: Mapping[str, str] = _NOTHING) -> str:
    left[0] -= 1
    if left[0] < 0:
        raise CannotEdit(f"it comes from another entry, with more than {_MOST_WRITTEN_OUT} values")
    if node.id == "sequence":
        return "[" + ", ".join(_flow_text(item, left) for item in node.value) + "]"
    if node.id == "mapping":
        items = _whole(node).items()
        inner = ", ".join(f"{quoted(key)}: {values.get(key) or _flow_text(value, left)}" for key, value in items)
        return f"{{ {inner} }}" if inner else "{}"
    is_plain = not node.style and (_PLAIN.fullmatch(node.value) or not node.value)
    return node.value or "null" if is_plain else double_quoted(node.value)


def _whole(node: Any) -> dict[str, Any]:
    """A map with what its merge keys bring in, as the manifest's reader joins them."""
    own = {key.value: value for key, value in node.value if not is_merge(key)}
    for source in _sources(node):
        own = {**_whole(source), **own}
    return own


def quoted(key: str) -> str:
    """A key within braces."""
    return key if _PLAIN.fullmatch(key) else double_quoted(key)


def double_quoted(text: str) -> str:
    return _ESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(text, ensure_ascii=False))


def line_of_use(text: str, keys: Sequence[str]) -> int | None:
    """The line, from 1, of the first alias of the entry at these keys or of a map on the way to it."""
    root = composed(text)
    found = section_of(root, keys)
    first, pair = entry_of(root, keys[0]), None if found is None else found[1:]
    pairs = [] if first is None or is_alias(*first) else [first]
    for key in (None, *keys[_SECTIONS:]):
        pair = pair if key is None or pair is None else entry_of(pair[1], key)
        pairs += [] if pair is None else [pair]
    anchors = ((name[1], key.end_mark.index) for key, _ in pairs if (name := _ANCHOR.match(text, key.end_mark.index)))
    return next((line for name, after in anchors if (line := use_of_anchor(text, name, after=after))), None)


def use_of_anchor(text: str, name: str, *, after: int) -> int | None:
    """The line, from 1, of the first alias of that name after a place."""
    import yaml

    events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    marks = (one.start_mark for one in events if isinstance(one, yaml.AliasEvent) and one.anchor == name)
    return next((mark.line + 1 for mark in marks if mark and mark.index > after), None)


def new_line(text: str, block: Any) -> tuple[int, str, str]:
    """Where a new key of a map belongs, and what stands before and after it.

    It is before the first key that has a map or list, else after the last: names stay in front.
    """
    last_key, last = block.value[-1]
    first = next((key for key, value in block.value if value.id != "scalar" and not is_merge(key)), None)
    at = (first or block.value[0][0]).start_mark.index
    if block.flow_style:
        return (end_of_value(text, last_key, last), ", ", "") if first is None else (at, "", ", ")
    line = text.rfind("\n", 0, at) + 1
    indent = text[line:at]
    if indent.strip():
        raise CannotEdit("its block begins on the line of another")
    end = "\r\n" if text[:at].endswith("\r\n" + indent) else "\n"
    ends_there = is_alias(last_key, last) or last_key.start_mark.line == last.start_mark.line == last.end_mark.line
    if first is None and ends_there:
        after = text.find("\n", end_of_value(text, last_key, last))
        if after < 0:
            return len(text), end + indent, ""
        line = after + 1
    else:
        line = _above_comments(text, line, indent)
    return line, indent, end


def _above_comments(text: str, line: int, indent: str) -> int:
    """Where the comments begin that stand right above a line and are about it; those at the top are of the file."""
    while indent and line:
        before = text.rfind("\n", 0, line - 1) + 1
        if not text.startswith(f"{indent}#", before):
            break
        line = before
    return line

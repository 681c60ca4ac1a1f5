"""Finds the branch of a schema that a value is meant for: by its kind, and for maps by their keys."""

from __future__ import annotations

import re
from typing import Any

from scenario_apply.manifest.positions import Map, kind_of

Schema = dict[str, Any]
_LONGEST_SHOWN = 400  # characters; a report shows no more
KINDS = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}


def is_kind(value: Any, wanted: str | list[str]) -> bool:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    return any(_is_one_kind(value, kind) for kind in kinds)


def _is_one_kind(value: Any, kind: str) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "integer":
            return isinstance(value, int | float) and not isinstance(value, bool) and is_whole(value)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: float) -> bool:
    return isinstance(value, int) or value.is_integer()


def kinds_of(branch: Schema) -> list[str]:
    kind = branch.get("type")
    if isinstance(kind, list):
        return list(kind)
    if isinstance(kind, str):
        return [kind]
    options = branch.get("enum", [branch["const"]] if "const" in branch else [])
    return ["boolean" if isinstance(o, bool) else "number" if isinstance(o, int | float) else "string" for o in options]


def takes_kind(branch: Schema, value: Any) -> bool:
    if isinstance(value, float) and "integer" in kinds_of(branch):
        return False
    kinds = kinds_of(branch)
    return not kinds or is_kind(value, kinds)


def unknown_keys(branch: Schema, value: Map) -> tuple[bool, int, int]:
    """A sort key: smallest for the branch that knows most of the keys, or accepts any key when none is known.

    Keys that it knows by name count more than those that its patterns accept.
    """
    known = sum(key in branch.get("properties", {}) for key in value)
    patterns = [pattern for pattern in branch.get("patternProperties", {}) if pattern != "^x-"]
    accepted = sum(any(re.search(pattern, key) for pattern in patterns) for key in value)
    return (branch.get("additionalProperties", True) is False) and not known and not accepted, -known, -accepted


def is_template_branch(branch: Schema) -> bool:
    return str(branch.get("pattern", "")).startswith("\\{[")


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value[:_LONGEST_SHOWN])
    return repr(value) if isinstance(value, int | float) else kind_of(value)

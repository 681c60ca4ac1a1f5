"""Generate scenario_apply/emulator/request_bodies.json, the schemas of every request body, from the contract.

    python tests/contract/request_bodies.py

The file holds what validation needs and nothing else: descriptions and the contract's own notes (`x-...`) are left
out. Training parameters are narrower for each family than in TrainingParameters; the contract writes those rules in
its own short form under x-scenario.families, and they are written here as JSON Schema.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

CONTRACT = Path(__file__).with_name("scenario-openapi.yaml")
LATER = Path(__file__).with_name("section-20.yaml")
TARGET = Path(__file__).parents[2] / "scenario_apply" / "emulator" / "request_bodies.json"
_NOT_VALIDATED = frozenset({"description", "deprecated", "default", "format"})
_RULES = {
    "min": "minimum",
    "max": "maximum",
    "exclusiveMin": "exclusiveMinimum",
    "maxItems": "maxItems",
    "maxLength": "maxLength",
    "enum": "enum",
}
"""A rule of a family -> the JSON Schema keyword. `default` and `sameLengthAs` cannot be checked by a schema."""


def main() -> None:
    """Write the file."""
    TARGET.write_text(generated(), encoding="utf-8")


def document() -> dict[str, Any]:
    """The contract, with the operations that were learned later merged over it. Every reader gets its own."""
    contract, later = (yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for path in (CONTRACT, LATER))
    for path, methods in later["paths"].items():
        contract["paths"].setdefault(path, {}).update(methods)
    contract["components"]["schemas"].update(later["components"]["schemas"])
    merged: dict[str, Any] = contract
    return merged


def generated() -> str:
    """The text the file must have."""
    contract = document()
    operations: dict[str, Any] = {}
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "requestBody" in operation:
                body = operation["requestBody"]
                operations[f"{method.upper()} {re.sub(r'{[^}]*}', '*', path)}"] = {
                    "required": body["required"],
                    "schema": _validated(body["content"]["application/json"]["schema"]),
                }
    families = {name: _parameters(family["parameters"]) for name, family in contract["x-scenario"]["families"].items()}
    parts = {
        "operations": operations,
        "families": families,
        "schemas": _reachable(operations, contract["components"]["schemas"]),
    }
    return "{\n" + ",\n".join(f'"{name}": {_one_line_each(part)}' for name, part in parts.items()) + "\n}\n"


def _one_line_each(part: dict[str, Any]) -> str:
    return "{\n" + ",\n".join(f'  "{name}": {json.dumps(value)}' for name, value in part.items()) + "\n}"


def _validated(value: Any) -> Any:
    """A schema without what takes no part in validation. A property may still be called `description`."""
    if isinstance(value, list):
        return [_validated(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        if key == "properties":
            kept[key] = {name: _validated(schema) for name, schema in inner.items()}
        elif key not in _NOT_VALIDATED and not key.startswith("x-"):
            kept[key] = _validated(inner)
    return kept


def _reachable(operations: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Every schema that a request body refers to, directly or through another one."""
    found: dict[str, Any] = {}
    waiting = _references(operations)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _validated(schemas[name])
            waiting += _references(found[name])
    return dict(sorted(found.items()))


def _references(value: Any) -> list[str]:
    return re.findall(r"#/components/schemas/(\w+)", json.dumps(value))


def _parameters(rules: dict[str, dict[str, Any]]) -> dict[str, Any]:
    properties = {
        name: {_RULES[rule]: limit for rule, limit in entry.items() if rule in _RULES} for name, entry in rules.items()
    }
    return {"properties": {name: schema for name, schema in properties.items() if schema}}


if __name__ == "__main__":
    main()

"""The ids of a state as a table, JSON, YAML or shell variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from scenario_apply.errors import ScenarioApplyError
from scenario_apply.model.ids import is_id
from scenario_apply.review.screen import Screen, columns, pad, safe
from scenario_apply.review.yaml_text import yaml_text
from scenario_apply.state.state import State

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def outputs(state: State) -> dict[str, dict[str, object]]:
    """address -> id, name, type, status, version of what is current; status is the recorded phase."""
    return {
        str(address): {
            "id": record.current.id,
            "name": record.current.name,
            "type": record.current.type,
            "status": record.current.phase,
            "version": record.current.number,
        }
        for address, record in sorted(state.records.items())
    }


def output_json(state: State) -> str:
    return json.dumps(outputs(state), indent=2, ensure_ascii=False) + "\n"


def output_yaml(state: State) -> str:
    return yaml_text(outputs(state))


def output_env(state: State) -> str:
    """MODEL_KAEL=id lines for a shell or a file of variables ($GITHUB_ENV, --env-file): nothing in them needs quotes.

    Raises when two addresses would be the same variable, or a name or an id could be read as more than itself.
    """
    lines: dict[str, str] = {}
    for address, record in sorted(state.records.items()):
        name = address.env_name
        if name in lines:
            raise ScenarioApplyError(
                f"{address} and another address are both {name} as a variable",
                code="output-clash",
                hint="--format json tells them apart",
            )
        if _VARIABLE.fullmatch(name) is None or not is_id(record.current.id):
            raise ScenarioApplyError(
                f"{address} has the id {record.current.id[:140]!r}, which is not safe in a file of variables",
                code="output-unsafe",
                hint="the state was written by something else; --format json escapes it",
            )
        lines[name] = f"{name}={record.current.id}\n"
    return "".join(lines.values())


def output_text(state: State, screen: Screen) -> str:
    """A table."""
    rows = [
        (
            address,
            str(value["id"]),
            str(value["status"]),
            f"v{value['version']}",
            str(value["type"]),
            str(value["name"]),
        )
        for address, value in outputs(state).items()
    ]
    return table(("ADDRESS", "ID", "STATUS", "VERSION", "TYPE", "NAME"), rows, screen) if rows else ""


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], screen: Screen) -> str:
    """Columns as wide as their content; nothing is cut, since ids are copied from here."""
    shown = [tuple(safe(cell) for cell in row) for row in rows]
    wide = [max(columns(row[n]) for row in [tuple(titles), *shown]) for n in range(len(titles))]
    lines = []
    for number, row in enumerate([tuple(titles), *shown]):
        line = "  ".join(pad(cell, width) for cell, width in zip(row, wide, strict=True)).rstrip()
        lines.append(screen.paint(line, "bold") if number == 0 else line)
    return "\n".join(lines) + "\n"

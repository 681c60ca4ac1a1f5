"""The ids of a state as a table, JSON, YAML or shell variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from scenario_apply.errors import ScenarioApplyError
from scenario_apply.manifest.spec import BestVersion
from scenario_apply.model.address import Address
from scenario_apply.model.ids import is_id
from scenario_apply.planning.promotion import best_as_written
from scenario_apply.review.screen import Screen, columns, pad, safe, wrap
from scenario_apply.review.yaml_text import yaml_text
from scenario_apply.state.state import State

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


NONE_BEST: Mapping[Address, BestVersion] = {}


def outputs(state: State, bests: Mapping[Address, BestVersion] = NONE_BEST) -> dict[str, dict[str, object]]:
    """address -> id, name, type, status, version of what is current; status is the recorded phase.

    epoch: where one was chosen; best: where the manifest says which version is.
    """
    return {
        str(address): {
            "id": record.current.id,
            "name": record.current.name,
            "type": record.current.type,
            "status": record.current.phase,
            "version": record.current.number,
            **({} if record.current.epoch is None else {"epoch": record.current.epoch}),
            **({} if address not in bests else {"best": best_as_written(bests[address])}),
        }
        for address, record in sorted(state.records.items())
    }


def output_json(state: State, bests: Mapping[Address, BestVersion] = NONE_BEST) -> str:
    return json.dumps(outputs(state, bests), indent=2, ensure_ascii=False) + "\n"


def output_yaml(state: State, bests: Mapping[Address, BestVersion] = NONE_BEST) -> str:
    return yaml_text(outputs(state, bests))


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


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], screen: Screen, *, needed: int = 2) -> str:
    """Columns as wide as their content. No cell is cut, since ids are copied from here.

    On a terminal that is too narrow columns are left out from the right, which a last line says, down to the needed
    ones; where those do not fit, or all are wanted (-v), the first cell has a line of its own.
    """
    shown = [tuple(titles), *(tuple(safe(cell) for cell in row) for row in rows)]
    wide = [max(columns(row[n]) for row in shown) for n in range(len(titles))]
    count = len(titles)
    if screen.terminal:
        while count > needed and _width(wide[:count]) > screen.width and not screen.verbose:
            count -= 1
        if _width(wide[:count]) > screen.width:
            return _stacked(shown, screen)
    lines = []
    for number, row in enumerate(shown):
        line = "  ".join(pad(cell, width) for cell, width in zip(row[:count], wide, strict=False)).rstrip()
        lines.append(screen.paint(line, "bold") if number == 0 else line)
    if count < len(titles):
        lines.append(screen.paint(f"-v shows {' and '.join(titles[count:])}, too", "dim"))
    return "\n".join(lines) + "\n"


def _width(wide: Sequence[int]) -> int:
    return sum(wide) + 2 * (len(wide) - 1)


def _stacked(rows: Sequence[Sequence[str]], screen: Screen) -> str:
    """A row in two lines or more: its first cell, and below it the others."""
    lines = []
    for number, (first, *others) in enumerate(rows):
        part = [first]
        for cell in others:
            if len(part) > 1 and columns(part[-1]) + 2 + columns(cell) <= screen.width:
                part[-1] += f"  {cell}"
            else:
                part += [f"  {line}" for line in wrap(cell, screen.width - 2, whole_ids=True)]
        lines += [screen.paint(line, "bold") for line in part] if number == 0 else part
    return "\n".join(lines) + "\n"

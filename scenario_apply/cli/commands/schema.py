"""schema: the JSON Schema of a manifest, a plan, a state, an event log or a fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply schema plan
  scenario-apply schema manifest > manifest.schema.json
"""

FOLDERS = {"manifest": "manifest", "plan": "planning", "state": "state", "events": "apply", "fleet": "fleet"}
"""The subject that ships each schema; the files are those of the repository's schema/."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(FOLDERS)
    parser.add_argument("name", choices=tuple(FOLDERS), metavar="NAME", help=f"one of {names}")


def run(call: Invocation) -> int:
    from importlib.resources import files

    name = call.arguments.name
    call.show_json(files("scenario_apply").joinpath(FOLDERS[name], f"{name}.schema.json").read_text(encoding="utf-8"))
    return 0

"""completion: print a script that completes commands, options and their values in a shell (shtab)."""

from __future__ import annotations

import argparse
import glob
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.manifest.spec import Manifest

EXAMPLES = """
  source <(scenario-apply completion bash)
  mkdir -p ~/.zfunc && scenario-apply completion zsh > ~/.zfunc/_scenario-apply
  mkdir -p ~/.config/fish && scenario-apply completion fish > ~/.config/fish/scenario-apply.fish
"""

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
_WORDS = ("addresses", "adoptions", "codes", "datasets", "variables")
_WORDS_OF = {
    **dict.fromkeys(("ADDRESS", "FROM", "WHAT"), "addresses"),
    "ADDRESS=ID": "adoptions",
    "CODE": "codes",
    "DATASET": "datasets",
    "K=V": "variables",
}
"""Metavar -> the words to offer, which `scenario-apply completion --words` prints."""
_FILES, _FOLDERS = ("FILE", "MANIFEST", "PLACE"), ("FOLDER", "DIR")
_OFFERED = re.compile(r"[A-Za-z0-9_.,=/-]+")
_LARGEST_STATE_BYTES = 64 << 20
_STATES = ("state", "*/state", "*/*/state")  # beside a manifest, which need not be in the working folder
_MOST_STATES = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", nargs="?", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    parser.add_argument("--words", choices=_WORDS, help=argparse.SUPPRESS)


def run(call: Invocation) -> int:
    """The script comes from the same table and parsers as the help."""
    from scenario_apply.errors import UsageError

    if call.arguments.words is not None:
        found = _words(call.arguments.words, call)
        # a shell expands what it offers, and the files may come from a foreign repository
        call.show("".join(f"{word}\n" for word in sorted(set(found)) if _OFFERED.fullmatch(word)))
        return 0
    if call.arguments.shell is None:
        raise UsageError("missing: SHELL", hint=f"one of {', '.join(SHELLS)}")
    import shtab

    call.show(shtab.complete(_whole_parser(), call.arguments.shell))
    return 0


def _whole_parser() -> argparse.ArgumentParser:
    """All commands as subparsers of one parser."""
    from scenario_apply.cli.command_table import FAMILIES, SUMMARIES
    from scenario_apply.cli.main import load, parser_of

    root = argparse.ArgumentParser(prog="scenario-apply", description="", add_help=False)
    root.add_argument("-h", "--help", action="store_true", help="show this help and exit")
    root.add_argument("--version", action="store_true", help="print the version")
    commands = root.add_subparsers()
    # shtab leaves out subparsers without help
    families = {
        name: commands.add_parser(name, help=", ".join(words), add_help=False).add_subparsers()
        for name, words in FAMILIES.items()
    }
    for name, summary in SUMMARIES.items():
        *family, word = name.split()
        parser = parser_of(name, load(name))
        _complete_values(parser.actions())
        parents = families[family[0]] if family else commands
        parents.add_parser(word, help=summary, description=summary, parents=[parser], add_help=False)
    return root


def _complete_values(actions: Iterable[argparse.Action]) -> None:
    import shtab

    from scenario_apply.cli.parser import LIMIT_KEYS
    from scenario_apply.model.training_types import TRAINING_TYPES

    choices: Mapping[str, tuple[str, ...]] = {
        "KEY=N": tuple(f"{key}=" for key in LIMIT_KEYS),
        "TYPE": tuple(name for name, kind in TRAINING_TYPES.items() if kind.dataset == "images"),
    }
    for action in actions:
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        if metavar in _WORDS_OF:
            command = f"scenario-apply completion --words {_WORDS_OF[metavar]}"
            action.complete = shtab.cmd(command)  # type: ignore[attr-defined]  # the interface of shtab
        elif metavar in _FILES or metavar in _FOLDERS:
            action.complete = shtab.FILE if metavar in _FILES else shtab.DIRECTORY  # type: ignore[attr-defined]  # same
        elif metavar in choices:
            action.choices = choices[metavar]


def _words(kind: str, call: Invocation) -> list[str]:
    from scenario_apply.review.explanations import known_codes

    match kind:
        case "codes":
            return list(known_codes())
        case "addresses":
            return _addresses(call)
        case "adoptions":
            return [f"{address}=" for address in _addresses(call)]
        case "variables":
            return [f"{name}=" for name in _declared(call, lambda manifest: manifest.variables)]
        case _:
            return _declared(call, lambda manifest: manifest.datasets)


def _addresses(call: Invocation) -> list[str]:
    """What the states here and below record, and what the manifest here declares."""
    found = [address for path in _state_files(call.settings.cwd) for address in _recorded(path)]
    return found + _declared(call, lambda manifest: [*manifest.models, *manifest.compositions])


def _state_files(cwd: str) -> list[str]:
    paths = [p for folder in _STATES for p in sorted(glob.glob(os.path.join(glob.escape(cwd), folder, "*.json")))]
    return paths[:_MOST_STATES]


def _recorded(path: str) -> list[str]:
    """The addresses in a state. A file that cannot be read gives no words: a shell is waiting."""
    import json

    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LARGEST_STATE_BYTES:
            return []
        with open(path, encoding="utf-8") as file:
            resources = json.load(file).get("resources")
        return [name for name in resources or () if isinstance(name, str)]
    except (OSError, ValueError, AttributeError, RecursionError):
        return []


def _declared(call: Invocation, part: Callable[[Manifest], Iterable[object]]) -> list[str]:
    """Names that the manifest here declares."""
    from scenario_apply.cli.wiring import open_manifest
    from scenario_apply.errors import ScenarioApplyError

    try:
        return [str(name) for name in part(open_manifest(call.settings))]
    except ScenarioApplyError:
        return []  # no words: a shell is waiting, and validate shows the errors

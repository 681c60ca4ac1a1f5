"""Commands in hints, with the manifest, state and variables of the command line that they answer.

Planning, apply and the state know nothing of the command line: they name `scenario-apply state rm model.kael`. Pasted
without --local or --state, that would be about another state.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.command_lines import shown_variables, state_option
from scenario_apply.model.address import ADDRESS_PATTERN

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings
    from scenario_apply.errors import Diagnostic

_READS = ("validate", "config", "dataset show")
_RECORDS = (
    *("plan", "apply", "destroy", "rollback", "status", "output", "force-unlock", "import", "promote"),
    *(f"captions {word}" for word in ("pull", "check", "draft")),
    *(f"samples {word}" for word in ("draw", "show", "prune")),
    *(f"state {word}" for word in ("list", "show", "mv", "rm", "history", "pull", "push", "merge")),
)
_ARGUMENTS = (
    r"--(?:adopt|out|select|train|limit|state) (?:'[^']*'|[^\s`;,]+)",
    r"--[a-z][a-z-]*(?:=[^\s`;,]+)?",
    rf"{ADDRESS_PATTERN}(?![\w/=])",
    r"[A-Z]{2,}(?![\w/])",
    r"[^\s`;]+\.(?:json|ya?ml)(?!\w)",
)
_NAMES = "|".join(sorted((*_READS, *_RECORDS), key=len, reverse=True))
_COMMAND = re.compile(rf"(?<![\w/])scenario-apply ({_NAMES})(?![\w-])((?: (?:{'|'.join(_ARGUMENTS)}))*)")
_OPTION_WITH_VALUE = re.compile(_ARGUMENTS[0])


def completed(text: str, settings: Settings) -> str:
    """The text, with what its commands lack of MANIFEST, --var, --var-file, --allow-env, --state and --local.

    A command that names a file is about that file, and stays.
    """
    if "scenario-apply " not in text:
        return text

    def whole(match: re.Match[str]) -> str:
        if _is_complete(match.string[match.end() :], settings):
            return match[0]
        return match[0] + _missing(match[1], match[2], settings)

    return _COMMAND.sub(whole, text)


def completed_hint(problem: Diagnostic, settings: Settings) -> Diagnostic:
    """The problem with its hint completed."""
    if problem.hint is None:
        return problem
    hint = completed(problem.hint, settings)
    return problem if hint == problem.hint else replace(problem, hint=hint)


def _is_complete(rest: str, settings: Settings) -> bool:
    """Whether what follows shows that the command was written with these settings already."""
    if rest.startswith(" '--") or settings.manifest is None:
        return rest.startswith(" '--")
    return re.match(rf" {re.escape(shlex.quote(settings.manifest))}(?![\w/])", rest) is not None


def _is_saved_plan(path: str, cwd: str) -> bool:
    """Whether a path is that of a saved plan, which is no manifest: a file of another ending."""
    if path.endswith((".yaml", ".yml", ".j2")):
        return False
    return path.endswith(".json") or os.path.isfile(os.path.join(cwd, path))


def _missing(command: str, arguments: str, settings: Settings) -> str:
    given = _OPTION_WITH_VALUE.sub("", arguments).split()
    names_file = any(not word.startswith("-") and not re.fullmatch(ADDRESS_PATTERN, word) for word in given)
    if names_file and command != "state merge":  # which joins files into the state of its manifest
        return ""
    words: list[str] = []
    manifest = settings.manifest
    if manifest is not None and not _is_saved_plan(manifest, settings.cwd):
        words.append(manifest)
    words += [f"--var={pair}" for pair in shown_variables(settings.variables, settings)]
    words += [f"--var-file={name}" for name in settings.var_files]
    words += [f"--allow-env={name}" for name in settings.allow_env]
    if command in _RECORDS:
        words += state_option(settings)
        words += ["--local"] if settings.local else []
    has = {word.partition("=")[0] for word in arguments.split()}
    return "".join(f" {shlex.quote(word)}" for word in words if word.partition("=")[0] not in has)

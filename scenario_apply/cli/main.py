"""From a command line to an exit code: find the command, read its options, run it, draw errors.

Nothing heavy is imported before a command runs: the overview needs no parser, a command's help no settings.
No traceback reaches the user: foreign errors become one line, with details for --debug.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from scenario_apply.cli.command_table import FAMILIES, MODULES, SUMMARIES, overview
from scenario_apply.cli.standard_streams import OutputLost, put, silence

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.parser import CommandParser
    from scenario_apply.errors import ScenarioApplyError

_FLAGS = ("--no-color", "--debug", "-q", "--quiet", "-v", "--verbose")  # may stand before the command, too
_USAGE, _INTERRUPTED = 64, 130


class Command(Protocol):
    """What a module under commands/ provides. EXAMPLES: command lines that work, one a line."""

    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, call: Invocation) -> int: ...


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; the exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader has left, as in `| head`
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        lost = error if isinstance(error, OutputLost) else OutputLost(error)
        put(sys.stderr, f"error[system]: {lost.strerror}\n")
    return 1


def _run(arguments: Sequence[str]) -> int:
    words = list(arguments)
    flags: list[str] = []
    while words and words[0] in _FLAGS:
        flags.append(words.pop(0))
    if not words:
        put(sys.stderr, overview())
        return _USAGE
    if words[0] == "help":
        words = [*words[1:], "--help"]
    if words[0] in ("-h", "--help"):
        put(sys.stdout, overview())
        return 0
    # a plan makes a hundred thousand values that all live to its end: collections every 700 find nothing
    gc.set_threshold(100_000, 20, 20)
    return _command(words, flags)


def _command(words: list[str], flags: list[str]) -> int:
    from scenario_apply.cli.invocation import draw_error, draw_internal, read_call

    call: Invocation | None = None
    plain = read_call(None, flags)
    try:
        name, rest = find_command(words)
        command = load(name)
        namespace = parser_of(name, command).read([*rest, *flags])
        call = read_call(namespace, flags, [*flags, *words])
        return command.run(call)
    except SystemExit as leave:  # --help prints and leaves
        return leave.code if isinstance(leave.code, int) else 0
    except KeyboardInterrupt:
        put(sys.stderr, "interrupted\n")
        return _INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # the one place that handles unexpected errors
        from scenario_apply.errors import ScenarioApplyError

        if isinstance(error, ScenarioApplyError):
            return draw_error(error, call or plain)
        return draw_internal(error, call or plain)


def find_command(words: Sequence[str]) -> tuple[str, list[str]]:
    """The command's name and what is left of the words. Raises UsageError with a guess."""
    first, rest = words[0], list(words[1:])
    if first in MODULES:
        return first, rest
    if first not in FAMILIES:
        raise _unknown(first, [*MODULES, *FAMILIES])
    second = next((word for word in rest if not word.startswith("-")), None)
    if second is None and not {"-h", "--help"} & set(rest):
        raise _missing(first)
    if second is None:
        put(sys.stdout, _family_help(first))
        raise SystemExit(0)
    if second not in FAMILIES[first]:
        raise _unknown(second, FAMILIES[first], after=f"{first} ")
    rest.remove(second)
    return f"{first} {second}", rest


def _family_help(family: str) -> str:
    rows = "".join(f"  {family} {word:<8} {SUMMARIES[f'{family} {word}']}\n" for word in FAMILIES[family])
    return f"usage: scenario-apply {family} COMMAND [options]\n\n{rows}"


def _unknown(name: str, known: Sequence[str], after: str = "") -> ScenarioApplyError:
    from scenario_apply.errors import UsageError
    from scenario_apply.model.did_you_mean import did_you_mean

    if name.startswith("-"):
        return UsageError(f"{name} is given before any command", hint="write the command first: scenario-apply plan …")
    hint = did_you_mean(name, known) or "scenario-apply --help lists the commands"
    if name == "version":
        hint = "use scenario-apply --version"
    return UsageError(f"there is no command {after + name!r}", hint=hint)


def _missing(family: str) -> ScenarioApplyError:
    from scenario_apply.errors import UsageError

    return UsageError(f"{family} needs one of: {', '.join(FAMILIES[family])}", hint=f"scenario-apply {family} --help")


def load(name: str) -> Command:
    """The module of a command, or its part of the module."""
    from importlib import import_module

    module = import_module(f"scenario_apply.cli.commands.{MODULES[name]}")
    return cast(Command, vars(module).get("COMMANDS", {}).get(name, module))


def parser_of(name: str, command: Command) -> CommandParser:
    """A command's parser with all its options."""
    from scenario_apply.cli import options
    from scenario_apply.cli.parser import CommandParser

    parser = CommandParser(name, summary=SUMMARIES[name], examples=command.EXAMPLES)
    command.add_arguments(parser)
    options.screen(parser)
    return parser

"""completion: a script that completes commands, options and their values in a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  source <(scenario-apply completion bash)
  scenario-apply completion fish > ~/.config/fish/completions/scenario-apply.fish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")


def run(call: Invocation) -> int:
    """Made from the same table and parsers as the help."""
    from scenario_apply.cli.command_table import SUMMARIES
    from scenario_apply.cli.completion_scripts import Completed, Option, script
    from scenario_apply.cli.main import load, parser_of

    commands = []
    for name, summary in SUMMARIES.items():
        parser = parser_of(name, load(name))
        found = [
            Option(names=tuple(a.option_strings), takes=a.nargs != 0, choices=_words(a), help=a.help or "")
            for a in parser.actions()
            if a.option_strings and a.help != "==SUPPRESS=="
        ]
        values = tuple(word for a in parser.actions() if not a.option_strings for word in _words(a))
        commands.append(Completed(name=name, summary=summary, options=tuple(found), values=values))
    call.show(script(call.arguments.shell, commands))
    return 0


def _words(action: argparse.Action) -> tuple[str, ...]:
    return tuple(str(choice) for choice in action.choices or ())

"""The command-line parser: argparse that reports wrong usage as UsageError, with a suggestion."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from scenario_apply.model.fix_kinds import FIX_KINDS
from scenario_apply.model.variable_names import is_variable_name

PROGRAM = "scenario-apply"
_NAMED = frozenset(
    {
        *("MANIFEST", "FILE", "FOLDER", "DIR", "PLACE", "WHAT", "ADDRESS"),
        *("DATASET", "FLEET", "PLAN", "FROM", "TO", "OTHER"),
    }
)
"""What arguments are called that name something: nothing has an empty name."""


class CommandParser(argparse.ArgumentParser):
    """One command's parser. Options may be given before and after positionals, and cannot be abbreviated."""

    def __init__(self, command: str, *, summary: str, examples: str) -> None:
        super().__init__(
            prog=f"{PROGRAM} {command}".rstrip(),
            description=summary[:1].upper() + summary[1:] + ".",
            epilog="example:\n" + examples.strip("\n"),
            formatter_class=_Help,
            allow_abbrev=False,
            add_help=False,
            exit_on_error=False,
        )

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The values of a command line. Raises UsageError."""
        try:
            namespace, extra = self.parse_known_intermixed_args(list(arguments))
        except argparse.ArgumentError as error:
            self.error(f"{error.argument_name}: {error.message}" if error.argument_name else error.message)
        if extra:
            self._refuse(extra[0])
        for action in self._actions:
            self._refuse_empty(action, getattr(namespace, action.dest, None))
        return namespace

    def options(self) -> list[str]:
        """The long names of all options."""
        return [s for action in self._actions for s in action.option_strings if s.startswith("--")]

    def actions(self) -> list[argparse.Action]:
        """Options and positionals, in order; completion is generated from them."""
        return list(self._actions)

    def error(self, message: str) -> NoReturn:
        from scenario_apply.errors import UsageError

        raise UsageError(message, hint=f"{self.prog} --help lists its options")

    def _refuse(self, word: str) -> NoReturn:
        from scenario_apply.errors import UsageError
        from scenario_apply.model.did_you_mean import did_you_mean
        from scenario_apply.state.url_texts import without_password

        help_hint = f"{self.prog} --help lists its options"
        if not word.startswith("-") or word == "-":
            raise UsageError(f"unexpected argument {without_password(word)!r}", hint=help_hint)
        name = word.split("=", 1)[0]
        is_trial = name in ("--dry-run", "--dryrun")
        guess = "`scenario-apply plan` shows what would be done" if is_trial else did_you_mean(name, self.options())
        raise UsageError(f"{self.prog} has no option {name}", hint=guess or help_hint)

    def _refuse_empty(self, action: argparse.Action, value: object) -> None:
        """An empty text in the place of a file, an address or a manifest would mean this folder, or everything."""
        if action.metavar not in _NAMED or action.dest == "plan_of":
            return
        if any(isinstance(text, str) and not text.strip() for text in (value if isinstance(value, list) else [value])):
            from scenario_apply.errors import UsageError

            name = action.option_strings[-1] if action.option_strings else str(action.metavar)
            raise UsageError(
                f"{name} is empty", hint="write a value, or leave it out; a variable of the shell may not be set"
            )

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        from scenario_apply.model.did_you_mean import did_you_mean

        known = [str(choice) for choice in action.choices]
        guess = did_you_mean(str(value), known)
        raise argparse.ArgumentError(
            action, f"{value!r} is not one of {', '.join(known)}{'; ' + guess if guess else ''}"
        )


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help with room for option names, at most 100 columns."""

    def __init__(self, prog: str) -> None:
        import shutil

        width = min(shutil.get_terminal_size().columns, 100) - 2
        super().__init__(prog, max_help_position=28, width=width)


def number(kind: Callable[[str], float], low: float, what: str) -> Callable[[str], float]:
    """A converter for numbers of at least low; what describes them in the error."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = float("nan")
        if not low <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return value

    return convert


count = number(int, 0, "a whole number of at least 0")
positive = number(int, 1, "a whole number of at least 1")
seconds = number(float, 0, "a number of seconds of at least 0")

_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def variable(text: str) -> tuple[str, str]:
    """NAME=VALUE, split."""
    match = _VARIABLE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    if match[2] == "***":
        raise argparse.ArgumentTypeError(f"{text} stands for a value that was not printed: write the value")
    return match[1], match[2]


def state_file(text: str) -> str:
    """FILE or URL of --state. Raises UsageError for a URL that names no state, before anything is read or sent."""
    from scenario_apply.errors import UsageError
    from scenario_apply.state.state_url import BadStateUrl, parse_state_url
    from scenario_apply.state.url_texts import is_state_url

    if is_state_url(text):
        try:
            parse_state_url(text, "name")  # of the manifest, which is not read yet
        except BadStateUrl as bad:
            raise UsageError(f"--state: {bad.what}", hint=bad.hint) from bad
    return text


def environment_name(text: str) -> str:
    """NAME of --allow-env."""
    if not is_variable_name(text):  # not repeated: it may be a value given in place of a name
        raise argparse.ArgumentTypeError("it takes the name of one environment variable, as in WANDB_API_KEY")
    return text


def fix_kinds(text: str) -> tuple[str, ...]:
    """KINDS of --fix-only."""
    words = tuple(word for part in text.split(",") if (word := part.strip()))
    wrong = next((word for word in words if word not in FIX_KINDS), None)
    if wrong is not None or not words:
        raise argparse.ArgumentTypeError(f"{wrong or text!r} is not one of {', '.join(FIX_KINDS)}")
    return words


LIMIT_KEYS = ("cost", "samples_cost", "deletes", "retrains", "changes_percent", "min_score")


FLEET_LIMIT_KEYS = ("cost", "concurrent", "deletes", "retrains")


def limit(text: str) -> tuple[str, float]:
    """KEY=N of --limit."""
    return _limit(text, LIMIT_KEYS)


def fleet_limit(text: str) -> tuple[str, float]:
    """KEY=N of --limit for a whole fleet."""
    key, value = _limit(text, FLEET_LIMIT_KEYS)
    if key == "concurrent" and value < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: without a training at a time nothing would be trained")
    return key, value


def _limit(text: str, known: Sequence[str]) -> tuple[str, float]:
    key, sign, value = text.partition("=")
    if key not in known:
        from scenario_apply.model.did_you_mean import did_you_mean

        guess = did_you_mean(key, known)
        raise argparse.ArgumentTypeError(
            f"unknown limit {key!r}, not one of {', '.join(known)}{'; ' + guess if guess else ''}"
        )
    whole = key in ("deletes", "retrains", "concurrent")
    try:
        amount: float = int(value) if whole else float(value)
    except ValueError:
        amount = float("nan")
    highest = {"changes_percent": 100, "min_score": 1}.get(key, float("inf"))
    if not sign or not 0 <= amount <= highest or amount == float("inf"):
        wanted = "a whole number" if whole else "a number"
        top = "" if highest == float("inf") else f" and at most {highest}"
        raise argparse.ArgumentTypeError(f"{text!r}: {key} takes {wanted} of at least 0{top}, as in {key}=1")
    return key, amount

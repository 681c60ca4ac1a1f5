"""One command line being run: its options, and the output streams. Errors become text here.

Answers go to stdout, everything else to stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from scenario_apply.cli.command_hints import completed_hint
from scenario_apply.cli.output_encoding import adapt, for_browsers, for_people, for_programs
from scenario_apply.cli.settings import Settings, read_settings
from scenario_apply.cli.standard_streams import put
from scenario_apply.cli.terminal import resized, screen_for
from scenario_apply.errors import Diagnostic, ExitCode, ScenarioApplyError
from scenario_apply.review.printable import json_text, json_without_commands, terminal_text, without_commands
from scenario_apply.review.screen import Screen, safe

if TYPE_CHECKING:
    from scenario_apply.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """arguments: as parsed. words: as typed. out, err: how to draw on stdout and stderr."""

    arguments: argparse.Namespace
    settings: Settings
    words: tuple[str, ...] = ()
    out: Screen = field(default_factory=Screen)
    err: Screen = field(default_factory=Screen)

    def show(self, text: str) -> None:
        """An answer."""
        form = vars(self.arguments).get("format")
        if form in ("json", "jsonl"):
            self.show_json(text)
        elif form == "html":
            self.show_page(text)
        else:
            # with --format github the lines are commands for the runner
            _write(sys.stdout, text, self.out, has_runner=self.settings.has_runner and form != "github")

    def show_json(self, text: str) -> None:
        """An answer that is JSON, whatever --format says."""
        document = json_text(text)
        if self.settings.has_runner:
            document = json_without_commands(document)
        put(sys.stdout, for_programs(document, sys.stdout.encoding))

    def show_page(self, text: str) -> None:
        """An answer that is a page of HTML, whatever --format says."""
        put(sys.stdout, for_browsers(text, sys.stdout.encoding))

    def say(self, text: str) -> None:
        """Lines on stderr, already safe and terminated."""
        _write(sys.stderr, text, self.err, has_runner=self.settings.has_runner)

    def put(self, text: str) -> None:
        """Text on stderr as it is, with what moves the cursor: for views whose lines are safe."""
        put(sys.stderr, for_people(text, sys.stderr.encoding))

    def tell(self, text: str) -> None:
        """A sentence on stderr; nothing with --quiet."""
        if not self.settings.quiet:
            self.say(f"{safe(text)}\n")

    def warn(self, problems: Iterable[Diagnostic], *, before: str = "", after: str = "") -> None:
        """Problems that stop nothing; errors among them are drawn with --quiet, too. before, after: around some."""
        drawn = [completed_hint(p, self.settings) for p in problems if p.severity == "error" or not self.settings.quiet]
        if drawn:
            self.say(f"{before}{_drawn(drawn, self.err_now)}{after}")

    def command_line(self, secrets: Iterable[Secret] = ()) -> str | None:
        """As it was typed, for the state's history, without secrets; None where nothing was typed."""
        from scenario_apply.cli.command_lines import typed

        hidden = (*self.settings.secrets, *(secret.reveal() for secret in secrets))
        return typed(self.words, hidden) if self.words else None

    @property
    def out_now(self) -> Screen:
        """How to draw on stdout, as wide as its terminal is now: long runs outlive the size of a window."""
        return resized(self.out, sys.stdout)

    @property
    def err_now(self) -> Screen:
        """The same for stderr."""
        return resized(self.err, sys.stderr)

    @property
    def is_interactive(self) -> bool:
        """Whether a user can be asked."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str, hint: str) -> bool:
        """Whether the user typed exactly yes. False at the end of input."""
        self.say(f"\n{question}\n  {hint}\n\n  Enter a value: ")
        answer = sys.stdin.readline()
        self.say("\n" if not answer.endswith("\n") else "")
        return answer.strip() == "yes"

    def code(self, detailed: ExitCode, plain: ExitCode = ExitCode.ERROR) -> int:
        """One of the codes 2 to 8 with --detailed-exitcode, else the plain one."""
        return detailed if self.settings.detailed else plain


def read_call(arguments: argparse.Namespace | None, flags: Sequence[str], words: Sequence[str] = ()) -> Invocation:
    """The invocation of a command line; words: as typed; arguments None: not parsed yet, to draw errors of parsing."""
    if arguments is None:
        arguments = argparse.Namespace(
            no_color="--no-color" in flags,
            debug="--debug" in flags,
            verbose=bool({"-v", "--verbose"} & set(flags)),
            quiet=bool({"-q", "--quiet"} & set(flags)),
        )
    settings = read_settings(arguments, os.environ)
    return Invocation(
        arguments=arguments,
        settings=settings,
        words=tuple(words),
        out=_screen(sys.stdout, settings),
        err=_screen(sys.stderr, settings),
    )


def _screen(stream: TextIO, settings: Settings) -> Screen:
    adapt(stream)
    term = os.environ.get("TERM")
    return screen_for(stream, color=settings.color, verbose=settings.verbose, term=term, quiet=settings.quiet)


def _drawn(problems: Iterable[Diagnostic], screen: Screen) -> str:
    from scenario_apply.review.diagnostics_text import problem_text  # help and most answers draw none

    return problem_text(problems, screen)


def draw_error(error: ScenarioApplyError, call: Invocation) -> int:
    """All problems of an error on stderr; the exit code."""
    text = _drawn([completed_hint(problem, call.settings) for problem in error.problems], call.err_now)
    _write(sys.stderr, masked(text, call.settings.secrets), call.err, has_runner=call.settings.has_runner)
    _trace(error, call)
    always = (ExitCode.ERROR, ExitCode.USAGE, ExitCode.INTERRUPTED)
    return error.exit_code if error.exit_code in always or call.settings.detailed else ExitCode.ERROR


def draw_internal(error: Exception, call: Invocation) -> int:
    """One line for an unexpected error."""
    if isinstance(error, OSError):
        what = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
        problem = Diagnostic(code="system", message=what)
    else:
        problem = Diagnostic(
            code="internal",
            message=f"internal error: {type(error).__name__}: {error}",
            hint="this is a bug; the same command with --debug (or SCENARIO_APPLY_DEBUG=1) shows where",
        )
    _write(
        sys.stderr,
        masked(_drawn([problem], call.err), call.settings.secrets),
        call.err,
        has_runner=call.settings.has_runner,
    )
    _trace(error, call)
    return ExitCode.ERROR


def _trace(error: Exception, call: Invocation) -> None:
    if not call.settings.debug:
        return
    import traceback

    _write(
        sys.stderr,
        masked("".join(traceback.format_exception(error)), call.settings.secrets),
        call.err,
        has_runner=call.settings.has_runner,
    )


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets; colours stay."""
    from scenario_apply.api.masking import Mask

    return Mask(secrets).hide(text)


def _write(stream: TextIO, text: str, screen: Screen, *, has_runner: bool) -> None:
    """Writes all text to a terminal, a file or a pipe; JSON goes through show_json."""
    shown = terminal_text(text, color=screen.color)
    put(stream, for_people(without_commands(shown) if has_runner else shown, stream.encoding))

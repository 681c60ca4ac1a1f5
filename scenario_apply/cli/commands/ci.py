"""ci: what a pipeline does around plan and apply: a comment, an issue, the plan that was reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.command_of_module import CommandOfModule
from scenario_apply.cli.parser import positive

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

_BEHAVIOURS = ("update", "new", "hide-and-new", "delete-and-new")


def _body(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("body", nargs="?", metavar="FILE", help="the text in Markdown; - for standard input")
    parser.add_argument("--text", metavar="FILE", help="the output of a program instead, shown as a block of code")
    parser.add_argument(
        "--link", action="append", default=[], metavar="LABEL=URL", help="a link above the text; repeatable"
    )
    parser.add_argument("--print", action="store_true", dest="prints", help="print the text; send nothing")


def _host(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--author", metavar="NAME", help="the account of the token (default: the host is asked)")
    parser.add_argument(
        "--allow-http", action="store_true", help="allow sending the token to an http:// API on another machine"
    )


def _comments(parser: argparse.ArgumentParser) -> None:
    _body(parser)
    parser.add_argument("--title", default="", metavar="TEXT", help="a heading for --text")
    parser.add_argument(
        "--name", metavar="NAME", help="tells several comments apart (default: the marker that the text begins with)"
    )
    parser.add_argument(
        "--behaviour", choices=_BEHAVIOURS, default="update", metavar="HOW", help=f"{', '.join(_BEHAVIOURS)}"
    )
    parser.add_argument(
        "--request", type=positive, metavar="N", help="the pull or merge request (default: that of the pipeline)"
    )
    _host(parser)


def _tracks(parser: argparse.ArgumentParser) -> None:
    _body(parser)
    parser.add_argument("--title", required=True, metavar="TEXT", help="the title of a new issue")
    parser.add_argument("--name", default="issue", metavar="NAME", help="tells several issues apart")
    parser.add_argument("--label", action="append", default=[], metavar="LABEL", help="of a new issue; repeatable")
    parser.add_argument("--close", action="store_true", help="close the issue: there is nothing to report any more")
    _host(parser)


def _finds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("artifact", metavar="ARTIFACT", help="the name under which plans are uploaded")
    parser.add_argument("--commit", metavar="SHA", help="the merged commit (default: that of the pipeline)")
    _host(parser)


def _compares(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reviewed", metavar="REVIEWED", help="the saved plan that was reviewed and applied")
    parser.add_argument("plan", metavar="PLAN", help="a saved plan of what is left")
    options.detailed(parser, "5 something was not reviewed")


def _comment(call: Invocation) -> int:
    from scenario_apply.cli.pipeline_commands import comment

    return comment(call)


def _issue(call: Invocation) -> int:
    from scenario_apply.cli.pipeline_commands import issue

    return issue(call)


def _reviewed_plan(call: Invocation) -> int:
    from scenario_apply.cli.pipeline_commands import find_reviewed_plan

    return find_reviewed_plan(call)


def _continues(call: Invocation) -> int:
    from scenario_apply.cli.pipeline_commands import continues

    return continues(call)


COMMANDS = {
    "ci comment": CommandOfModule(
        "  scenario-apply ci comment plan.md --link 'Pictures=https://example.com/report'\n"
        "  scenario-apply ci comment --text apply.log --title 'Applied' --name apply --request 41",
        _comments,
        _comment,
    ),
    "ci issue": CommandOfModule(
        "  scenario-apply ci issue --text drift.txt --title 'Models were changed on Scenario' --name drift\n"
        "  scenario-apply ci issue --close --title 'Models were changed on Scenario' --name drift",
        _tracks,
        _issue,
    ),
    "ci reviewed": CommandOfModule(
        '  scenario-apply ci reviewed scenario-plan >> "$GITHUB_OUTPUT"', _finds, _reviewed_plan
    ),
    "ci continues": CommandOfModule(
        "  scenario-apply plan manifests/quickstart --local --out now.json\n"
        "  scenario-apply ci continues now.json now.json",
        _compares,
        _continues,
    ),
}

"""captions: pull the service's own captions into files, check files against the service, have drafts written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.command_of_module import CommandOfModule
from scenario_apply.cli.dataset_arguments import one_or_all
from scenario_apply.cli.parser import limit

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation


def _reads(parser: argparse.ArgumentParser) -> None:
    one_or_all(parser)
    options.manifest(parser)
    options.reading(parser)
    options.service(parser)
    options.state(parser)
    options.formats(parser, "text", "json")


def _checks(parser: argparse.ArgumentParser) -> None:
    _reads(parser)
    options.detailed(parser, "4 captions differ")


def _drafts(parser: argparse.ArgumentParser) -> None:
    _reads(parser)
    parser.add_argument("--auto-approve", action="store_true", help="write the drafts without asking for approval")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        type=limit,
        metavar="cost=CU",
        help="write no drafts if they would cost more (also: `limits: { cost: CU }` in the manifest)",
    )
    parser.add_argument(
        "--details",
        choices=("action", "action+style"),
        metavar="LEVEL",
        help="what to describe: action or action+style (default: Scenario's own)",
    )
    parser.add_argument(
        "--retry-lost",
        action="store_true",
        help="repeat requests whose response was lost in an earlier run; they may be charged twice",
    )


def _pull(call: Invocation) -> int:
    from scenario_apply.cli.caption_commands import pull

    return pull(call)


def _check(call: Invocation) -> int:
    from scenario_apply.cli.caption_commands import check

    return check(call)


def _draft(call: Invocation) -> int:
    from scenario_apply.cli.caption_drafting import draft

    return draft(call)


_Q = "manifests/quickstart --local"

COMMANDS = {
    "captions pull": CommandOfModule(
        f"  scenario-apply captions pull kael {_Q}\n  scenario-apply captions pull --all {_Q}", _reads, _pull
    ),
    "captions check": CommandOfModule(
        f"  scenario-apply captions check kael {_Q}\n  scenario-apply captions check --all {_Q} --format json",
        _checks,
        _check,
    ),
    "captions draft": CommandOfModule(
        f"  scenario-apply captions draft kael {_Q} --auto-approve\n"
        f"  scenario-apply captions draft --all {_Q} --auto-approve --limit cost=20",
        _drafts,
        _draft,
    ),
}

"""samples: draw sample pictures with trained models, show which there are, publish and delete their small copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.command_of_module import CommandOfModule
from scenario_apply.cli.parser import limit, positive
from scenario_apply.cli.sample_arguments import address_words

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation


def _draws(parser: argparse.ArgumentParser) -> None:
    address_words(parser)
    options.manifest(parser, positional=False)
    options.reading(parser)
    options.pulling(parser)
    parser.add_argument(
        "--version",
        dest="draw_version",
        type=positive,
        metavar="N",
        help="draw with this version, which Scenario still has, instead of the one in use; for one ADDRESS",
    )
    options.running(parser)
    options.strict(parser)
    group = parser.add_argument_group("safety")
    group.add_argument(
        "--limit",
        action="append",
        default=[],
        type=limit,
        metavar="KEY=N",
        help="draw nothing if it would cost more than cost=CU or samples_cost=CU",
    )
    options.service(parser)
    options.state(parser, locks=True)


def _shows(parser: argparse.ArgumentParser) -> None:
    address_words(parser)
    options.manifest(parser, positional=False)
    options.reading(parser)
    parser.add_argument("--no-refresh", action="store_true", help="send no requests; needs no credentials")
    parser.add_argument(
        "--download", action="store_true", help="download small copies that are missing in .scenario/samples/"
    )
    options.formats(parser, "text", "json")
    options.service(parser)
    options.state(parser)


def _copies(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder; it is for the samples of this state alone")
    options.manifest(parser)
    parser.add_argument("--download", action="store_true", help="ask Scenario for those that are not on this machine")
    options.service(parser)
    options.state(parser)


def _prunes(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    options.local(parser)
    options.state(parser, locks=True)


def _draw(call: Invocation) -> int:
    from scenario_apply.cli.sample_drawing import draw

    return draw(call)


def _show(call: Invocation) -> int:
    from scenario_apply.cli.sample_showing import show

    return show(call)


def _copy(call: Invocation) -> int:
    from scenario_apply.cli.sample_copying import copy

    return copy(call)


def _prune(call: Invocation) -> int:
    from scenario_apply.cli.sample_showing import prune

    return prune(call)


_Q = "manifests/quickstart --local"

COMMANDS = {
    "samples draw": CommandOfModule(
        f"  scenario-apply samples draw {_Q} --auto-approve\n"
        f"  scenario-apply samples draw model.kael {_Q} --auto-approve --limit samples_cost=50",
        _draws,
        _draw,
    ),
    "samples show": CommandOfModule(
        f"  scenario-apply samples show {_Q}\n  scenario-apply samples show model.kael {_Q} --format json",
        _shows,
        _show,
    ),
    "samples copy": CommandOfModule(f"  scenario-apply samples copy public/samples {_Q}", _copies, _copy),
    "samples prune": CommandOfModule(f"  scenario-apply samples prune {_Q} --dry-run", _prunes, _prune),
}

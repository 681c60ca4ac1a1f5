"""captions: pull the service's own captions into files, check files against the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.cli import options
from scenario_apply.cli.dataset_arguments import one_or_all

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


def _pull(call: Invocation) -> int:
    from scenario_apply.cli.caption_commands import pull

    return pull(call)


def _check(call: Invocation) -> int:
    from scenario_apply.cli.caption_commands import check

    return check(call)


class CaptionsPart(NamedTuple):
    """One of the captions commands, with what a module of one command has."""

    EXAMPLES: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Invocation], int]


_Q = "manifests/quickstart --local"

COMMANDS = {
    "captions pull": CaptionsPart(
        f"  scenario-apply captions pull kael {_Q}\n  scenario-apply captions pull --all {_Q}", _reads, _pull
    ),
    "captions check": CaptionsPart(
        f"  scenario-apply captions check kael {_Q}\n  scenario-apply captions check --all {_Q} --format json",
        _checks,
        _check,
    ),
}

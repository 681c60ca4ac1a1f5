"""Options that several commands share, each written once. Imports nothing heavy: help needs it."""

from __future__ import annotations

import argparse

from scenario_apply.cli.parser import count, environment_name, limit, positive, seconds, variable
from scenario_apply.model.limits import REQUESTS_PER_MINUTE

_LOCAL = "use the embedded Scenario, kept in .scenario/: no account, no network"


def manifest(parser: argparse.ArgumentParser, *, plan_too: bool = False) -> None:
    """MANIFEST and the values of its variables."""
    what = "a file, a folder" + (" or a saved plan" if plan_too else "")
    parser.add_argument(
        "manifest", nargs="?", metavar="MANIFEST", help=f"{what} (default: scenario.yaml, else manifests/)"
    )
    group = parser.add_argument_group("the manifest")
    group.add_argument(
        "--var", action="append", default=[], type=variable, metavar="K=V", help="set a variable; repeatable"
    )
    group.add_argument(
        "--var-file", action="append", default=[], metavar="FILE", help="variables from a YAML or JSON file; repeatable"
    )
    group.add_argument(
        "--allow-env",
        action="append",
        default=[],
        type=environment_name,
        metavar="NAME",
        help="let templates read this environment variable, beside SCENARIO_*; repeatable (also: SCENARIO_APPLY_ENV)",
    )


def reading(parser: argparse.ArgumentParser) -> None:
    """What the files of datasets may be. The manifest cannot grant it: it may come from somebody else."""
    parser.add_argument(
        "--allow-outside-root",
        action="store_true",
        help="consent to datasets that say `allow_outside_root: true`: their files may lie outside the manifest's "
        "folder (also: SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT=1)",
    )


def state(parser: argparse.ArgumentParser, *, locks: bool = False) -> None:
    """Where the state lies and, for those that write it, how long to wait for its lock."""
    group = parser.add_argument_group("the state")
    group.add_argument("--state", metavar="FILE", help="the state file (default: state/NAME.json beside the manifest)")
    if locks:
        group.add_argument(
            "--lock-timeout", type=seconds, default=0, metavar="S", help="wait so long for another run (default 0)"
        )


def service(parser: argparse.ArgumentParser) -> None:
    """Which Scenario to talk to, and how fast."""
    group = parser.add_argument_group("the service")
    group.add_argument("--local", action="store_true", help=_LOCAL)
    group.add_argument(
        "--rate-limit",
        type=count,
        default=REQUESTS_PER_MINUTE,
        metavar="N",
        help="requests a minute at most; 0: no limit (default 100)",
    )
    group.add_argument(
        "--parallelism", type=positive, default=24, metavar="N", help="calls in flight at most (default 24)"
    )
    group.add_argument(
        "--allow-http",
        action="store_true",
        help="send the credentials unencrypted to an http:// SCENARIO_BASE_URL of another machine",
    )


def local(parser: argparse.ArgumentParser) -> None:
    """For commands that ask no service, but are told which one the state belongs to."""
    parser.add_argument("--local", action="store_true", help="the state is one of the embedded Scenario")


def selection(parser: argparse.ArgumentParser, *, training: bool = True) -> None:
    """Which resources."""
    group = parser.add_argument_group("which resources")
    what = "address, glob, tag:NAME, +ADDRESS with what it needs, ADDRESS+ with what needs it"
    group.add_argument("--select", action="append", default=[], metavar="WHAT", help=f"only these: {what}; repeatable")
    group.add_argument("--exclude", action="append", default=[], metavar="WHAT", help="all but these; repeatable")
    if training:
        group.add_argument(
            "--replace", action="append", default=[], metavar="ADDRESS", help="train a new version; repeatable"
        )
        group.add_argument(
            "--train", action="append", default=[], metavar="ADDRESS", help="train one set to manual; repeatable"
        )


def gates(parser: argparse.ArgumentParser) -> None:
    """What stops a plan."""
    group = parser.add_argument_group("what may happen")
    group.add_argument(
        "--limit",
        action="append",
        default=[],
        type=limit,
        metavar="KEY=N",
        help="stop a plan above it: cost=CU, deletes=N, retrains=N, changes_percent=N; or below min_score=0..1",
    )
    group.add_argument(
        "--allow-destroy",
        action="store_true",
        help="consent to deletes where nobody can be asked; a saved plan that deletes needs it again",
    )


def recovery(parser: argparse.ArgumentParser) -> None:
    """What to do about the end of an earlier run that nobody knows."""
    group = parser.add_argument_group("after a lost answer")
    group.add_argument(
        "--adopt",
        action="append",
        default=[],
        metavar="ADDRESS=ID",
        help="the model that came of a creation nobody answered, where several fit; repeatable",
    )


def strict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")


def detailed(parser: argparse.ArgumentParser, codes: str) -> None:
    """--detailed-exitcode; codes says which there are for this command."""
    parser.add_argument("--detailed-exitcode", action="store_true", help=f"tell outcomes apart: {codes}")


def formats(parser: argparse.ArgumentParser, *names: str, default: str = "text") -> None:
    parser.add_argument(
        "--format", choices=names, default=default, metavar="NAME", help=f"{', '.join(names)} (default {default})"
    )


def screen(parser: argparse.ArgumentParser) -> None:
    """What every command takes."""
    group = parser.add_argument_group("the screen")
    group.add_argument("-q", "--quiet", action="store_true", help="results and errors only")
    group.add_argument("-v", "--verbose", action="store_true", help="list everything, shorten nothing")
    group.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")
    group.add_argument("--debug", action="store_true", help="show where an internal error came from")
    group.add_argument("-h", "--help", action="help", help="show this and leave")


def running(parser: argparse.ArgumentParser, *, trains: bool = True) -> None:
    """How a plan is carried out and told about."""
    parser.add_argument("--auto-approve", action="store_true", help="ask nothing")
    if trains:
        parser.add_argument("--no-wait", action="store_true", help="launch trainings and leave")
        parser.add_argument("--timeout", type=seconds, metavar="S", help="leave trainings running after so long")
        parser.add_argument("--poll-interval", type=seconds, metavar="S", help="between two polls (default: paced)")
    formats(parser, "text", "jsonl")
    parser.add_argument("--events", metavar="FILE", help="also write what happens there, one JSON object a line")
    detailed(parser, "3 trainings running, 5 stale plan, 6 a limit stops it, 7 locked, 8 partly failed")

"""Options that several commands share, each written once. Imports nothing heavy: help needs it."""

from __future__ import annotations

import argparse

from scenario_apply.cli.parser import (
    count,
    environment_name,
    fix_kinds,
    fleet_limit,
    limit,
    positive,
    seconds,
    state_file,
    variable,
)
from scenario_apply.model.limits import REQUESTS_PER_MINUTE

_LOCAL = "use the embedded Scenario, stored in .scenario/; needs no account or network"


def manifest(parser: argparse.ArgumentParser, *, plan_too: bool = False, positional: bool = True) -> None:
    """MANIFEST and the values of its variables. positional: False: MANIFEST is read in another way."""
    what = "a file, a folder or a saved plan" if plan_too else "a file or a folder"
    if positional:
        parser.add_argument(
            "manifest", nargs="?", metavar="MANIFEST", help=f"{what} (default: scenario.yaml, else manifests/)"
        )
    group = parser.add_argument_group("manifest")
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
    """Where files of datasets may lie. The manifest cannot grant it: its author need not be the caller."""
    parser.add_argument(
        "--allow-outside-root",
        action="store_true",
        help="let datasets with `allow_outside_root: true` read files outside the manifest's folder "
        "(also: SCENARIO_APPLY_ALLOW_OUTSIDE_ROOT=1)",
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="read datasets from the URLs that the manifest names "
        "(also: SCENARIO_APPLY_ALLOW_REMOTE=1, or =URL,URL to allow only these and what is below them)",
    )


def pulling(parser: argparse.ArgumentParser) -> None:
    """Whether git-lfs may get pictures. The manifest cannot grant it."""
    parser.add_argument(
        "--lfs-pull",
        action="store_true",
        help="let git-lfs pull the Git LFS images to upload, with your own access to the server "
        "(also: SCENARIO_APPLY_LFS_PULL=1; =0 forbids pulling)",
    )


def state(parser: argparse.ArgumentParser, *, locks: bool = False) -> None:
    """Where the state is and, for commands that write it, how long to wait for its lock."""
    group = parser.add_argument_group("state")
    group.add_argument(
        "--state",
        type=state_file,
        metavar="PLACE",
        help="the state: a file, or a store as s3://, gs://, az://, postgres:// or https:// (default: state/NAME.json "
        "beside the manifest)",
    )
    if locks:
        _lock_timeout(group)


def locking(parser: argparse.ArgumentParser) -> None:
    """For commands that name states in another way than --state."""
    _lock_timeout(parser.add_argument_group("state"))


def _lock_timeout(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--lock-timeout", type=seconds, default=0, metavar="S", help="wait up to S seconds for the lock (default 0)"
    )


def engine(parser: argparse._ActionsContainer) -> None:
    """What runs the tasks of many processes or machines."""
    parser.add_argument(
        "--engine",
        default="processes",
        metavar="ENGINE",
        help="what runs the tasks: processes (default), dask, or dask=tcp://HOST:8786 (or tls://) for a scheduler that "
        "runs",
    )


def service(parser: argparse.ArgumentParser, *, rate_limit: int | None = REQUESTS_PER_MINUTE) -> None:
    """Which Scenario to talk to, and how fast. rate_limit None: the default is another file's."""
    group = parser.add_argument_group("service")
    group.add_argument("--local", action="store_true", help=_LOCAL)
    group.add_argument(
        "--rate-limit",
        type=count,
        default=rate_limit,
        metavar="N",
        help="maximum requests a minute, 0 for no limit (default 100)",
    )
    group.add_argument(
        "--parallelism", type=positive, default=24, metavar="N", help="maximum requests in flight (default 24)"
    )
    _allow_http(group)


def _allow_http(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--allow-http",
        action="store_true",
        help="allow sending credentials unencrypted to another machine: an http:// SCENARIO_BASE_URL or --state",
    )


def local(parser: argparse.ArgumentParser) -> None:
    """For commands that send no requests but must know which service the state belongs to."""
    parser.add_argument("--local", action="store_true", help="the state belongs to the embedded Scenario")
    _allow_http(parser)


def selection(parser: argparse.ArgumentParser, *, training: bool = True) -> None:
    """Which resources."""
    group = parser.add_argument_group("selection")
    what = "address, glob, tag:NAME, +ADDRESS (with its dependencies), ADDRESS+ (with its dependants)"
    group.add_argument("--select", action="append", default=[], metavar="WHAT", help=f"only these: {what}; repeatable")
    group.add_argument("--exclude", action="append", default=[], metavar="WHAT", help="all except these; repeatable")
    if training:
        group.add_argument(
            "--replace", action="append", default=[], metavar="ADDRESS", help="train a new version of it; repeatable"
        )
        group.add_argument(
            "--train",
            action="append",
            default=[],
            metavar="ADDRESS",
            help="train it although it is set to manual; repeatable",
        )


def remote_selection(parser: argparse.ArgumentParser) -> None:
    """Which models, and of which project."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="OTHER",
        help="the manifest of the project whose models are meant: its `project:` and, with --local, what the embedded "
        "Scenario holds beside it",
    )
    group = parser.add_argument_group("selection")
    what = "name, ID, address, glob of these, tag:NAME, +WHAT (with the parts of compositions)"
    group.add_argument("--select", action="append", default=[], metavar="WHAT", help=f"only these: {what}; repeatable")
    group.add_argument("--exclude", action="append", default=[], metavar="WHAT", help="all except these; repeatable")


def gates(parser: argparse.ArgumentParser) -> None:
    """What may stop a plan."""
    group = parser.add_argument_group("safety")
    group.add_argument(
        "--limit",
        action="append",
        default=[],
        type=limit,
        metavar="KEY=N",
        help="refuse a plan above cost=CU, samples_cost=CU, deletes=N, retrains=N or changes_percent=N, or below "
        "min_score=0..1",
    )
    group.add_argument(
        "--allow-destroy",
        action="store_true",
        help="allow deletions without prompting; a saved plan that deletes needs it again when applied",
    )


def fleet_gates(parser: argparse.ArgumentParser) -> None:
    """What may stop the plans of a whole fleet."""
    group = parser.add_argument_group("safety")
    group.add_argument(
        "--limit",
        action="append",
        default=[],
        type=fleet_limit,
        metavar="KEY=N",
        help="limit the whole fleet: cost=CU, concurrent=N (trainings at once), deletes=N or retrains=N",
    )
    group.add_argument("--allow-destroy", action="store_true", help="allow deletions without prompting")


def recovery(parser: argparse.ArgumentParser) -> None:
    """How to resolve requests of an earlier run whose response was lost."""
    group = parser.add_argument_group("recovery")
    group.add_argument(
        "--adopt",
        action="append",
        default=[],
        metavar="ADDRESS=ID",
        help="model ID to adopt for a create request whose response was lost; repeatable",
    )


def strict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")


def fixing(parser: argparse.ArgumentParser) -> None:
    """What may be repaired in caption files."""
    group = parser.add_argument_group("repairs")
    group.add_argument(
        "--fix",
        action="store_true",
        help="repair caption files: encoding (to UTF-8), byte order mark, line ends, empty tags, and the trigger (to "
        "the front) where no model was trained with it; shows a diff and asks",
    )
    group.add_argument(
        "--fix-only",
        type=fix_kinds,
        metavar="KINDS",
        help="repair only these: encoding, bom, line-ends, commas, trigger, separated by commas; trigger also moves it "
        "in captions that a model was trained with, which asks for another training",
    )
    group.add_argument("--auto-approve", action="store_true", help="write what --fix shows without asking")


def detailed(parser: argparse.ArgumentParser, codes: str) -> None:
    """--detailed-exitcode; codes says which there are for this command."""
    parser.add_argument("--detailed-exitcode", action="store_true", help=f"use more exit codes: {codes}")


def formats(parser: argparse.ArgumentParser, *names: str, default: str = "text") -> None:
    parser.add_argument(
        "--format", choices=names, default=default, metavar="NAME", help=f"{', '.join(names)} (default {default})"
    )


def comments(parser: argparse.ArgumentParser) -> None:
    """How a comment is written: for which host, how long, with which links."""
    group = parser.add_argument_group("comments (--format markdown)")
    group.add_argument(
        "--flavour",
        choices=("github", "gitlab", "bitbucket", "azure"),
        help="the host of the comment (default: whose CI runs this, else github)",
    )
    group.add_argument(
        "--max-length",
        type=positive,
        metavar="N",
        help="characters at most (default: what the host takes, less 1,024: 65,536 for github, 1,000,000 for gitlab, "
        "32,768 for bitbucket, 150,000 for azure)",
    )
    group.add_argument(
        "--report-url",
        metavar="URL",
        help="where the whole report is, linked where the comment shortens (also: SCENARIO_APPLY_REPORT_URL)",
    )
    group.add_argument(
        "--samples-url",
        metavar="URL",
        help="where the files of .scenario/samples/ are, to show sample pictures that are not in Git (also: "
        "SCENARIO_APPLY_SAMPLES_URL)",
    )
    group.add_argument(
        "--comment-key",
        metavar="KEY",
        help="what its hidden first line names, to find the comment again (default: the manifest's path)",
    )
    group.add_argument("--repo-url", metavar="URL", help="the repository's page, for links (default: as the CI says)")
    group.add_argument("--head", metavar="SHA", help="the commit under review, for links (default: as the CI says)")
    group.add_argument("--base", metavar="SHA", help="the commit it is compared with (default: as the CI says)")


def full(parser: argparse.ArgumentParser, also: str = "") -> None:
    """How much of a plan is shown. also: what else the option does."""
    what = "list every image, caption and value of the plan and shorten nothing"
    parser.add_argument("--full", action="store_true", help=f"{what}{also}")


def screen(parser: argparse.ArgumentParser) -> None:
    """Options of every command."""
    group = parser.add_argument_group("output")
    group.add_argument("-q", "--quiet", action="store_true", help="print results and errors only")
    group.add_argument("-v", "--verbose", action="store_true", help="list everything and shorten nothing")
    group.add_argument("--no-color", action="store_true", help="no colours (also: the variable NO_COLOR)")
    group.add_argument("--debug", action="store_true", help="show where an internal error came from")
    group.add_argument("-h", "--help", action="help", help="show this help and exit")


def running(parser: argparse.ArgumentParser, *, trains: bool = True) -> None:
    """How a plan is applied and reported."""
    parser.add_argument("--auto-approve", action="store_true", help="apply without asking for approval")
    if trains:
        parser.add_argument("--no-wait", action="store_true", help="launch trainings and samples, and exit")
        parser.add_argument(
            "--timeout", type=seconds, metavar="S", help="stop waiting after S seconds (trainings continue)"
        )
        parser.add_argument(
            "--poll-interval",
            type=seconds,
            metavar="S",
            help="seconds between polls (default: adaptive)",
        )
    formats(parser, "text", "jsonl")
    full(parser)
    parser.add_argument("--events", metavar="FILE", help="also write events to FILE, one JSON object a line")
    detailed(parser, "3 trainings running, 5 stale plan, 6 stopped by a limit, 7 locked, 8 partly failed")

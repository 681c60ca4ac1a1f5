"""apply: carry out a plan, made now or saved. May be interrupted and run again at any time.

A saved plan is not trusted: it is planned again, and refused unless that gives the same plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply apply manifests/quickstart --local --auto-approve
  scenario-apply apply manifests/quickstart --local --auto-approve --no-wait
  scenario-apply apply manifests/quickstart --local --auto-approve --report run.html
  scenario-apply apply manifests/quickstart --local --refresh-only --auto-approve
  scenario-apply plan manifests/quickstart --local --out tonight.plan.json
  scenario-apply apply tonight.plan.json --local --auto-approve --allow-destroy
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser, plan_too=True)
    parser.add_argument(
        "--plan-of",
        metavar="MANIFEST",
        help="refuse a saved plan that was not made from this manifest ('': the default one) with the variables and "
        "the selection given here; for pipelines, where others can replace the file",
    )
    options.reading(parser)
    options.pulling(parser)
    parser.add_argument(
        "--refresh-only",
        action="store_true",
        help="record what was changed on Scenario in the state; changes nothing there",
    )
    options.running(parser)
    parser.add_argument(
        "--report", metavar="FILE", help="keep a page of HTML in FILE up to date while the run goes, for a browser"
    )
    options.strict(parser)
    options.selection(parser)
    options.gates(parser)
    options.recovery(parser)
    options.service(parser)
    options.state(parser, locks=True)


def run(call: Invocation) -> int:
    """Show the plan, ask, do it, show the ledger."""
    from scenario_apply.cli.refresh_only import refuse_contradictions
    from scenario_apply.cli.run_plan import run_plan
    from scenario_apply.cli.saved_plans import read_saved_plan

    refuse_contradictions(vars(call.arguments))
    given = call.settings.manifest
    saved = None if given is None else read_saved_plan(given, call.settings.cwd)
    if saved is None and call.arguments.plan_of is not None:
        raise UsageError("--plan-of is for a saved plan", hint="scenario-apply apply PLAN --plan-of MANIFEST")
    return run_plan(call, command="apply", saved=saved)

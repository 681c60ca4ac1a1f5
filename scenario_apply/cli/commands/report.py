"""report: one page of HTML with the plan, the pictures, the state and the history of a manifest. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply report manifests/quickstart --local --out report.html
  scenario-apply report manifests/quickstart --local --no-refresh --out report.html
  scenario-apply report manifests/quickstart --local --no-samples > report.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.reading(parser)
    parser.add_argument("--out", metavar="FILE", help="the file to write (default: stdout, unless that is a terminal)")
    parser.add_argument(
        "--no-refresh", action="store_true", help="send no requests: only files and the state; needs no credentials"
    )
    parser.add_argument("--no-samples", action="store_true", help="without sample images of epochs")
    options.selection(parser, training=False)
    options.gates(parser)
    options.service(parser)
    options.state(parser)


def run(call: Invocation) -> int:
    """Writes the page, and nothing else but the fingerprint cache."""
    from scenario_apply.cli.page_file import PageFile
    from scenario_apply.cli.plan_request import read_request
    from scenario_apply.cli.report_page import report_page
    from scenario_apply.cli.saved_plans import read_saved_plan
    from scenario_apply.errors import ExitCode, UsageError

    out, given = call.arguments.out, call.settings.manifest
    if given is not None and read_saved_plan(given, call.settings.cwd) is not None:
        raise UsageError(f"{given} is a saved plan, not a manifest", hint=f"plan {given} --format html shows it")
    if out is None and call.out.terminal:
        raise UsageError("the report is a page of HTML: name a file for it", hint="--out report.html")
    target = None if out in (None, "-") else PageFile(out, call.settings.cwd, option="--out", may_stream=True)
    request = read_request(call.settings, check=False)
    if target is not None:
        target.begin(request)
    page = report_page(call, request)
    if target is None:
        call.show_page(page.text)
    else:
        target.write(page.text)
        call.tell(f"The report is in {out}.")
    call.warn(page.problems)
    return ExitCode.ERROR if any(problem.severity == "error" for problem in page.problems) else ExitCode.OK

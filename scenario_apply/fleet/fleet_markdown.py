"""A fleet as Markdown, for a pull request or the summary of a job: one table, then the details of projects. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from scenario_apply.fleet.fleet_report import FleetReport, errors_of
from scenario_apply.fleet.fleet_text import cost_words, state_word, sums_text
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.planning.changes import Action
from scenario_apply.review.diagnostics_text import problem_text
from scenario_apply.review.markdown.fitting import Part, fitted, length_of
from scenario_apply.review.markdown.inline import code, fence, in_html, table, words
from scenario_apply.review.markdown.plan_markdown import comment_key, marker
from scenario_apply.review.screen import Screen, counted

LONGEST = 64_512
"""Characters of a comment on GitHub, less what is left to who posts it. The summary of a job takes more."""

_SIGNS = {action.value: action.sign for action in Action}
_SCREEN = Screen(width=100)


def fleet_markdown(report: FleetReport) -> str:
    """The whole comment; where it is too long, the details of projects are counted instead."""
    key = comment_key(f"fleet-{report.path}")
    head = [marker(key, "github"), "", f"### Fleet {report.command} of {code(report.path)}", ""]
    head += [f"**{sums_text(report).rstrip('.')}.**", ""]
    if report.blocked:
        head += [fence(problem_text(report.blocked, _SCREEN))]
    top = "\n".join(head) + "\n"
    rows = [_row(report, run) for run in report.runs]
    listing = table(("project", "state", "manifests", "requests", "cost"), rows)
    short = [f"{counted(len(rows), 'project')}; the table is too long for a comment."]
    details = [Part([partial(_details, report, run)]) for run in report.runs if _has_details(report, run)]
    found = fitted([Part([lambda: listing, lambda: short]), *details], LONGEST - length_of(top) - 200)
    left = sum(not one.text for one in found)
    tail = f"\nThe details of {counted(left, 'project')} are left out.\n" if left else ""
    return top + "".join(one.text for one in found) + tail


def _row(report: FleetReport, run: ProjectRun) -> tuple[str, ...]:
    results = list(run.results.values())
    requests = run.sent if report.command != "plan" else sum(result.requests for result in results)
    cost = ", ".join(cost_words(results)) or "–"
    return (code(run.name), state_word(report, run)[0], f"{len(run.task.manifests):,}", f"{requests:,}", cost)


def _has_details(report: FleetReport, run: ProjectRun) -> bool:
    return bool(errors_of(run)) or any(_lines(run)) or report.command == "status"


def _details(report: FleetReport, run: ProjectRun) -> Iterator[str]:
    yield f"<details><summary>{in_html(run.name)}: {state_word(report, run)[0]}</summary>"
    yield ""
    if problems := errors_of(run):
        yield fence(problem_text(problems, _SCREEN))
    for line in _lines(run):
        yield f"- {line}"
    yield ""
    yield "</details>"


def _lines(run: ProjectRun) -> Iterator[str]:
    for result in run.results.values():
        changes = result.approved["changes"] if result.approved is not None and result.ledger is None else {}
        for address, change in changes.items():
            yield f"{code(result.path)}: {_SIGNS[change['action']]} {code(address)}"
        for line in () if result.ledger is None else result.ledger["failed"]:
            yield f"{code(result.path)}: {code(line['address'])} {words(line['reason'] or 'failed')}"
        for address, status in (result.statuses or {}).items():
            yield f"{code(result.path)}: {code(address)} {words(status['status'])}"

"""A fleet as text: a line a project, what is wrong with each, and the sums. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.errors import ExitCode
from scenario_apply.fleet.fleet_report import FleetReport, charges_of, code_of, errors_of, is_failed
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.tasks import ManifestResult
from scenario_apply.model.amounts import amount, total
from scenario_apply.planning.changes import Action
from scenario_apply.review.diagnostics_text import problem_text
from scenario_apply.review.screen import Color, Screen, columns, counted, duration, fit, pad, prose, safe

_SIGNS = {action.value: action.sign for action in Action}
_LISTED = 6
_WORDS: dict[int, tuple[str, Color | None]] = {
    ExitCode.OK: ("done", "green"),
    ExitCode.CHANGES: ("changes", "yellow"),
    ExitCode.RUNNING: ("training", "cyan"),
    ExitCode.GATE: ("stopped by a limit", "red"),
    ExitCode.STALE: ("stale", "red"),
    ExitCode.LOCKED: ("locked", "red"),
    ExitCode.PARTIAL: ("partly failed", "red"),
    ExitCode.INTERRUPTED: ("interrupted", "red"),
}


def fleet_text(report: FleetReport, screen: Screen) -> str:
    """The whole report."""
    lines = [f"Fleet {safe(report.path)}: {counted(len(report.runs), 'project')}", ""]
    wide = max((columns(safe(run.name)) for run in report.runs), default=0)
    word = max((len(state_word(report, run)[0]) for run in report.runs), default=0)
    for run in report.runs:
        lines.append(_project_line(report, run, min(wide, 40), max(word, 10), screen))
        lines += _manifest_lines(report, run, screen)
    text = "\n".join(lines) + "\n"
    for run in report.runs:
        text += _problems(run, screen)
    if report.blocked:
        text += "\n" + problem_text(report.blocked, screen)
    text += "\n" + "\n".join(prose(sums_text(report), screen.width, screen)) + "\n"
    if report.is_interrupted:
        text += "Interrupted. What was done is recorded; trainings that were launched go on.\n"
    if report.next_command:
        text += f"Next: {safe(report.next_command)}\n"
    return text


def _project_line(report: FleetReport, run: ProjectRun, wide: int, state_wide: int, screen: Screen) -> str:
    word, color = state_word(report, run)
    shown = screen.paint(word, color)
    details = [counted(len(run.task.manifests), "manifest"), *_counts(report, run)]
    return f"  {pad(fit(safe(run.name), wide), wide)}  {shown}{' ' * (state_wide - len(word))}  {', '.join(details)}"


def state_word(report: FleetReport, run: ProjectRun) -> tuple[str, Color | None]:
    """How the project stands, in a word or two."""
    code = code_of(run)
    if code == ExitCode.OK and report.command == "plan":
        return "no changes", None
    if code == ExitCode.OK and report.command == "status":
        return "ok", "green"
    return _WORDS.get(code, ("failed", "red"))


def _counts(report: FleetReport, run: ProjectRun) -> Iterator[str]:
    results = list(run.results.values())
    if report.command == "status":
        yield from _summed(results)
        return
    if report.command == "plan":
        yield from _summed(results)
        requests = sum(result.requests for result in results)
        if requests:
            yield counted(requests, "request")
        yield from cost_words(results)
        return
    done = sum(len({line["address"] for line in r.ledger["done"]}) for r in results if r.ledger is not None)
    failed = sum(len(result.ledger["failed"]) for result in results if result.ledger is not None)
    for number, noun in ((done, "done"), (len(run.running), "training"), (failed, "failed")):
        if number:
            yield f"{number:,} {noun}"
    held = sum(result.held for result in results)
    if held:
        yield f"{held:,} held back"
    yield counted(run.sent, "request")
    charged = total(charge for result in results for charge in charges_of(result))
    if charged:
        yield f"{amount(charged)} CU"


def _summed(results: list[ManifestResult]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for result in results:
        for name, number in result.summary.items():
            counts[name] = counts.get(name, 0) + number
    for name, number in counts.items():
        if number:
            yield f"{number:,} {'unchanged' if name == 'none' else name}"


def cost_words(results: list[ManifestResult]) -> Iterator[str]:
    """What is known of the cost, and of how many resources it is not."""
    cu, unknown = total(result.cu or 0.0 for result in results), sum(result.unknown for result in results)
    if cu:
        yield f"{amount(cu)} CU{_of_samples(results, cu)}"
    if unknown:
        yield f"{counted(unknown, 'resource')} of unknown cost"


def _of_samples(results: list[ManifestResult], cu: float) -> str:
    """How much of that is for samples."""
    samples, known = sum(result.samples for result in results), total(result.samples_cu or 0.0 for result in results)
    if not samples or not known:
        return ""
    drawn = f" for {counted(samples, 'sample')}"
    return drawn if known == cu else f", {amount(known)} of it{drawn}"


def _manifest_lines(report: FleetReport, run: ProjectRun, screen: Screen) -> Iterator[str]:
    """What changes in each manifest; only those with changes, unless all is wanted."""
    for result in run.results.values():
        changes = result.approved["changes"] if result.approved is not None else {}
        if report.command != "plan" or not (changes or screen.verbose):
            continue
        names = [f"{_SIGNS[change['action']]} {safe(address)}" for address, change in changes.items()]
        listed = names if screen.verbose else names[:_LISTED]
        more = f" and {len(names) - len(listed)} more" if len(listed) < len(names) else ""
        yield f"    {safe(result.path)}: {', '.join(listed) or 'no changes'}{more}"


def _problems(run: ProjectRun, screen: Screen) -> str:
    found = errors_of(run)
    text = f"\n{safe(run.name)}:\n{problem_text(found, screen)}" if found else ""
    failures = list(_failures(run))
    if failures:
        text += f"\n{safe(run.name)}:\n" + "".join(f"  {line}\n" for line in failures)
    return text


def _failures(run: ProjectRun) -> Iterator[str]:
    """Steps that failed, and runs that were stopped, with their reasons."""
    for result in run.results.values():
        if result.ledger is None:
            continue
        for line in result.ledger["failed"]:
            yield safe(f"{result.path} {line['address']} {line['what']}: {line['reason'] or 'failed'}")
        for line in result.ledger["unknown"]:
            yield safe(f"{result.path} {line['address']} {line['what']}: unknown, {line['reason'] or 'no answer yet'}")
        if result.ledger["error"]:
            yield safe(f"{result.path}: {result.ledger['error']}")


def sums_text(report: FleetReport) -> str:
    """The sums in a sentence or two."""
    sums = report.sums
    failed = f" {counted(sums.failed, 'project')} failed." if sums.failed else ""
    if report.command == "status":
        counts = ", ".join(f"{number:,} {name}" for name, number in sums.summary.items() if number)
        return f"{counts or 'Nothing is recorded'}.{failed} {counted(sums.sent, 'request')}."
    results = [result for run in report.runs for result in run.results.values()]
    if report.command == "plan":
        counted_actions = {name: sums.summary.get(name, 0) for name in ("create", "update", "retrain", "replace")}
        actions = ", ".join(f"{number:,} {name}" for name, number in counted_actions.items())
        rest = f"{sums.summary.get('delete', 0):,} delete, {sums.summary.get('none', 0):,} unchanged"
        cost = "; ".join(cost_words(results)) or "0 CU"
        return f"Plan: {actions}, {rest}. {counted(sums.steps_requests, 'request')}. {cost}.{failed}"
    took = f" in {duration(report.took_s)}" if report.took_s >= 1 else ""
    running = f" {counted(sums.running, 'training')} running." if sums.running else ""
    good = sums.projects - sum(is_failed(run) for run in report.runs)
    refused = f" ({sums.refused:,} refused by the rate limit)" if sums.refused else ""
    what = f"{good:,} of {counted(sums.projects, 'project')} without failures{took}."
    return f"{what}{running}{failed} {counted(sums.sent, 'request')}{refused}. {amount(sums.charged)} CU."

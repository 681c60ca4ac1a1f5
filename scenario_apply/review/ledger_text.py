"""How a run ended, as text: what is done, running, failed, unknown and not started, what it took, what to run next."""

from __future__ import annotations

from scenario_apply.apply.events import Ledger, LedgerLine
from scenario_apply.model.amounts import amount
from scenario_apply.review.image_lines import listed, more
from scenario_apply.review.screen import Color, Screen, beside, columns, counted, duration, pad, prose, safe
from scenario_apply.review.step_words import failure, kinds_done

LEDGER_LISTS: tuple[tuple[str, str, Color], ...] = (
    ("done", "done", "green"),
    ("running", "running", "cyan"),
    ("adopted", "adopted", "cyan"),
    ("failed", "failed", "red"),
    ("unknown", "unknown", "magenta"),
    ("not_started", "not started", "yellow"),
)
"""The lists of a ledger: name, title, colour."""


_PAST = {
    "create": "created",
    "update": "updated",
    "retrain": "retrained",
    "replace": "replaced",
    "delete": "deleted",
    "wait": "trained",
    "move": "moved",
    "import": "adopted",
    "forget": "forgotten",
    "samples": "samples drawn",
}
_PRESENT = {"wait": "training", "train": "launch"}
_NOT_BEGUN = {"failed": "Stopped by a limit", "interrupted": "Interrupted", "stopped": "Stopped by an error"}
_CONSENT = "--allow-destroy"  # named by the reason of a withheld delete


def ledger_text(ledger: Ledger, screen: Screen, *, destroy: bool = False) -> str:
    """The whole ledger. destroy: of a run that was to delete everything."""
    color: Color = "green" if ledger.status == "done" else "cyan" if ledger.status == "running" else "red"
    lines = [screen.paint(x, color, "bold") for x in prose(headline(ledger, destroy=destroy), screen.width, screen)]
    if ledger.error:
        lines += [f"  {line}" for line in prose(safe(ledger.error), screen.width - 2, screen)]
    shown = [entry for name, _, _ in LEDGER_LISTS for entry in listed(list(getattr(ledger, name)), screen)[0]]
    wide = max((columns(str(entry.address)) for entry in shown), default=0)
    for name, title, list_color in LEDGER_LISTS:
        lines += _list(title, getattr(ledger, name), list_color, wide, screen)
    lines += prose(ledger_sums(ledger), screen.width, screen)
    if ledger.next_command:
        lines.append(f"Next: {safe(ledger.next_command)}")
    return "\n".join(lines) + "\n"


def not_begun_text(ledger: Ledger, screen: Screen) -> str:
    """The ledger of a run that ended before its first step: shown beside the error or the plan, which say the rest."""
    refused = f" ({ledger.refused:,} refused by the rate limit)" if ledger.refused else ""
    lines = [f"Nothing was done. {counted(ledger.requests, 'request')}{refused}."]
    wide = max((columns(str(entry.address)) for entry in ledger.unknown), default=0)
    lines += _list("unknown", ledger.unknown, "magenta", wide, screen)
    if ledger.next_command:
        lines.append(f"Next: {safe(ledger.next_command)}")
    return "\n".join(lines) + "\n"


def headline(ledger: Ledger, *, destroy: bool = False) -> str:
    """The outcome in one or two sentences."""
    if not ledger.begun and ledger.status in _NOT_BEGUN:
        return f"{_NOT_BEGUN[ledger.status]}. Nothing was done."
    if ledger.declined:
        return "Stopped at the price. Nothing was uploaded."
    match ledger.status:
        case "done":
            return (
                f"Destroy complete. {counted(ledger.counts.get('delete', 0), 'model')} deleted."
                if destroy
                else "Apply complete."
            )
        case "running":
            return f"Stopped waiting. {_running(ledger)} on Scenario."
        case "partial":
            if waiting := _only_consent(ledger):
                return f"Applied everything except {waiting} --allow-destroy."
            if not ledger.done:
                return "Failed. Completed steps are recorded."
            return "Partly failed. Everything that does not depend on the failed steps is done."
        case "failed":
            return "Failed."
        case "interrupted":
            return "Interrupted. Requests in flight were finished and recorded; nothing is lost."
        case "stopped":
            anything = (ledger.done, ledger.running, ledger.adopted, ledger.unknown)
            is_idle = ledger.steps_total and not ledger.steps_done and not any(anything)
            return f"Stopped by an error. {'Nothing was done' if is_idle else 'Completed steps are recorded'}."


def _running(ledger: Ledger) -> str:
    """'2 trainings are still running and samples of 1 resource are still being drawn'."""
    trainings = sum(line.what == "training" for line in ledger.running)
    drawn = len(ledger.running) - trainings
    told = [f"{counted(trainings, 'training is', 'trainings are')} still running"] if trainings else []
    told += [f"samples of {counted(drawn, 'resource')} are still being drawn"] if drawn else []
    text = " and ".join(told)
    return text[:1].upper() + text[1:]


def _only_consent(ledger: Ledger) -> str:
    """'2 deletes, which need' where nothing else is left."""
    waiting = [line for line in ledger.not_started if line.what == "delete" and _CONSENT in (line.reason or "")]
    if ledger.failed or ledger.unknown or ledger.running or not waiting or len(waiting) < len(ledger.not_started):
        return ""
    return counted(len(waiting), "delete, which needs", "deletes, which need")


def _list(title: str, entries: tuple[LedgerLine, ...], color: Color, wide: int, screen: Screen) -> list[str]:
    shown, left = listed(list(entries), screen)
    lines: list[str] = []
    for entry in shown:
        start = f"  {pad(title, 11)}  {pad(str(entry.address), wide)}  "
        text = safe(ledger_entry(title, entry))
        first, rest = beside(start, text, screen, indent=15)
        line = f"  {screen.paint(pad(title, 11), color)}  {pad(str(entry.address), wide)}  {first}"
        lines += [line.rstrip(), *rest]
    return lines + more(left, "line", screen)


def ledger_entry(title: str, entry: LedgerLine) -> str:
    """What happened to one entry of a list; not safe to print."""
    words = _PAST if title == "done" else _PRESENT
    what = words.get(entry.what, entry.what)
    where = f" ({entry.remote_id})" if entry.remote_id else ""
    if entry.reason is None:
        return f"{what}{where}"
    if entry.reason.casefold().startswith(f"{what} failed"):
        return f"{failure(what, entry.reason)}{where}"  # the reason says by itself what failed
    return f"{what}{where}: {entry.reason}"


def ledger_sums(ledger: Ledger) -> str:
    """Steps, time, requests and charge of a run, in sentences."""
    parts = [f"{ledger.steps_done:,} of {counted(ledger.steps_total, 'step')}"]
    kinds = kinds_done(ledger.counts)
    sentence = f"{parts[0]} in {duration(ledger.took_s)}{': ' + kinds if kinds else ''}."
    refused = f" ({ledger.refused:,} refused by the rate limit)" if ledger.refused else ""
    cost = "Charge unknown" if ledger.cu_charged is None else f"{amount(ledger.cu_charged)} CU charged"
    return f"{sentence} {counted(ledger.requests, 'request')}{refused}. {cost}."

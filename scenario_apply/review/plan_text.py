"""A plan as text: what it is for, changes made outside, every change with its reasons, what stops it, the sum."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.reasons import DeleteNeedsConsent, DestroyAskedFor, MovedFrom, NotSelected
from scenario_apply.review.affected_text import affected_text
from scenario_apply.review.change_view import dependants_of
from scenario_apply.review.diagnostics_text import problem_text
from scenario_apply.review.drift_text import drift_text
from scenario_apply.review.image_lines import caption_lines, image_lines, listed, more
from scenario_apply.review.pair_lines import pair_lines
from scenario_apply.review.reason_words import reason_text
from scenario_apply.review.screen import (
    Color,
    Screen,
    columns,
    counted,
    duration,
    hanging,
    pad,
    prose,
    safe,
    wrap,
)
from scenario_apply.review.step_sums import sum_text
from scenario_apply.review.values import about, attribute_text, cost_text

_COLORS: dict[Action, Color] = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.RETRAIN: "yellow",
    Action.REPLACE: "yellow",
    Action.DELETE: "red",
    Action.WAIT: "cyan",
    Action.MOVE: "cyan",
    Action.IMPORT: "cyan",
    Action.FORGET: "dim",
    Action.NONE: "dim",
}
_INDENT = "      "
LOCAL = "local"
"""The endpoint that plans for the embedded Scenario record."""

_NAMED = 5  # addresses in a sentence
_LEFT_OUT = NotSelected()  # the note of what --select or --exclude leaves out
MANY = 40
"""More changes than this are shown in a line or two each."""


def plan_text(
    plan: Plan,
    screen: Screen,
    *,
    only_drift: bool = False,
    destroy: bool = False,
    recorded: Collection[Address] | None = None,
    next_command: str | None = None,
    complete: Callable[[str], str] = lambda text: text,
) -> str:
    """The whole plan: header, legend, changes, what stops it, summary, and the command that applies it.

    only_drift: of a plan --refresh-only. destroy: problems of images and captions are left out. recorded: what the
    state holds; None: all that stays as it is. complete: adds to commands in notes and hints what they lack.
    """
    title = "Drift check" if only_drift else "Destroy plan" if destroy else "Plan"
    parts = (
        []
        if screen.quiet
        else [
            _sentence(f"{title} for {safe(plan_subject(plan))}", screen) + ("" if only_drift else _legend(plan, screen))
        ]
    )
    parts.append(drift_text(plan.drift, screen))
    if not only_drift:
        changed = [change for change in plan.changes if change.action is not Action.NONE]
        brief = len(changed) > MANY and not screen.verbose
        twins = {} if screen.verbose else _twins(changed)
        drawn = [_change(c, screen, twins.get(c.address), complete, brief=brief, destroy=destroy) for c in changed]
        blocks = ["\n".join(lines) + "\n" for lines in drawn]
        parts += ["".join(blocks)] if brief else blocks
        parts += [f"    {len(changed):,} changes; -v shows images, captions and values of each\n"] if brief else []
        parts.append(_unchanged(plan, screen, complete))
    if not destroy:
        parts.append(problem_text(_completed(plan.diagnostics, complete), screen, count=len(plan.diagnostics) > 3))
    if plan.blocked:
        title = screen.paint("This plan cannot be applied:", "red", "bold")
        parts.append(f"{title}\n{problem_text(_completed(plan.blocked, complete), screen, count=False)}")
    if only_drift:
        parts.append(_sentence(_drift_sentence(plan, has_next=next_command is not None), screen))
    elif plan.has_changes:
        parts.append("".join(f"{line}\n" for line in summary_lines(plan, screen, destroy=destroy)))
    elif not plan.blocked:  # what is forbidden would be a change
        parts.append(_sentence(_nothing(plan, recorded, destroy=destroy), screen))
    if next_command is not None and not screen.quiet:
        parts.append(f"Next: {safe(next_command)}\n")
    return "\n".join(part for part in parts if part)


def _sentence(text: str, screen: Screen) -> str:
    return "".join(f"{line}\n" for line in prose(text, screen.width, screen))


# -- the start: what the plan is for


def service_name(endpoint: str, project: str | None) -> str:
    """'Scenario (project X)', or the embedded one; not safe to print."""
    if endpoint == LOCAL:
        return "the embedded Scenario"
    return "Scenario" if project is None else f"Scenario (project {project})"


def plan_subject(plan: Plan) -> str:
    """What a plan is for: 'scenario.yaml on the embedded Scenario'; not safe to print."""
    source = plan.source
    at = "" if source.endpoint == LOCAL else f" at {source.endpoint}"
    return f"{source.manifest_path} on {service_name(source.endpoint, source.project)}{at}"


def _legend(plan: Plan, screen: Screen) -> str:
    """The signs that the plan uses: '+ create  ± replace'."""
    used = {change.action for change in plan.changes} - {Action.NONE}
    signs = [f"{action.sign}\0{action.value}\0" for action in Action if action in used]
    lines = wrap(" ".join(signs), screen.width - 2) if signs else []
    return "".join(f"  {line}".replace("\0", " ").rstrip() + "\n" for line in lines)


# -- the end: the sum


def summary_lines(plan: Plan, screen: Screen, *, destroy: bool = False) -> list[str]:
    """The `Plan:` line, on as many lines as the screen needs. destroy: without what no destroy does."""
    title = screen.paint("Plan:", "bold")
    counts, price = f"{plan_counts(plan, destroy=destroy)}.", f"{_requests(plan)} {_price(plan)}"
    price = f"{_requests(plan)} No charge." if destroy else price
    if not screen.terminal or columns(f"Plan: {counts} {price}") <= screen.width:
        return [f"{title} {counts} {price}"]  # one line for those who search it
    together = re.compile(r"(?<=\d) (?=[a-z])")  # a number stays with its word
    lines = [
        line.replace("\0", " ") for text in (counts, price) for line in wrap(together.sub("\0", text), screen.width - 6)
    ]
    return [f"{title} {lines[0]}", *(f"      {line}" for line in lines[1:])]


def plan_counts(plan: Plan, *, destroy: bool = False) -> str:
    """'1 create, 0 update, 2 replace, 0 delete, 3 unchanged'."""
    summary = plan.summary
    always = ("delete",) if destroy else ("create", "update", "replace", "delete")
    order = ("create", "update", "retrain", "replace", "delete", "wait", "move", "import", "forget")
    parts = [f"{summary.get(key, 0):,} {key}" for key in order if key in always or summary.get(key)]
    left_out = sum(_LEFT_OUT in change.notes for change in plan.changes if change.action is Action.NONE)
    unchanged = summary["none"] - left_out
    if unchanged or not destroy:
        parts.append(f"{unchanged:,} {'kept' if destroy else 'unchanged'}")
    return ", ".join([*parts, f"{left_out:,} not selected"] if left_out else parts)


def _requests(plan: Plan) -> str:
    text = counted(plan.requests_total, "request")
    if plan.seconds_at_limit:  # what fits into the first minute's budget need not wait
        text += f", at least {duration(plan.seconds_at_limit)} at {plan.rate_limit:,}/min"
    polls = plan.requests_by_step.get("wait", 0)
    return f"{text} (polls: about {polls:,})." if polls else f"{text}."


def _price(plan: Plan) -> str:
    unknown = plan.costs("unknown")
    if plan.cu is None:
        return "Cost unknown (no model of this type exists yet; checked against the limits before training)."
    if unknown:
        return f"A{about(plan.cu)[1:]}, plus {counted(len(unknown), 'training')} of unknown cost."
    if plan.costs("history"):
        part = "partly " if plan.costs("quoted") else ""
        return f"A{about(plan.cu)[1:]} ({part}estimated from past trainings)."
    return f"{amount(plan.cu)} CU."


def _nothing(plan: Plan, recorded: Collection[Address] | None, *, destroy: bool) -> str:
    """Why there is nothing to do."""
    addresses = [change.address for change in plan.changes]
    held = [address for address in addresses if recorded is None or address in recorded]
    if destroy:
        if not held:
            return "Nothing to destroy: the state records no resource."
        return f"Nothing to destroy: {counted(len(held), 'resource is', 'resources are')} kept, as noted above."
    if not addresses:
        return "No changes. The manifest declares no model or composition, and the state records none."
    unchecked = "" if plan.refreshed else " (not compared with Scenario)"
    if len(held) == len(addresses):
        left_out = sum(_LEFT_OUT in change.notes for change in plan.changes)
        matching = len(held) - left_out
        subject = f"{'All ' if matching > 1 else ''}{counted(matching, 'resource matches', 'resources match')}"
        unselected = f"; {left_out:,} not selected" if left_out else ""
        return f"No changes. {subject} the manifest{unselected}{unchecked}."
    waiting = [str(address) for address in addresses if address not in held]
    named = f"{', '.join(waiting[:_NAMED])}{f' and {len(waiting) - _NAMED:,} more' if len(waiting) > _NAMED else ''}"
    left = f"This plan does not create {safe(named)}."
    if not held:
        return f"No changes. The state records no resource. {left}"
    recorded_ones = counted(len(held), "resource matches", "resources match")
    return f"No changes. {recorded_ones} the manifest{unchecked}. {left}"


def _drift_sentence(plan: Plan, *, has_next: bool) -> str:
    if not plan.drift:
        return "No drift. The recorded state matches Scenario."
    addresses = len({drift.address for drift in plan.drift})
    differences = counted(len(plan.drift), "difference")
    how = "" if has_next else " Run `scenario-apply plan` to see how to repair it."
    return f"Drift: {differences} in {counted(addresses, 'resource')}.{how}"


# -- one change


def _twins(changes: Iterable[Change]) -> dict[Address, Address]:
    """Changes with the images and captions of an earlier one: children of a matrix, models that share a dataset."""
    first: dict[object, Address] = {}
    twins = {}
    for change in changes:
        if change.images or change.captions or change.pairs:
            twin = first.setdefault((change.images, change.captions, change.pairs), change.address)
            if twin != change.address:
                twins[change.address] = twin
    return twins


def _completed(problems: Iterable[Diagnostic], complete: Callable[[str], str]) -> list[Diagnostic]:
    return [replace(p, hint=complete(p.hint)) if p.hint is not None else p for p in problems]


def _change(
    change: Change,
    screen: Screen,
    twin: Address | None,
    complete: Callable[[str], str],
    *,
    brief: bool,
    destroy: bool,
) -> list[str]:
    """twin: another change with the same images and captions, which shows them."""
    lines = _title(change, screen)
    # what the title of a move, or of the plan, says already
    said = (*((MovedFrom,) if change.action is Action.MOVE else ()), *((DestroyAskedFor,) if destroy else ()))
    reasons = [reason for reason in change.reasons if not isinstance(reason, said)]
    if reasons:
        lines += hanging(f"{_INDENT}because ", safe("; ".join(map(reason_text, reasons))), screen)
    for note in change.notes:
        needs_consent = isinstance(note, DeleteNeedsConsent)
        if needs_consent or not screen.quiet:
            color: Color | None = "yellow" if needs_consent else None
            lines += hanging(f"{_INDENT}note ", safe(complete(reason_text(note))), screen, color=color)
    if change.affects:
        lines += hanging(_INDENT, safe(affected_text(dependants_of(change))), screen)
    if brief:
        return lines
    if screen.verbose or change.action is Action.CREATE:
        lines += _attributes(change, screen)
    listed_ones = [*pair_lines(change, screen), *image_lines(change, screen), *caption_lines(change, screen)]
    if twin is not None and len(listed_ones) > 1:
        what = _twin_words(change)
        listed_ones = hanging(_INDENT, f"{what} as {safe(str(twin))}", screen)
    lines += listed_ones
    if change.arithmetic is not None:
        lines += hanging(_INDENT, safe(sum_text(change.arithmetic, change.step_sources)), screen)
    return lines


def _twin_words(change: Change) -> str:
    pairs = " and pairs" if change.pairs else ""
    return f"the same images{pairs}" if change.action is Action.CREATE else "the same changes of images and captions"


def _title(change: Change, screen: Screen) -> list[str]:
    address = safe(str(change.previous_address if change.action is Action.MOVE else change.address))
    color = _COLORS[change.action]
    if change.action is Action.MOVE:
        address = safe(str(change.previous_address))
    text = f"  {change.action.sign} {address} {_phrase(change)}"
    painted = f"  {screen.paint(change.action.sign, color, 'bold')} {screen.paint(address, 'bold')} {_phrase(change)}"
    bracket = _bracket(change)
    if not bracket:
        return [painted]
    room = screen.width - columns(text) - columns(bracket)
    if room >= 2:
        return [painted + " " * room + screen.paint(bracket, "dim")]
    return [painted, " " * max(screen.width - columns(bracket), 6) + screen.paint(bracket, "dim")]


def _phrase(change: Change) -> str:
    trains = change.change_class == "training" and change.cost.source != "none"
    match change.action:
        case Action.CREATE:
            return "will be created and trained" if trains else "will be created"
        case Action.UPDATE:
            return "will be updated"
        case Action.RETRAIN:
            return "will be retrained"
        case Action.REPLACE:
            return "will be replaced"
        case Action.DELETE:
            return "will be deleted"
        case Action.WAIT:
            return "is still training"
        case Action.MOVE:
            return f"is renamed to {safe(str(change.address))} (no training)"
        case Action.IMPORT:
            return "will be adopted"
        case Action.FORGET:
            return "will be forgotten"
        case Action.NONE:
            return "stays as it is"


def _bracket(change: Change) -> str:
    parts = []
    if price := cost_text(change.cost):
        parts.append(price)
    elif change.action in (Action.UPDATE, Action.DELETE):
        parts.append("free")
    if change.requests:
        parts.append(counted(change.requests, "request"))
    return f"[{', '.join(parts)}]" if parts else ""


def _attributes(change: Change, screen: Screen) -> list[str]:
    """Its attributes; with -v, those that change, with old and new value."""
    after, before = change.after or {}, change.before or {}
    rows: list[tuple[str, str]] = []
    for key in (*after, *(key for key in before if key not in after)):
        old, new = before.get(key), after.get(key)
        if change.before is None or key == "id":
            rows.append((key, attribute_text(key, new if key in after else old)))
        elif change.after is not None and old != new:
            rows.append((key, f"{attribute_text(key, old)} -> {attribute_text(key, new)}"))
    rows = [(key, text) for key, text in rows if text]
    if change.action is Action.CREATE and change.image_count:
        rows.append(("images", f"{change.image_count:,}"))
    if change.action is Action.CREATE and change.pairs:
        rows.append(("pairs", f"{len(change.pairs.add):,}"))
    wide = max((columns(key) for key, _ in rows), default=0)
    return [line for key, text in rows for line in hanging(f"{_INDENT}{pad(safe(key), wide)}  ", safe(text), screen)]


# -- around the changes


def _unchanged(plan: Plan, screen: Screen, complete: Callable[[str], str]) -> str:
    """Notes about resources that stay as they are."""
    noted = [change for change in plan.changes if change.action is Action.NONE and change.notes]
    if screen.quiet:
        return ""
    if not screen.verbose:
        noted = [change for change in noted if change.notes != (NotSelected(),)]
    shown, left = listed(noted, screen)
    lines: list[str] = []
    for change in shown:
        told = complete("; ".join(map(reason_text, change.notes)))
        lines += hanging(f"    {safe(str(change.address))}: ", safe(told), screen)
    return "".join(f"{line}\n" for line in lines + more(left, "resource", screen))

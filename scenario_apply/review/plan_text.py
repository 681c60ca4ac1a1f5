"""A plan as text: what it is for, changes made outside, every change with its reasons, what stops it, the sum."""

from __future__ import annotations

import re
from collections.abc import Iterable

from scenario_apply.planning.changes import Action
from scenario_apply.review.affected_text import affected_text
from scenario_apply.review.change_view import AttributeView, ChangeView
from scenario_apply.review.diagnostics_text import problem_text
from scenario_apply.review.drift_text import drift_text
from scenario_apply.review.image_lines import caption_lines, image_lines, listed, more
from scenario_apply.review.pair_lines import pair_lines
from scenario_apply.review.plan_view import NOT_SELECTED, PlanView
from scenario_apply.review.plan_words import (
    counts_text,
    drift_sentence,
    nothing_text,
    price_and_requests,
    price_text,
    requests_text,
    subject_text,
    title_address,
    twin_text,
    values_text,
)
from scenario_apply.review.sample_lines import sample_lines
from scenario_apply.review.screen import Color, Screen, columns, hanging, pad, prose, safe, wrap

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
MANY = 40
"""More changes than this are shown in a line or two each, unless something stands against the plan."""


def plan_text(view: PlanView, screen: Screen) -> str:
    """The whole plan: header, legend, changes, what stops it, summary, and the command that applies it.

    complete: adds to commands in notes and hints what they lack.
    """
    store = "" if view.store is None else f", state in {view.store}"
    head = _sentence(f"{view.title} for {subject_text(view)}{store}", screen)
    parts = [] if screen.quiet else [head + _legend(view, screen)]
    parts.append(drift_text(view.drift, screen))
    if view.mode != "drift":
        parts += _changes(view, screen)
        parts.append(_unchanged(view, screen))
    if view.mode != "destroy":
        parts.append(problem_text(view.diagnostics, screen, count=len(view.diagnostics) > 3))
    for title, problems in (
        ("This saved plan is stale:", view.status.stale),
        ("This plan cannot be applied:", view.status.blocked),
    ):
        if problems:
            heading = screen.paint(title, "red", "bold")
            parts.append(f"{heading}\n{problem_text(problems, screen, count=False)}")
    if view.mode == "drift":
        parts.append(_sentence(drift_sentence(view), screen))
    elif view.changes:
        parts.append("".join(f"{line}\n" for line in summary_lines(view, screen)))
    elif not view.status.blocked:  # what is forbidden would be a change
        parts.append(_sentence(nothing_text(view), screen))
    if view.next_command is not None and not screen.quiet:
        parts.append(f"Next: {safe(view.next_command)}\n")
    return "\n".join(part for part in parts if part)


def _sentence(text: str, screen: Screen) -> str:
    return "".join(f"{line}\n" for line in prose(safe(text), screen.width, screen))


def _legend(view: PlanView, screen: Screen) -> str:
    """The signs that the plan uses: '+ create  ± replace'."""
    used = {change.action for change in view.changes} if view.mode != "drift" else set()
    signs = [f"{action.sign}\0{action.value}\0" for action in Action if action in used]
    lines = wrap(" ".join(signs), screen.width - 2) if signs else []
    return "".join(f"  {line}".replace("\0", " ").rstrip() + "\n" for line in lines)


def summary_lines(view: PlanView, screen: Screen) -> list[str]:
    """The `Plan:` line, on as many lines as the screen needs."""
    title = screen.paint("Plan:", "bold")
    counts, price = f"{counts_text(view)}.", f"{requests_text(view.totals)} {price_text(view)}"
    if not screen.terminal or columns(f"Plan: {counts} {price}") <= screen.width:
        return [f"{title} {counts} {price}"]  # one line for those who search it
    together = re.compile(r"(?<=\d) (?=[a-z])")  # a number stays with its word
    lines = [
        line.replace("\0", " ") for text in (counts, price) for line in wrap(together.sub("\0", text), screen.width - 6)
    ]
    return [f"{title} {lines[0]}", *(f"      {line}" for line in lines[1:])]


# -- one change


def _changes(view: PlanView, screen: Screen) -> list[str]:
    brief = len(view.changes) > MANY and not screen.verbose and not view.status.is_whole
    blocks = ["\n".join(_change(change, screen, brief=brief)) + "\n" for change in view.changes]
    if brief:
        left = f"    {len(view.changes):,} changes; --full shows images, captions and values of each\n"
        return ["".join(blocks), left]
    return blocks


def _change(change: ChangeView, screen: Screen, *, brief: bool) -> list[str]:
    lines = _title(change, screen)
    if change.reasons:
        lines += hanging(f"{_INDENT}because ", safe("; ".join(reason.text for reason in change.reasons)), screen)
    for note in change.notes:
        if note.needs_consent or not screen.quiet:
            color: Color | None = "yellow" if note.needs_consent else None
            lines += hanging(f"{_INDENT}note ", safe(note.text), screen, color=color)
    if change.beside.dependants:
        lines += hanging(_INDENT, safe(affected_text(change.beside.dependants)), screen)
    if brief:
        return lines
    if screen.verbose or change.action is Action.CREATE:
        lines += _attributes(change, screen)
    listed_ones = [*pair_lines(change, screen), *image_lines(change, screen), *caption_lines(change, screen)]
    if change.twin is not None and not screen.verbose and len(listed_ones) > 1:
        listed_ones = hanging(_INDENT, safe(twin_text(change)), screen)
    lines += listed_ones
    if change.training is not None:
        lines += hanging(_INDENT, safe(change.training), screen)
    return lines + sample_lines(change, screen)


def _title(change: ChangeView, screen: Screen) -> list[str]:
    address, phrase = safe(title_address(change)), safe(change.phrase)
    color = _COLORS[change.action]
    text = f"  {change.sign} {address} {phrase}"
    painted = f"  {screen.paint(change.sign, color, 'bold')} {screen.paint(address, 'bold')} {phrase}"
    parts = price_and_requests(change)
    if not parts:
        return [painted]
    bracket = f"[{', '.join(parts)}]"
    room = screen.width - columns(text) - columns(bracket)
    if room >= 2:
        return [painted + " " * room + screen.paint(bracket, "dim")]
    return [painted, " " * max(screen.width - columns(bracket), 6) + screen.paint(bracket, "dim")]


def _attributes(change: ChangeView, screen: Screen) -> list[str]:
    """Its attributes; with -v, those that change, with old and new value."""
    rows: list[tuple[str, str]] = []
    exists = any(attribute.before is not None for attribute in change.attributes)
    for attribute in change.attributes if exists else _joined(change.attributes):
        if not exists or attribute.name == "id":
            rows.append((attribute.name, (attribute.after if attribute.after is not None else attribute.before) or ""))
        elif attribute.is_changed and change.action not in (Action.DELETE, Action.FORGET):
            rows.append((attribute.name, "{} -> {}".format(*values_text(attribute))))
    rows = [(key, text) for key, text in rows if text]
    if change.action is Action.CREATE and change.image_count:
        rows.append(("images", f"{change.image_count:,}"))
    if change.action is Action.CREATE and change.pairs:
        rows.append(("pairs", f"{len(change.pairs):,}"))
    wide = max((columns(key) for key, _ in rows), default=0)
    return [line for key, text in rows for line in hanging(f"{_INDENT}{pad(safe(key), wide)}  ", safe(text), screen)]


def _joined(attributes: Iterable[AttributeView]) -> list[AttributeView]:
    """The attributes of something new, with all parameters on one line."""
    rest = [attribute for attribute in attributes if not attribute.is_parameter]
    values = ", ".join(f"{one.name}={one.after}" for one in attributes if one.is_parameter)
    return [*rest, AttributeView(name="parameters", before=None, after=values)] if values else rest


# -- around the changes


def _unchanged(view: PlanView, screen: Screen) -> str:
    """Notes about resources that stay as they are."""
    if screen.quiet:
        return ""
    noted = [c for c in view.kept if screen.verbose or [note.code for note in c.notes] != [NOT_SELECTED.code]]
    shown, left = listed(noted, screen)
    lines: list[str] = []
    for change in shown:
        text = safe("; ".join(note.text for note in change.notes))
        lines += hanging(f"    {safe(str(change.address))}: ", text, screen)
    return "".join(f"{line}\n" for line in lines + more(left, "resource", screen))

"""Errors and warnings as text: what, where with the line itself, and the hint; many of a kind are folded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from scenario_apply.errors import Diagnostic, Location, Severity
from scenario_apply.review.screen import Color, Screen, columns, counted, fit, hanging, prose, safe

MOST = 40
"""Problems drawn in full, unless asked for all."""
MOST_OF_A_KIND = 5
"""Of the same code in the same file."""

_NOUNS: tuple[tuple[Severity, str], ...] = (("error", "error"), ("warning", "warning"), ("info", "note"))
_COLORS: dict[str, Color] = {"error": "red", "warning": "yellow", "info": "cyan"}
_RANK = {"error": 0, "warning": 1, "info": 2}


def problem_text(problems: Iterable[Diagnostic], screen: Screen, *, count: bool = True) -> str:
    """All problems, errors first, grouped by file; ends with how many there are when there are several."""
    found = sorted(dict.fromkeys(problems), key=_order)
    if screen.quiet:
        found = [problem for problem in found if problem.severity == "error"]
    shown, folded = _bounded(found, screen)
    blocks = [_block(problem, screen) for problem in shown]
    blocks += [[screen.paint(line, "dim")] for line in folded]
    if count and len(found) > 1:
        blocks.append([tally(found) + "."])
    return "".join("\n".join(block) + "\n" for block in blocks)


def tally(problems: Sequence[Diagnostic]) -> str:
    """'2 errors, 1 warning'; notes are not counted among others."""
    counts = Counter(problem.severity for problem in problems)
    return ", ".join(counted(counts[severity], noun) for severity, noun in _NOUNS if counts[severity])


def _order(problem: Diagnostic) -> tuple[int, str, int, int]:
    place = problem.location
    if place is None:
        return _RANK[problem.severity], "", 0, 0
    return _RANK[problem.severity], place.file, place.line or 0, place.column or 0


def _bounded(problems: list[Diagnostic], screen: Screen) -> tuple[list[Diagnostic], list[str]]:
    if screen.verbose:
        return problems, []
    shown: list[Diagnostic] = []
    seen: Counter[tuple[str, str]] = Counter()
    left: Counter[tuple[str, str]] = Counter()
    for problem in problems:
        kind = (problem.code, problem.location.file if problem.location is not None else "")
        seen[kind] += 1
        if len(shown) >= MOST or (seen[kind] > MOST_OF_A_KIND and _has_many(problems)):
            left[kind] += 1
        else:
            shown.append(problem)
    lines = [
        f"… and {number:,} more {safe(code)}{' in ' + safe(file) if file else ''}"
        for (code, file), number in left.most_common(12)
    ]
    others = sum(left.values()) - sum(number for _, number in left.most_common(12))
    if others:
        lines.append(f"… and {others:,} more of other kinds")
    return shown, [*lines, "-v lists them all"] if lines else []


def _has_many(problems: list[Diagnostic]) -> bool:
    return len(problems) > 2 * MOST_OF_A_KIND


def _block(problem: Diagnostic, screen: Screen) -> list[str]:
    word = "note" if problem.severity == "info" else problem.severity
    title = f"{word}[{safe(problem.code)}]:"
    # further lines of the sentence are indented by two columns, not set under its start: codes may be long
    first, *rest = prose(f"{title} {safe(problem.message)}", screen.width - 2, screen)
    lines = [screen.paint(title, _COLORS[problem.severity], "bold") + first[len(title) :]]
    lines += [f"  {line}" for line in rest]
    if problem.location is not None:
        lines += _place(problem.location, screen)
    if problem.hint and not screen.quiet:
        lines += hanging("  hint  ", safe(problem.hint), screen)
    return lines


def _place(place: Location, screen: Screen) -> list[str]:
    lines = [f"  at    {safe(str(place))}"]
    if place.text is None or not place.text.strip():
        return lines
    source, marker = _source(place.text, place.column, screen.width - 10)
    lines.append(screen.paint("        | ", "dim") + source)
    if marker is not None:
        lines.append(screen.paint("        | ", "dim") + " " * marker + screen.paint("^", "red"))
    return lines


def _source(text: str, column: int | None, width: int) -> tuple[str, int | None]:
    """The line, without its indent, as far as it fits; and where in it the column stands."""
    text = text.rstrip("\r\n")
    body = text.lstrip(" \t")
    indent = len(text) - len(body)
    line = safe(body.rstrip())
    if column is None or column - 1 < indent:
        return fit(line, width), None
    marker = columns(safe(body[: column - 1 - indent]))
    if marker >= width - 2:  # a long line: show the part that matters
        start = max(0, column - 1 - indent - width // 2)
        line, marker = "…" + safe(body[start:].rstrip()), 1 + columns(safe(body[start : column - 1 - indent]))
    return fit(line, width), marker

"""Errors and warnings as text, in the form of rustc and ruff: message, location, the line with a marker, and a hint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from scenario_apply.errors import Diagnostic, Location, Severity
from scenario_apply.model.lint_rules import BY_CODE, NOTES_ABOUT_UNREAD
from scenario_apply.review.screen import Color, Screen, counted, hanging, prose, safe
from scenario_apply.review.source_line import excerpt

LISTED_OF_A_CODE = 5
"""Diagnostics with the same code that are drawn, unless all are wanted."""
_ALIKE = 3
"""From so many problems that say the same of different lines only the first is drawn with its line."""
_REST = re.compile(r"\.\.\. and (\d+) more of this kind")
"""How a dataset reports the findings beyond those that it names (dataset/lint/lint.py)."""
_FEW = 10
"""Up to so many diagnostics are all drawn."""

_NOUNS: tuple[tuple[Severity, str], ...] = (("error", "error"), ("warning", "warning"), ("info", "note"))
_COLORS: dict[str, Color] = {"error": "red", "warning": "yellow", "info": "cyan"}
_RANK = {"error": 0, "warning": 1, "info": 2}


def problem_text(problems: Iterable[Diagnostic], screen: Screen, *, count: bool = True) -> str:
    """All problems, errors first, then by file; ends with how many there are when there are several.

    Notes of lint rules are only counted unless the screen is verbose.
    Problems with the same code that point at whole files are drawn as one, with the files listed.
    """
    found = sorted(dict.fromkeys(problems), key=_order)
    if screen.quiet:
        found = [problem for problem in found if problem.severity == "error"]
    notes = [] if screen.verbose else [problem for problem in found if _is_minor(problem)]
    found = [problem for problem in found if problem not in notes] if notes else found
    unlisted = _unlisted(found)
    by_code: dict[tuple[str, str, bool], list[Diagnostic]] = {}
    for problem in found:
        if (problem.severity, problem.code) in unlisted and _REST.fullmatch(problem.message):
            continue  # said below those that are listed
        by_code.setdefault((problem.severity, problem.code, _is_on_file(problem)), []).append(problem)
    is_bounded = len(found) > _FEW and not screen.verbose
    blocks: list[list[str]] = []
    for (severity, code, is_on_file), alike in by_code.items():
        if is_on_file and len(alike) > 1:
            blocks.append(_files_block(alike, screen, unlisted.get((severity, code), 0)))
            continue
        if len(alike) >= _ALIKE and len({(problem.message, problem.hint) for problem in alike}) == 1:
            blocks.append(_places_block(alike, screen))
            continue
        shown = alike[:LISTED_OF_A_CODE] if is_bounded and len(alike) > LISTED_OF_A_CODE + 1 else alike
        blocks += [_block(problem, screen) for problem in shown]
        blocks += [_more(len(alike) - len(shown), f" {safe(code)}", screen)] if len(shown) < len(alike) else []
    text = ""
    for number, block in enumerate(blocks):
        # one-line diagnostics are a list; longer ones are set apart
        text += "\n" if number and max(len(block), len(blocks[number - 1])) > 1 else ""
        text += "".join(f"{line}\n" for line in block)
    ending = [tally(found)] if count and len(found) > 1 else []
    if notes:
        ending.append(f"-v shows {tally(notes)}{' more' if any(p.severity == 'info' for p in found) else ''}")
    if ending:
        text += f"{'' if all(len(block) == 1 for block in blocks) else chr(10)}{'; '.join(ending)}.\n"
    return text


def _is_minor(problem: Diagnostic) -> bool:
    return problem.severity == "info" and problem.code in BY_CODE and problem.code not in NOTES_ABOUT_UNREAD


def _unlisted(problems: Sequence[Diagnostic]) -> dict[tuple[str, str], int]:
    """Severity and code -> how many findings on files no diagnostic names, because there are hundreds of them."""
    named = {(problem.severity, problem.code) for problem in problems if _is_on_file(problem)}
    numbers: Counter[tuple[str, str]] = Counter()
    for problem in problems:
        rest = _REST.fullmatch(problem.message)
        if rest is not None and (problem.severity, problem.code) in named:
            numbers[problem.severity, problem.code] += int(rest[1])
    return numbers


def tally(problems: Sequence[Diagnostic]) -> str:
    """'2 errors, 1 warning'; notes are not counted among others."""
    counts: Counter[Severity] = Counter()
    for problem in problems:
        rest = _REST.fullmatch(problem.message)
        counts[problem.severity] += 1 if rest is None else int(rest[1])
    return ", ".join(counted(counts[severity], noun) for severity, noun in _NOUNS if counts[severity])


def title(problem: Diagnostic) -> str:
    """'error[unknown-key]', 'warning[D03 near-duplicate]': lint rules show their name beside their code."""
    word = "note" if problem.severity == "info" else problem.severity
    rule = BY_CODE.get(problem.code)
    name = f" {rule.name}" if rule is not None and rule.name != rule.code else ""
    return f"{word}[{safe(problem.code)}{name}]"


def _order(problem: Diagnostic) -> tuple[int, str, int, int]:
    place = problem.location
    if place is None:
        return _RANK[problem.severity], "", 0, 0
    return _RANK[problem.severity], place.file, place.line or 0, place.column or 0


def _is_on_file(problem: Diagnostic) -> bool:
    return problem.location is not None and not (problem.location.text or "").strip()


def _block(problem: Diagnostic, screen: Screen) -> list[str]:
    lines = _heading(problem, problem.message, screen)
    if problem.location is not None:
        lines += _source(problem.location, screen)
    return lines + _hint(problem.hint, screen)


def _places_block(alike: Sequence[Diagnostic], screen: Screen) -> list[str]:
    """The same problem in several places: the first with its source, and where the others are."""
    first, *others = alike
    lines = _heading(first, first.message, screen)
    lines += _source(first.location, screen) if first.location is not None else []
    bound = len(others) if screen.verbose or len(others) <= LISTED_OF_A_CODE + 1 else LISTED_OF_A_CODE
    margin = " " * len(str(first.location.line or "")) if first.location is not None else " "
    lines += [f"{margin}{screen.paint('-->', 'dim')} {safe(str(problem.location))}" for problem in others[:bound]]
    lines += _more(len(others) - bound, "", screen) if bound < len(others) else []
    return lines + _hint(first.hint, screen)


def _files_block(alike: Sequence[Diagnostic], screen: Screen, unlisted: int) -> list[str]:
    """Several files with the same problem. What they have in common is said once. unlisted: how many more there are."""
    first = alike[0]
    is_same, has_one_hint = (len({getattr(p, name) for p in alike}) == 1 for name in ("message", "hint"))
    files = {problem.location.file for problem in alike if problem.location is not None}
    number = counted(len(alike) + unlisted, "file" if len(files) == len(alike) else "place")
    lines = _heading(first, first.message if is_same else number, screen)
    bound = len(alike) if screen.verbose or len(alike) <= LISTED_OF_A_CODE + 1 else LISTED_OF_A_CODE
    for problem in alike[:bound]:
        message = "" if is_same else f": {safe(problem.message)}"
        lines += hanging("  --> ", f"{safe(str(problem.location))}{message}", screen)
        lines += [] if has_one_hint else _hint(problem.hint, screen, indent=6)
    if bound < len(alike):
        lines += _more(len(alike) + unlisted - bound, "", screen, all_of_them=not unlisted)
    elif unlisted:
        lines.append(screen.paint(f"      and {unlisted:,} more, which are not listed", "dim"))
    return lines + (_hint(first.hint, screen) if has_one_hint else [])


def _more(number: int, what: str, screen: Screen, *, all_of_them: bool = True) -> list[str]:
    return [screen.paint(f"      and {number:,} more{what}; -v lists {'all' if all_of_them else 'more'}", "dim")]


def _heading(problem: Diagnostic, message: str, screen: Screen) -> list[str]:
    start = f"{title(problem)}:"
    # further lines of the sentence are indented by two columns, not set under its start: codes may be long
    first, *rest = prose(f"{start} {safe(message)}", screen.width - 2, screen)
    return [screen.paint(start, _COLORS[problem.severity], "bold") + first[len(start) :], *(f"  {x}" for x in rest)]


def _hint(hint: str | None, screen: Screen, *, indent: int = 0) -> list[str]:
    return hanging(f"{' ' * indent}hint: ", safe(hint), screen) if hint and not screen.quiet else []


def _source(place: Location, screen: Screen) -> list[str]:
    """The arrow with the location; below it the line with a marker, where the text of the line is known."""
    number = "" if place.line is None else str(place.line)
    margin = " " * max(len(number), 1)
    arrow = f"{margin}{screen.paint('-->', 'dim')} {safe(str(place))}"
    if place.text is None or not place.text.strip():
        return [f" {arrow}" if not number else arrow]
    bar = screen.paint("|", "dim")
    column = min((place.column or 1) - 1, len(place.text.rstrip()))
    text, start, length = excerpt(place.text, column, screen.width - len(margin) - 3)
    lines = [arrow, f"{margin} {bar}", f"{screen.paint(number or ' ', 'dim')} {bar} {text}"]
    if place.column is None:
        return lines
    return [*lines, f"{margin} {bar} {' ' * start}{screen.paint('^' * length, 'red', 'bold')}"]

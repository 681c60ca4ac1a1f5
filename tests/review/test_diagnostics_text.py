"""Errors and warnings as people read them."""

from __future__ import annotations

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.review.diagnostics_text import problem_text
from scenario_apply.review.screen import Screen, columns

PLAIN = Screen(width=80, terminal=True)


def test_what_where_with_the_line_and_the_hint() -> None:
    place = Location(file="manifests/winter.yaml", line=14, column=18, text="      - { model: knigth, scale: 0.8 }")
    problem = Diagnostic(
        code="unknown-reference",
        message="composition.winter uses model.knigth, which no manifest declares",
        location=place,
        hint="did you mean model.knight, declared at manifests/knight.yaml:1:1?",
    )
    assert problem_text([problem], PLAIN) == (
        "error[unknown-reference]: composition.winter uses model.knigth, which no\n"
        "  manifest declares\n"
        "  at    manifests/winter.yaml:14:18\n"
        "        | - { model: knigth, scale: 0.8 }\n"
        "        |            ^\n"
        "  hint  did you mean model.knight, declared at manifests/knight.yaml:1:1?\n"
    )


def test_sentences_stay_whole_where_nobody_watches() -> None:
    what = "a sentence that is much longer than eighty columns are wide, so that a terminal would have to break it"
    assert problem_text([Diagnostic(code="e", message=what)], Screen(width=80)) == f"error[e]: {what}\n"


def test_the_caret_stands_under_wide_letters_and_escapes() -> None:
    place = Location(file="a.yaml", line=1, column=8, text="名前: \x1bx y")
    text = problem_text([Diagnostic(code="x", message="y", location=place)], PLAIN)
    source, caret = text.splitlines()[2:4]
    assert source == "        | 名前: \\x1bx y"
    assert columns(caret[: caret.index("^")]) == columns(source[: source.index(" y") + 1])


def test_a_long_line_shows_the_part_that_matters() -> None:
    place = Location(file="a.yaml", line=1, column=501, text="x" * 500 + "HERE" + "y" * 500)
    lines = problem_text([Diagnostic(code="x", message="y", location=place)], PLAIN).splitlines()
    source, caret = lines[2:4]
    assert source[caret.index("^") :].startswith("HERE")
    assert all(columns(line) <= 80 for line in lines)


def test_errors_come_first_and_are_counted() -> None:
    problems = [
        Diagnostic(code="w", message="a warning", severity="warning"),
        Diagnostic(code="n", message="a note", severity="info"),
        Diagnostic(code="e", message="an error"),
    ]
    assert problem_text(problems, PLAIN) == (
        "error[e]: an error\nwarning[w]: a warning\nnote[n]: a note\n1 error, 1 warning, 1 note.\n"
    )


def test_the_same_problem_twice_is_drawn_once() -> None:
    assert (
        problem_text([Diagnostic(code="e", message="x"), Diagnostic(code="e", message="x")], PLAIN) == "error[e]: x\n"
    )


def test_thousands_are_folded_and_verbose_lists_them() -> None:
    problems = [
        Diagnostic(code="D03", message=f"caption {n} is empty", location=Location(file="kael.yaml", line=n))
        for n in range(3000)
    ]
    text = problem_text(problems, PLAIN)
    assert len(text.splitlines()) < 40
    assert "… and 2,995 more D03 in kael.yaml" in text
    assert "3,000 errors." in text
    assert len(problem_text(problems, Screen(verbose=True)).splitlines()) > 3000


def test_control_characters_in_messages_are_shown_not_sent() -> None:
    assert "\x1b" not in problem_text([Diagnostic(code="e", message="\x1b]0;title\x07", hint="\x1b[2J")], PLAIN)

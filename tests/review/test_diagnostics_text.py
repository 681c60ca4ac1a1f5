"""Errors and warnings as people read them."""

from __future__ import annotations

import re

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.review.diagnostics_text import problem_text
from scenario_apply.review.screen import Screen, columns

PLAIN = Screen(width=80, terminal=True)


def test_message_location_marked_value_and_hint() -> None:
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
        "  --> manifests/winter.yaml:14:18\n"
        "   |\n"
        "14 |       - { model: knigth, scale: 0.8 }\n"
        "   |                  ^^^^^^\n"
        "hint: did you mean model.knight, declared at manifests/knight.yaml:1:1?\n"
    )


def test_colours_are_only_added() -> None:
    place = Location(file="a.yaml", line=3, column=4, text="a: bcd")
    problem = Diagnostic(code="x", message="y", location=place, hint="z", severity="warning")
    painted = problem_text([problem], Screen(width=80, terminal=True, color=True))
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == problem_text([problem], PLAIN)


def test_sentences_stay_whole_where_nobody_watches() -> None:
    what = "a sentence that is much longer than eighty columns are wide, so that a terminal would have to break it"
    assert problem_text([Diagnostic(code="e", message=what)], Screen(width=80)) == f"error[e]: {what}\n"


def test_the_caret_stands_under_wide_letters_and_escapes() -> None:
    place = Location(file="a.yaml", line=1, column=8, text="名前: \x1bx y")
    text = problem_text([Diagnostic(code="x", message="y", location=place)], PLAIN)
    source, caret = text.splitlines()[3:5]
    assert source == "1 | 名前: \\x1bx y"
    assert columns(caret[: caret.index("^")]) == columns(source[: source.index(" y") + 1])


def test_a_long_line_shows_the_part_that_matters() -> None:
    place = Location(file="a.yaml", line=1, column=501, text="x" * 500 + "HERE" + "y" * 500)
    lines = problem_text([Diagnostic(code="x", message="y", location=place)], PLAIN).splitlines()
    source, caret = lines[3:5]
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


def test_many_files_with_one_problem_are_one_diagnostic() -> None:
    problems = [
        Diagnostic(code="C03", message="the caption is empty", location=Location(file=f"{n:04}.txt"), hint="write it")
        for n in range(3000)
    ]
    assert problem_text(problems, PLAIN) == (
        "error[C03 caption-empty]: the caption is empty\n"
        "  --> 0000.txt\n"
        "  --> 0001.txt\n"
        "  --> 0002.txt\n"
        "  --> 0003.txt\n"
        "  --> 0004.txt\n"
        "      and 2,995 more; -v lists all\n"
        "hint: write it\n"
        "\n"
        "3,000 errors.\n"
    )
    assert len(problem_text(problems, Screen(verbose=True)).splitlines()) > 3000


def test_messages_and_hints_that_differ_stand_beside_their_file() -> None:
    problems = [
        Diagnostic(code="D03", message=f"like {n}", location=Location(file=f"{n}.png"), hint=f"drop {n}")
        for n in range(2)
    ]
    assert problem_text(problems, PLAIN, count=False) == (
        "error[D03 near-duplicate]: 2 files\n"
        "  --> 0.png: like 0\n"
        "      hint: drop 0\n"
        "  --> 1.png: like 1\n"
        "      hint: drop 1\n"
    )


def test_the_same_mistake_in_many_lines_is_drawn_five_times() -> None:
    problems = [
        Diagnostic(code="unknown-key", message=f"key {n}", location=Location(file="a.yaml", line=n, column=1, text="k"))
        for n in range(1, 40)
    ]
    text = problem_text(problems, PLAIN)
    assert text.count("-->") == 5
    assert "      and 34 more unknown-key; -v lists all\n" in text
    assert problem_text(problems, Screen(verbose=True)).count("-->") == 39


def test_control_characters_in_messages_are_shown_not_sent() -> None:
    assert "\x1b" not in problem_text([Diagnostic(code="e", message="\x1b]0;title\x07", hint="\x1b[2J")], PLAIN)


def test_what_is_wrong_in_three_places_is_said_once() -> None:
    """The first with its line, and where the others are; two are drawn whole."""

    def at(line: int) -> Diagnostic:
        place = Location(file="a.yaml", line=line, column=3, text="  type: sd-xl-lora")
        return Diagnostic(code="legacy-type", severity="warning", message="it is retired", location=place, hint="go")

    text = problem_text([at(12), at(3), at(7)], Screen(width=80, terminal=True))
    assert text == (
        "warning[legacy-type]: it is retired\n"
        " --> a.yaml:3:3\n"
        "  |\n"
        "3 |   type: sd-xl-lora\n"
        "  |   ^^^^\n"
        " --> a.yaml:7:3\n"
        " --> a.yaml:12:3\n"
        "hint: go\n"
        "\n"
        "3 warnings.\n"
    )
    assert problem_text([at(3), at(7)], Screen()).count("it is retired") == 2


def test_findings_that_a_dataset_does_not_name_are_counted_with_those_it_does() -> None:
    """One rule on hundreds of files is one diagnostic, whatever the number of datasets."""

    def small(file: str) -> Diagnostic:
        place = Location(file=file)
        return Diagnostic(code="R01", severity="warning", message="900x900", location=place, hint="larger")

    def rest(line: int, number: int) -> Diagnostic:
        place = Location(file="a.yaml", line=line, column=1, text="  a: { images: ./a }")
        message = f"... and {number} more of this kind"
        return Diagnostic(code="R01", severity="warning", message=message, location=place)

    found = [*(small(f"a/{n:03}.png") for n in range(100)), rest(3, 200), rest(4, 1000)]
    text = problem_text(found, Screen(width=80, terminal=True))
    assert text.count("R01") == 1
    assert "      and 1,295 more; -v lists more\nhint: larger\n\n1,300 warnings.\n" in text
    verbose = problem_text(found, Screen(width=80, terminal=True, verbose=True))
    assert "a/099.png" in verbose
    assert "and 1,200 more, which are not listed" in verbose


def test_notes_of_lint_rules_are_counted_and_drawn_only_when_verbose() -> None:
    """What was not read is always said; the rest is advice that nobody has to see."""
    notes = [Diagnostic(code=code, message=f"about {code}", severity="info") for code in ("N03", "R03", "F13", "other")]
    text = problem_text(notes, Screen())
    assert "about F13" in text
    assert "about other" in text
    assert "N03" not in text
    assert text.endswith("2 notes; -v shows 2 notes more.\n")
    assert "about N03" in problem_text(notes, Screen(verbose=True))
    assert problem_text(notes[:1], Screen()) == "-v shows 1 note.\n"

"""dataset.lint.trigger_rules: the trigger is spelled the same everywhere, and once."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.lint.trigger_rules import in_some, repeated, spelling
from tests.dataset.lint.subjects import subject_of


@pytest.mark.parametrize(
    ("trigger", "caption"),
    [
        ("ohwx man", "Ohwx man, a robot in grass"),
        ("ohwx man", "OHWX MAN, a bottle on a sill"),
        ("ohwx man", "ohwx  man, boats on a pond"),
        ("ohwx man", "ohwx\u00a0man, bicycle by a wall"),
        ("ohwx man", "a portrait of ohwx-man"),
        ("Kael of Rook", "kael Of rook rides"),
        ("KAEL 07", "kael 07 rides"),
        ("KAEL_07", "kael_07 rides"),
        ("KAEL_07", "KAEL 07 rides"),
        ("INK_WASH", "a barn, INK WASH"),
        ("Zo\u00eb_07", "zoe\u0308_07 rides"),
    ],
)
def test_another_spelling_of_the_trigger_is_an_error(trigger: str, caption: str) -> None:
    assert [finding.code for finding in spelling(subject_of([caption], trigger=trigger))] == ["T02"]
    pairs = subject_of([caption], trigger=trigger, images=(), before="a", after="b")
    assert [finding.code for finding in spelling(pairs)] == ["T02"]


@pytest.mark.parametrize(
    ("trigger", "caption"),
    [
        ("ohwx man", "ohwx man, a cat in a box"),
        ("ohwx man", "a woman and a man"),
        ("Red Fox", "a red fox in snow"),
        ("red_fox", "A Red fox in snow"),
        ("INK_WASH", "an ink wash of a barn"),
        ("Zo\u00eb_07", "Zoe\u0308_07, a robot"),
        ("KAEL_07", "KAEL_07's horse"),
    ],
)
def test_the_trigger_itself_and_plain_words_are_no_other_spelling(trigger: str, caption: str) -> None:
    assert list(spelling(subject_of([caption], trigger=trigger))) == []


@pytest.mark.parametrize(
    ("trigger", "caption", "count"),
    [
        ("Red Fox", "red fox, in snow", 1),
        ("Kael", "kael, in snow", 1),
        ("Red Fox", "red fox in snow, at night", 0),
        ("Red Fox", "a red fox, in snow", 0),
        ("Kael", "Kael, in snow", 0),
        ("red fox", "red fox, in snow", 0),
    ],
)
def test_plain_words_where_the_trigger_stands_are_a_warning(trigger: str, caption: str, count: int) -> None:
    """Nobody writes `red fox, in snow` beside the trigger Red Fox and means another one."""
    found = [(finding.code, finding.severity) for finding in spelling(subject_of([caption], trigger=trigger))]
    assert found == [("T02", "warning")] * count


@pytest.mark.parametrize(
    ("caption", "severity"),
    [
        ("KAEL_07, KAEL_07, a fox", "warning"),
        ("a fox, KAEL_07 KAEL_07", "warning"),
        ("KAEL_07 and the horse of KAEL_07", None),
    ],
)
def test_a_trigger_given_twice_is_reported_and_a_doubled_one_is_a_warning(caption: str, severity: str | None) -> None:
    found = list(repeated(subject_of([caption], trigger="KAEL_07")))
    assert [(finding.code, finding.severity) for finding in found] == [("T05", severity)]


def test_a_longer_word_does_not_count_as_the_trigger() -> None:
    assert list(repeated(subject_of(["KAEL_07 and KAEL_071"], trigger="KAEL_07"))) == []


@pytest.mark.parametrize(
    ("captions", "count"),
    [
        (["KAEL, front", "KAEL, side", "a ranger, back"], 1),
        (["KAEL, front", "KAEL, side", "KAEL_07, back"], 1),
        (["KAEL, front", "KAEL, side", "back view, KAEL"], 0),
    ],
)
def test_a_caption_without_what_looks_like_the_trigger_is_named(captions: list[str], count: int) -> None:
    """A longer word is another one; one that has it later in the caption does not lack it."""
    assert [finding.code for finding in in_some(subject_of(captions))] == ["T01"] * count

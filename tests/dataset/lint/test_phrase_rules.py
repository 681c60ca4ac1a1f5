"""dataset/lint/phrase_rules.py: what most captions share is noted, between commas and inside sentences."""

from __future__ import annotations

from scenario_apply.dataset.lint.phrase_rules import shared_phrase
from tests.dataset.lint.subjects import subject_of

SENTENCES = [
    "A fox with a bright red scarf sits on a wall.",
    "Running through snow, a fox with a bright red scarf looks back.",
    "Seen from above, a fox with a bright red scarf sleeps.",
    "Night falls on a fox with a bright red scarf near the river.",
    "An owl in front of a barn watches the road.",
]


def said(captions: list[str], trigger: str | None = None) -> list[str]:
    return [finding.what for finding in shared_phrase(subject_of(captions, trigger=trigger))]


def test_a_run_of_words_that_four_of_five_captions_share_is_noted_once() -> None:
    assert said(SENTENCES) == ["4 of 5 captions contain 'a fox with a bright red scarf'"]


def test_a_phrase_between_commas_is_noted_and_the_trigger_is_not() -> None:
    views = ["front", "back", "side", "top", "from below"]
    captions = [f"KAEL_07, {view} view, red cloak" for view in views]
    assert said(captions, trigger="KAEL_07") == ["5 of 5 captions contain 'red cloak'"]


def test_idioms_and_different_captions_are_no_phrase() -> None:
    assert said([f"{what} in front of a {where}" for what, where in zip("abcde", "vwxyz", strict=True)]) == []
    assert said(["a fox on a wall", "two boats at sea", "an owl at night", "a red door", "rain on glass"]) == []

"""dataset/lint/word_count.py: captions and triggers in scripts without blanks are no shorter than others."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.lint.caption_rules import lengths
from scenario_apply.dataset.lint.trigger_rules import ordinary
from scenario_apply.dataset.lint.word_count import word_count
from tests.dataset.lint.subjects import subject_of


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a glass bottle", 3),
        ("une bouteille à côté", 4),
        ("窗台上的玻璃瓶，清晨的阳光", 7),
        ("夜、雨、傘", 3),  # three tags
        ("ガラス瓶と朝の光", 4),
        ("유리병 하나", 2),  # written with blanks
        ("KAEL_07，玻璃瓶", 3),
        ("หุ่นยนต์เดินในหญ้า", 9),
        ("猫", 1),
        ("1girl,solo,red_hair,night", 4),
        (", red fox - &", 2),  # what is left of "KAEL_07, red fox - &"
        ("", 0),
    ],
)
def test_words_are_counted_in_every_script(text: str, count: int) -> None:
    assert word_count(text) == count


@pytest.mark.parametrize("text", ["窗台上的玻璃瓶", "夜、雨、傘", "ガラス瓶と朝の光", "หุ่นยนต์เดินในหญ้า"])
def test_a_caption_without_blanks_is_not_too_short(text: str) -> None:
    assert [*lengths(subject_of([text], trigger="miko_v1"))] == []


def test_a_caption_of_one_word_is_still_reported() -> None:
    """In its own words: 1 word, 2 words."""
    found = [finding.what for finding in lengths(subject_of(["猫", "red cat"]))]
    assert found == ["only 1 word", "only 2 words"]


@pytest.mark.parametrize(("trigger", "reported"), [("凯尔", False), ("猫", True), ("ab", True), ("кот", False)])
def test_two_ideographs_are_a_whole_trigger(trigger: str, reported: bool) -> None:
    assert bool([*ordinary(subject_of(["a cat in a box"], trigger=trigger))]) == reported

"""review/alignment.py and word_diff: what two captions have in common, found in little work however long they are."""

from __future__ import annotations

import random
from difflib import SequenceMatcher
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.review import alignment
from scenario_apply.review.alignment import aligned
from scenario_apply.review.screen import Screen, columns
from scenario_apply.review.word_diff import drawn_diff, word_diff

WORDS = ["red", "cloak", "forest", "a", "the", "of", "dusk", "hand"]


def caption(count: int, seed: int) -> str:
    chance = random.Random(seed)  # no secret
    return " ".join(chance.choice([*WORDS, f"w{chance.randrange(3000)}"]) for _ in range(count))


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.lists(st.sampled_from("abcdef"), max_size=30))
def test_blocks_cover_both_texts_in_order(old: list[str], new: list[str]) -> None:
    """Equal blocks are equal, blocks of one kind do not follow each other, and nothing is left out."""
    blocks = aligned(old, new)
    at, its = 0, 0
    for number, (is_same, a, b, c, d) in enumerate(blocks):
        assert (a, c) == (at, its)
        assert (old[a:b] == new[c:d]) == is_same or not is_same
        assert (b, d) != (a, c)
        assert number == 0 or blocks[number - 1].is_same != is_same
        at, its = b, d
    assert (at, its) == (len(old), len(new))


@given(st.lists(st.integers(0, 400), max_size=60), st.lists(st.integers(0, 400), max_size=60))
def test_long_texts_are_covered_as_well(old: list[int], new: list[int]) -> None:
    """The same when nothing counts as short enough to be compared word by word."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "_MOST_WORDS", 4)
        one, other = [str(word) for word in old], [str(word) for word in new]
        blocks = aligned(one, other)
    assert [word for block in blocks for word in one[block.old_start : block.old_end]] == one
    assert [word for block in blocks for word in other[block.new_start : block.new_end]] == other
    assert all(one[b.old_start : b.old_end] == other[b.new_start : b.new_end] for b in blocks if b.is_same)


@pytest.mark.parametrize("count", [2_000, 60_000])
def test_few_changes_in_a_long_caption_are_found(count: int) -> None:
    """Three words changed of thousands are three changes, not a caption that was replaced."""
    words = caption(count, 1).split(" ")
    changed = list(words)
    for at in (5, count // 2, count - 7):
        changed[at] = f"new-{at}"
    stretches = word_diff(" ".join(words), " ".join(changed))
    assert sum(bool(stretch.gone or stretch.new) for stretch in stretches) == 3
    assert "".join(stretch.same + stretch.gone for stretch in stretches) == " ".join(words)
    assert "".join(stretch.same + stretch.new for stretch in stretches) == " ".join(changed)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (caption(2_000, 1), caption(2_000, 2)),
        (caption(60_000, 1), caption(60_000, 2)),
        ("a " * 60_000, "a b " * 30_000),
        (
            "".join(chr(0x4E00 + at % 97) for at in range(60_000)),
            "".join(chr(0x4E00 + at % 89) for at in range(60_000)),
        ),
    ],
)
def test_word_by_word_comparisons_are_few(before: str, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact comparison is given pairs of equal words by the ten thousand at most, not by the hundred million."""
    pairs = 0
    exact = SequenceMatcher

    def counted(junk: None, old: list[str], new: list[str], autojunk: bool) -> Any:
        nonlocal pairs
        pairs += sum(new.count(word) for word in old)
        return exact(junk, old, new, autojunk=autojunk)

    monkeypatch.setattr(alignment, "SequenceMatcher", counted)
    stretches = word_diff(before, after)
    assert pairs < 200_000
    assert "".join(stretch.same + stretch.new for stretch in stretches) == after


def test_a_word_of_a_megabyte_is_cut() -> None:
    """It would be sixteen thousand lines, each of which is measured."""
    lines = drawn_diff("x " * 100, "é" * 1_000_000, 60, Screen(verbose=True))
    assert len(lines) < 100
    assert all(columns(line) <= 62 for line in lines)

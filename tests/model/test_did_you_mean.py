"""core.suggest: did you mean, for one slip and for thousands."""

from __future__ import annotations

import pytest

from scenario_apply.model import did_you_mean as suggest
from scenario_apply.model.did_you_mean import Nearest, did_you_mean, nearest
from scenario_apply.model.file_names import NearestName


def test_the_nearest_words_come_first() -> None:
    """The same but for case and signs, then what is alike."""
    assert nearest("learning_rate", ["rank", "learningRate", "learningRateTextEncoder"])[0] == "learningRate"
    assert nearest("knigth", ["king", "knight", "kael"])[0] == "knight"
    assert nearest("zzz", ["king", "knight"]) == ()
    assert did_you_mean("kale", ["kael"]) == "did you mean kael?"


def test_a_slip_is_found_among_thousands() -> None:
    """Although only a few of them are compared letter by letter."""
    names = [f"model-number-{number}" for number in range(9_000)]
    for number in range(0, 9_000, 700):
        assert f"model-number-{number}" in nearest(f"modl-number-{number}", names)
    assert nearest("zzzzzz", names) == ()


def test_few_words_are_compared_letter_by_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred slips beside a thousand names make a few thousand comparisons, not a hundred thousand."""
    compared = 0
    import difflib

    close = difflib.get_close_matches

    def counted(word: str, words: list[str], n: int, cutoff: float) -> list[str]:
        nonlocal compared
        compared += len(words)
        return close(word, words, n=n, cutoff=cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    index = Nearest([f"model-{number}" for number in range(1_000)])
    for number in range(100):
        index.find(f"modl-{number}")
    assert 0 < compared <= 100 * suggest._CANDIDATES


def test_a_long_word_has_no_neighbours() -> None:
    """Comparing sixty thousand letters with each of many names would take minutes."""
    assert nearest("x" * 60_000, ["x" * 59_999, "kael"]) == ()


def test_only_the_first_slips_of_a_dataset_get_a_proposal() -> None:
    """Nobody reads a thousand of them."""
    near = NearestName(["kael.png"])
    answers = [near.of("kale.png") for _ in range(1_000)]
    assert answers[0] == "kael.png"
    assert answers.count("kael.png") < 100

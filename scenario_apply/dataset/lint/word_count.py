"""Counts words, also in scripts that put no blanks between them."""

from __future__ import annotations

import re

# Ideographs, kana, and the letters of Thai, Lao, Burmese and Khmer.
_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_LETTERS_A_WORD = 2


def word_count(text: str) -> int:
    """The number of words: between blanks and commas, or two letters of a run without blanks, as in 一个玻璃瓶."""
    runs = [] if text.isascii() else _WITHOUT_BLANKS.findall(text)
    others = [word for word in _WITHOUT_BLANKS.sub(" ", text).replace(",", " ").split() if any(map(str.isalnum, word))]
    return len(others) + sum(-(-len(run) // _LETTERS_A_WORD) for run in runs)


def is_without_blanks(text: str) -> bool:
    """Whether all letters are of such a script, where one or two of them are a whole word."""
    return _WITHOUT_BLANKS.fullmatch(text) is not None

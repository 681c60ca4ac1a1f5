"""core.dataset.globs: what patterns mean, and that no pattern makes matching slow."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.model.globs import LONGEST_GLOB, any_glob, escaped, glob_pattern


def means(pattern: str, path: str) -> bool:
    """What a pattern means, tried in every way: the plain and slow reading."""
    if not pattern:
        return not path
    if pattern.startswith("**/"):
        rest = pattern[3:]
        return means(rest, path) or any(means(rest, path[at + 1 :]) for at, sign in enumerate(path) if sign == "/")
    if pattern.startswith("**"):
        return any(means(pattern[2:], path[at:]) for at in range(len(path) + 1))
    if pattern[0] == "*":
        name = path.partition("/")[0]
        return any(means(pattern[1:], path[at:]) for at in range(len(name) + 1))
    if not path:
        return False
    if pattern[0] == "[":
        signs, _, rest = pattern[1:].partition("]")
        return path[0] != "/" and ((path[0] in signs) != signs.startswith("!")) and means(rest, path[1:])
    return path[0] != "/" and means(pattern[1:], path[1:]) if pattern[0] == "?" else (
        path[0] == pattern[0] and means(pattern[1:], path[1:])
    )  # fmt: skip


NAMES = st.lists(st.sampled_from("aab"), min_size=1, max_size=4).map("".join)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
NAME_GLOBS = st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[!a]"]), min_size=1, max_size=4).map(
    lambda signs: re.sub(r"\*+", "*", "".join(signs))
)
GLOBS = st.lists(st.one_of(NAME_GLOBS, st.just("**")), min_size=1, max_size=4).map("/".join)


@given(GLOBS, PATHS)
def test_a_glob_matches_what_it_means(pattern: str, path: str) -> None:
    """A star that takes as little as it can finds every path that any other way would find."""
    assert (glob_pattern(pattern).fullmatch(path) is not None) == means(pattern, path)


@given(st.lists(st.sampled_from("ab*?[]!/"), min_size=1, max_size=8).map("".join))
def test_an_escaped_name_matches_itself_alone(name: str) -> None:
    """Whatever signs it is made of."""
    pattern = glob_pattern(escaped(name))
    assert pattern.fullmatch(name) is not None
    assert pattern.fullmatch(name + "a") is None


def test_many_globs_are_one_expression() -> None:
    """A path fits when one of them does."""
    fits = any_glob(("*.png", "a|b", "old/**")).fullmatch
    assert [bool(fits(path)) for path in ("1.png", "a|b", "old/x/y", "a", "1.pngx")] == [True, True, True, False, False]


def test_a_pattern_longer_than_any_path_matches_nothing() -> None:
    """It is not even compiled."""
    assert glob_pattern("?" * (LONGEST_GLOB + 1)).fullmatch("?" * (LONGEST_GLOB + 1)) is None
    assert glob_pattern("*" * 100_000).fullmatch("a") is not None


SLOW = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from scenario_apply.model.globs import glob_pattern
for pattern, path in (
    ("*a" * 40 + "*b", "a" * 250),
    ("**a" * 40 + "b", "a" * 250),
    ("**/" * 30 + "x", "a/" * 500 + "y"),
    ("**/*a*/" * 15 + "**x", "aa/" * 400 + "y"),
    ("*a*a*a*a*b/" * 10 + "c", ("a" * 250 + "/") * 10 + "c"),
    ("**/" + "*a" * 20 + "b", ("a" * 100 + "/") * 40 + "c"),
    ("**/" + "a/" * 20 + "b", "a/" * 2000 + "c"),
    ("[ab]*" * 40 + "c", "ab" * 120),
    ("?*" * 60 + "c", "ab" * 120),
):
    assert glob_pattern(pattern).fullmatch(path) is None
"""


def test_no_pattern_is_tried_in_every_way() -> None:
    """With backtracking each of them takes longer than the age of the universe; the limit is thirty seconds of CPU."""
    assert subprocess.run([sys.executable, "-c", SLOW], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("pattern", ["[z-a]", "[", "a[", "[]"])
def test_an_odd_set_is_taken_as_it_stands(pattern: str) -> None:
    """It is a name like any other."""
    assert glob_pattern(pattern).fullmatch(pattern) is not None

"""apply.git_lfs.include_patterns: a command that can be pasted, and means these files only.

What git-lfs 3.3 makes of the patterns is tested with the program itself in tests/cli/test_lfs_pulling.py.
"""

from __future__ import annotations

import pytest

from scenario_apply.apply.git_lfs.include_patterns import include_patterns, pull_command


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("a.png", "/a.png"),
        ("kael/b, c.png", "/kael/b??c.png"),
        ("kael/[1]*?.png", "/kael/\\[1\\]\\*\\?.png"),
        ("back\\slash.png", "/back?slash.png"),
        ("é{a}!#.png", "/é{a}!#.png"),
        ("line\nend.png", "/line*end.png"),
    ],
)
def test_signs_that_git_lfs_would_read_as_its_own_are_quoted(path: str, pattern: str) -> None:
    assert include_patterns([path]) == pattern


def test_many_files_of_a_folder_are_one_pattern() -> None:
    """The command stays readable with hundreds of pictures, and takes no other kind of file along."""
    paths = [f"kael/{number}.png" for number in range(100)] + ["kael/last.jpg", *(f"{n}.webp" for n in range(9))]
    assert include_patterns(paths) == "/*.webp,/kael/*.png,/kael/last.jpg"


def test_the_command_is_quoted_for_the_shell() -> None:
    assert pull_command(["it's.png"]) == """git lfs pull '--include=/it'"'"'s.png'"""
    assert pull_command(["a.png"], top="../other one") == "git -C '../other one' lfs pull --include=/a.png"

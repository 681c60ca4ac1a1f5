"""dataset.exclusion: what the patterns of `exclude:` leave out, and which of them do nothing."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.exclusion import Exclusion


@pytest.mark.parametrize(
    "pattern",
    [
        "set/05.png",
        "set\\05.png",
        ".\\set\\05.png",
        "./set/05.png",
        "05.png",
        "set",
        "set/",
        "*.png",
        "set/*.{png,jpg}",
    ],
)
def test_a_pattern_is_a_name_a_path_a_folder_or_a_glob(pattern: str) -> None:
    """However its slashes lean."""
    exclusion = Exclusion([pattern])
    assert exclusion.covers("set/05.png")
    assert not exclusion.covers("other/06.jpg")
    assert not exclusion.unused(["set/05.png"])


def test_a_pattern_that_leaves_nothing_out_is_known_as_written() -> None:
    patterns = ["set/0[12].png", "06.png", "*.webp", "set\\07.png", "*.{gif,png}"]
    exclusion = Exclusion(patterns)
    left_out = [path for path in ("set/01.png", "set/02.png", "set/03.png") if exclusion.covers(path)]
    assert exclusion.unused(left_out) == {"06.png", "*.webp", "set\\07.png"}


def test_the_ending_of_a_glob_is_the_same_in_capitals() -> None:
    for pattern in ("*_mask.png", "*_mask.PNG", "*_mask.[Pp]NG"):
        exclusion = Exclusion([pattern])
        assert exclusion.covers("set/01_mask.PNG"), pattern
        assert not exclusion.unused(["set/01_mask.PNG"])
    assert not Exclusion(["05.PNG"]).covers("05.png")

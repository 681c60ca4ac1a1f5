"""model.git_content: pointers of Git LFS and conflict markers."""

from __future__ import annotations

import pytest

from scenario_apply.model.git_content import conflict_line, is_pointer


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n", 1),
        ("a\r\n<<<<<<< HEAD\r\nb\r\n", 2),
        ("a\nb\n=======\nc\n", 3),
        ("a\n>>>>>>> feature/captions", 2),
        ("a\n||||||| merged common ancestors\n", 2),
        ("a\n>>>>>>>\n", 2),
    ],
)
def test_a_conflict_is_found_at_its_first_marker_also_when_half_of_it_was_tidied(text: str, line: int) -> None:
    assert conflict_line(text) == line


@pytest.mark.parametrize("text", ["a ======= b", "========\n", "<<<<<<<<\n", "say >>>>>>> loudly", " =======\n", ""])
def test_a_row_of_signs_in_a_text_is_no_conflict(text: str) -> None:
    assert conflict_line(text) is None


def test_a_pointer_is_known_by_its_first_line() -> None:
    assert is_pointer(b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 48\n")
    assert not is_pointer(b"a fox, version https://git-lfs.github.com/spec/v1")

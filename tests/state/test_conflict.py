"""The conflict markers of Git are found in a file, and its sides are what each branch held."""

from __future__ import annotations

import pytest

from scenario_apply.state.conflict import conflict_of

TEXT = (
    b'{\n  "a": 1,\n<<<<<<< HEAD\n  "b": 2,\n=======\n  "b": 3,\n>>>>>>> tonight\n  "c": 4,\n'
    b'<<<<<<< HEAD\n  "d": 5\n=======\n  "d": 6\n>>>>>>> tonight\n}\n'
)


def test_the_sides_of_every_conflict_are_put_together() -> None:
    found = conflict_of(TEXT)
    assert found is not None
    assert found.ours == b'{\n  "a": 1,\n  "b": 2,\n  "c": 4,\n  "d": 5\n}\n'
    assert found.theirs == b'{\n  "a": 1,\n  "b": 3,\n  "c": 4,\n  "d": 6\n}\n'
    assert (found.base, found.ours_name, found.theirs_name) == (None, "HEAD", "tonight")
    assert (found.line, found.is_whole) == (3, True)


def test_the_common_ancestor_is_taken_from_diff3_markers() -> None:
    found = conflict_of(b"<<<<<<< HEAD\r\n1\r\n||||||| 12ab\r\n0\r\n=======\r\n2\r\n>>>>>>> b\r\n")
    assert found is not None
    assert (found.ours, found.base, found.theirs, found.is_whole) == (b"1\r\n", b"0\r\n", b"2\r\n", True)


@pytest.mark.parametrize(
    "content", [b"<<<<<<< HEAD\n1\n", b"1\n>>>>>>> b\n", b"1\n=======\n2\n", b"<<<<<<< a\n<<<<<<< a\n"]
)
def test_leftovers_of_markers_are_a_conflict_that_is_not_whole(content: bytes) -> None:
    found = conflict_of(content)
    assert found is not None
    assert not found.is_whole


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b'{"a": "<<<<<<< HEAD"}\n', b'{\n  "name": "======="\n}\n', b"<<<<<<<<\n", b" ======= \n"]
)
def test_what_only_looks_alike_is_no_conflict(content: bytes) -> None:
    assert conflict_of(content) is None

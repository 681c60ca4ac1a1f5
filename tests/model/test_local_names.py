"""Names of the service as files and keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.model.address import NAME_PATTERN, parse_address
from scenario_apply.model.file_names import nfc
from scenario_apply.model.local_names import LONGEST_STEM_BYTES, file_stem, resource_key, unique_stems


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("01.png", "01"),
        ("Kael 01.JPEG", "Kael 01"),
        ("../../etc/passwd.png", "passwd"),
        ("c:\\windows\\x.png", "x"),
        ("nul.png", "image-nul"),
        ("COM1.v2.png", "image-COM1.v2"),
        (".hidden.png", "hidden"),
        ("README.png", "image-README"),
        ("metadata.png", "image-metadata"),
        ("a.png.webp", "a-png"),
        ("b.txt.png", "b-txt"),
        ("a:b*c?.png", "a-b-c-"),
        ("bidi\u202e.png", "bidi-"),
        ("", "asset_1"),
        ("...", "asset_1"),
        ("a\u0301.png", "\u00e1"),
    ],
)
def test_a_stem_is_safe_and_readable(name: str, stem: str) -> None:
    """No folder, no ending of a picture, nothing that a system or this tool takes for something else."""
    assert file_stem(name, "asset_1") == stem


def test_stems_differ_where_case_and_form_do_not_count() -> None:
    """Each stem is a file of its own on every system."""
    assert unique_stems(["a", "A", "a", "\u00e1", "a\u0301", "a-2"]) == [
        "a",
        "A-2",
        "a-3",
        "\u00e1",
        "a\u0301-2",
        "a-2-2",
    ]


@given(st.text(max_size=400))
def test_any_text_gives_a_name_and_a_key(text: str) -> None:
    """Whatever the service says: one path part of bounded length, and a key that a manifest takes."""
    stem = file_stem(text, "asset_1")
    assert stem
    assert not set("/\\\0\n") & set(stem)
    assert stem not in (".", "..")
    assert len(stem.encode()) <= LONGEST_STEM_BYTES + len("image-")
    assert nfc(stem) == stem
    taken: set[str] = set()
    key, other = (resource_key(text, "model_1", taken) for _ in range(2))
    assert parse_address(f"model.{key}").name == key, NAME_PATTERN
    assert key.casefold() != other.casefold()
    assert not key.startswith("x-")

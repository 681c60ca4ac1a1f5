"""The notes of a release are its section of the changelog."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "release_notes.py"
SECTION = runpy.run_path(str(SCRIPT))["section"]

CHANGELOG = """# Changelog

## Unreleased

- not yet

## [0.2.0] - 2026-08-01

- added: a

### Fixed

- b

## 0.1.0

- the first
"""


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("0.2.0", "- added: a\n\n### Fixed\n\n- b\n"),
        ("0.1.0", "- the first\n"),
        ("0.1", None),
        ("0.1.00", None),
        ("1.0", None),
    ],
)
def test_the_section_of_a_version(version: str, text: str | None) -> None:
    assert SECTION(CHANGELOG, version) == text


def test_the_section_may_stand_last_and_be_empty() -> None:
    assert SECTION("## v0.3.0\n", "0.3.0") == "\n"

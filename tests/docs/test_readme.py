"""README.md: two commands set everything up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.parametrize(("heading", "command"), [("Quick start", "make demo"), ("Tests", "make test")])
def test_the_first_block_of_a_section_is_the_command_to_start_with(heading: str, command: str) -> None:
    """Who opens the repository copies the first block they see."""
    section = README.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    first = re.search(r"```sh\n(.*?)\n```", section, re.DOTALL)
    assert first is not None
    assert first[1] == command

"""Texts in the lines of YAML that hints suggest."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from scenario_apply.model.yaml_word import yaml_word


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12))
@example("model.icons/r16,2")
@example("on")
@example("1e-4")
@example("KAEL: 07")
@example("#x")
@example("- a")
def test_yaml_reads_the_text_that_was_meant(text: str) -> None:
    """In a block as in braces."""
    assert yaml.safe_load(f"key: {yaml_word(text)}") == {"key": text}
    assert yaml.safe_load(f"{{ key: {yaml_word(text)}, other: 1 }}") == {"key": text, "other": 1}


@pytest.mark.parametrize("text", ["model.kael", "model.icons-lr/slow", "KAEL_07", "the ranger"])
def test_what_needs_no_quotes_has_none(text: str) -> None:
    assert yaml_word(text) == text

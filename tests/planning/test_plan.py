"""planning/plan.py: what a whole plan comes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenario_apply.planning.plan_reader import plan_from_json

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize(
    ("case", "waits"),
    [
        ("training-running", True),
        ("training-running-manifest-changed", False),
        ("training-running-renamed", False),
        ("composition-waits-for-running-part", False),
        ("nothing-to-do", False),
        ("first-create", False),
    ],
)
def test_only_waits_where_nothing_else_is_left(case: str, waits: bool) -> None:
    """Not where a label is sent meanwhile, something else is made, or the manifest asks for another training by now."""
    assert plan_from_json(json.loads((GOLDEN / case / "plan.json").read_text(encoding="utf-8"))).only_waits is waits

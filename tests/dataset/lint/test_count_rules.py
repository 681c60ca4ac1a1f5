"""dataset/lint/count_rules.py: how many pairs a dataset may have."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.lint.count_rules import counts
from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.dataset.types import Pair
from scenario_apply.model.lint_rules import DEFAULTS
from tests.dataset.build import spec_from
from tests.dataset.lint.subjects import subject_of


def found(pairs: int, *types: str) -> list[tuple[str, str | None]]:
    spec = spec_from({"before": "./day", "after": "./night"})
    made = tuple(Pair(before=f"day/{n}.png", after=f"night/{n}.png", instruction="make it night") for n in range(pairs))
    return [
        (one.code, one.severity)
        for one in counts(Subject(spec=spec, types=types, settings=DEFAULTS, pictures=(), pairs=made))
    ]


@pytest.mark.parametrize("kind", ["flux.1-kontext-lora", "qwen-image-edit-lora"])
def test_every_type_of_pairs_needs_two(kind: str) -> None:
    assert found(1, kind) == [("N05", None)]
    assert found(2, kind) == [("N05", "warning")]
    assert found(15, kind) == []


def test_above_fifty_pairs_the_newer_families_refuse_and_kontext_is_warned_about() -> None:
    assert found(50, "flux.1-kontext-lora", "flux.2-dev-edit-lora") == []
    assert found(51, "flux.1-kontext-lora") == [("N04", "warning")]
    assert found(51, "flux.1-kontext-lora", "flux.2-dev-edit-lora") == [("N04", None)]
    assert found(101, "flux.1-kontext-lora") == [("N04", None)]


@pytest.mark.parametrize(
    ("count", "trigger", "noted"), [(20, "KAEL", 0), (21, "KAEL", 1), (25, "MYSTYLE", 0), (26, "MYSTYLE", 1)]
)
def test_a_style_may_have_more_images_than_a_character(count: int, trigger: str, noted: int) -> None:
    found = counts(subject_of([f"caption {number}" for number in range(count)], trigger=trigger))
    assert [finding.code for finding in found] == ["N03"] * noted

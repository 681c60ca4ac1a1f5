"""manifest/compositions.py: how many concepts a composition has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifest.load import load, problems


def text(count: int) -> str:
    concepts = ", ".join(f"{{ modelId: m{n}, scale: 0.1 }}" for n in range(count))
    return f"compositions:\n  mix:\n    concepts: [{concepts}]"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_as_many_as_the_web_app_merges_are_no_news(count: int, tmp_path: Path) -> None:
    assert load(tmp_path, text(count)).problems == ()


def test_more_than_five_are_warned_about_at_the_first_that_is_too_many(tmp_path: Path) -> None:
    manifest = load(tmp_path, text(7))
    assert [len(one.concepts) for one in manifest.compositions.values()] == [7]
    [problem] = manifest.problems
    assert (problem.code, problem.severity) == ("many-concepts", "warning")
    assert "composition.mix has 7 concepts" in problem.message
    assert problem.location is not None
    assert (problem.location.text or "")[(problem.location.column or 0) - 1 :].startswith("{ modelId: m5")


@pytest.mark.parametrize("concepts", ["", "concepts: []"])
def test_none_at_all_is_an_error(concepts: str, tmp_path: Path) -> None:
    [problem] = problems(tmp_path, f"compositions: {{ mix: {{ {concepts} }} }}")
    assert problem.code in ("no-concepts", "empty-value")


@pytest.mark.parametrize("epoch", ["0", "-2", "2.5", '""', f'"{"9" * 65}"'])
@pytest.mark.parametrize("key", ["epoch", "modelEpoch"])
def test_a_pinned_epoch_is_a_number_from_one_on_or_a_name(epoch: str, key: str, tmp_path: Path) -> None:
    [problem] = problems(
        tmp_path, f"compositions: {{ mix: {{ concepts: [{{ modelId: m, scale: 1, {key}: {epoch} }}] }} }}"
    )
    assert problem.location is not None
    good = load(tmp_path, f"compositions: {{ mix: {{ concepts: [{{ modelId: m, scale: 1, {key}: 8.0 }}] }} }}")
    assert [concept.epoch for one in good.compositions.values() for concept in one.concepts] == ["8"]

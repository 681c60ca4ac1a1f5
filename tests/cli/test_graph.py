"""The command graph: offline, from manifest and state; nothing is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenario_apply import __main__

MANIFEST = """\
version: 1
datasets:
  kael: { images: ./kael }
models:
  kael: { type: flux.1-lora, dataset: kael, tags: [hero] }
  lr:
    type: flux.1-lora
    dataset: kael
    matrix: { learningRate: { slow: 5e-5, fast: 2e-4 } }
compositions:
  ink: { concepts: [{ model: kael, scale: 0.8 }, { modelId: V2anp75qTuKmmHOeInzQhg, scale: 0.5 }] }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest whose dataset does not exist: without --plan no picture is looked at."""
    (tmp_path / "scenario.yaml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_graph_needs_no_pictures_and_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(os.listdir(here))
    for form, start in (("text", "dataset.kael\n"), ("mermaid", "flowchart LR\n"), ("dot", "digraph scenario {\n")):
        assert __main__.main(["graph", "--format", form]) == 0
        assert capsys.readouterr().out.startswith(start)
    assert sorted(os.listdir(here)) == before


def test_a_selection_narrows_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["graph", "--select", "tag:hero+"]) == 0
    shown = capsys.readouterr().out
    assert "composition.ink" in shown
    assert "model.lr" not in shown
    assert "2 resources not selected" in shown
    assert __main__.main(["graph", "--select", "model.nobody"]) == 64
    assert "selects nothing" in capsys.readouterr().err


def draw_pictures(here: Path) -> None:
    from PIL import Image

    (here / "kael").mkdir()
    for number in range(3):
        Image.effect_noise((1024, 1024), 40 + number).convert("RGB").save(here / f"kael/{number}.jpg")
        (here / f"kael/{number}.txt").write_text(f"kael, view {number} of the old harbour", encoding="utf-8")


def test_planned_actions_are_marked_without_a_request(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_pictures(here)
    assert __main__.main(["graph", "--plan", "--quiet", "--exclude", "model.lr"]) == 0
    assert "model.kael  flux.1-lora  + create" in capsys.readouterr().out


def test_consent_to_read_files_needs_a_plan(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["graph", "--allow-remote"]) == 64
    assert "--plan" in capsys.readouterr().err


def test_a_saved_plan_has_its_actions_marked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the manifest that it was made of; a manifest that changed since is named."""
    draw_pictures(here)
    assert __main__.main(["plan", "--no-refresh", "--quiet", "--select", "model.kael", "--out", "plan.json"]) == 0
    capsys.readouterr()
    assert __main__.main(["graph", "plan.json"]) == 0
    shown = capsys.readouterr()
    assert "model.kael  flux.1-lora  + create" in shown.out
    assert "model.lr/slow  lr (slow), flux.1-lora\n" in shown.out
    assert "changed since" not in shown.err
    (here / "scenario.yaml").write_text(f"{MANIFEST}# more\n", encoding="utf-8")
    assert __main__.main(["graph", "plan.json"]) == 0
    assert "scenario.yaml has changed since the plan was made" in capsys.readouterr().err
    assert __main__.main(["graph", "plan.json", "--plan"]) == 64

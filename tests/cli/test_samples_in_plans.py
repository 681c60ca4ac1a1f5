"""A plan that draws samples again shows those in use beside them: on its page, and in its comment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenario_apply import __main__
from tests.review.compared_project import MANIFEST, write_project


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two versions that drew a sample; the manifest asks for another training, and for one sample more."""
    write_project(tmp_path, versions=2, prompts=1)
    declared = "samples: [{ prompt: KAEL_07 at the harbour, seed: 0, scale: 1 }, { prompt: KAEL_07 asleep, seed: 1 }]"
    manifest = MANIFEST.replace("dataset: ./kael", f"dataset: ./kael, parameters: {{ nbEpochs: 12 }}, {declared}")
    (tmp_path / "scenario.yaml").write_text(manifest)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("SCENARIO_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_the_page_of_a_plan(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["plan", "--local", "--no-refresh", "--format", "html"]) == 0
    section = capsys.readouterr().out.partition('<section id="samples"')[2].partition("</section>")[0]
    assert section.count("data:image/webp;base64,") == 1
    assert section.count("will be drawn") == 2
    assert "after the next apply" in section


def test_the_comment_of_a_plan(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--local", "--no-refresh", "--format", "markdown"]
    assert __main__.main([*words, "--samples-url", "https://example.com"]) == 0
    shown = capsys.readouterr().out
    assert "| sample | version 2 (current) | after the next apply |" in shown
    assert shown.count('<img src="https://example.com/') == 1
    assert shown.count("| will be drawn |") == 2


def test_a_short_comment_counts_samples(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--local", "--no-refresh", "--format", "markdown", "--max-length", "2000"]
    assert __main__.main([*words, "--samples-url", f"https://example.com/{'x' * 900}"]) == 0
    shown = capsys.readouterr().out
    assert len(shown) <= 2000
    assert "<img" not in shown

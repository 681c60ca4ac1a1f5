"""samples draw, show and prune, on the embedded Scenario: drawn once, shown with files, and cleaned up."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenario_apply import __main__
from scenario_apply.apply.drawn_pictures import SampleLooker
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.errors import ApplyError

QUICKSTART = Path(__file__).parent.parent.parent / "manifests" / "quickstart"
MANIFEST = """\
version: 1
models:
  kael:
    type: flux.1-lora
    dataset: { images: ./kael, trigger: KAEL_07 }
    samples:
      on: manual
      prompts: ["{{ trigger }} in the rain", { name: portrait, prompt: "{{ trigger }}, portrait", seed: 7, count: 2 }]
  plain:
    type: flux.1-lora
    dataset: { images: ./kael, trigger: KAEL_07 }
"""
APPROVED = ("--auto-approve", "--poll-interval", "0.05")


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorThread]:
    with EmulatorThread(manual_options(clock="real", training_s=0.02, queue_s=0)) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path, emulator: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kael").mkdir()
    for ending in (".jpg", ".txt"):
        shutil.copy(QUICKSTART / "kael" / f"03_full_draw{ending}", tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
    monkeypatch.delenv("SCENARIO_PROJECT_ID", raising=False)
    return tmp_path


def run(*words: str) -> int:
    return __main__.main([*words])


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run("samples", "show", *words, "--format", "json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert sum(document["summary"].values()) == len(document["samples"])
    rows: list[dict[str, Any]] = document["samples"]
    return rows


def generations(emulator: EmulatorThread) -> int:
    """How many were paid for."""
    return sum("generate/custom" in one.path and "dryRun" not in one.query for one in emulator.requests)


def test_samples_from_the_first_plan_to_the_last_copy(
    here: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `on: manual` an apply draws none; `samples draw` draws each once, and trains nothing."""
    rows = shown(capsys, "--no-refresh")
    assert [(row["name"], row["status"], row["version"]) for row in rows] == [
        ("1", "untrained", None),
        ("portrait", "untrained", None),
    ]
    assert run("samples", "draw", *APPROVED) == 0, "nothing can be drawn yet"
    assert run("apply", "--auto-approve", "--poll-interval", "0.05") == 0
    assert generations(emulator) == 0
    rows = shown(capsys, "model.kael")
    assert [(row["name"], row["status"], row["cost_source"]) for row in rows] == [
        ("1", "missing", "quoted"),
        ("portrait", "missing", "quoted"),
    ]
    assert not (here / ".scenario" / "samples").exists()

    assert run("samples", "draw", "model.kael", *APPROVED, "--limit", "samples_cost=30") == 1
    assert generations(emulator) == 0, "32.25 CU exceed the limit"
    trainings = len([one for one in emulator.requests if one.path.endswith("/train")])
    assert run("samples", "draw", "model.kael", "scenario.yaml", *APPROVED) == 0
    capsys.readouterr()
    assert run("samples", "draw", *APPROVED) == 0
    assert "No samples to draw." in capsys.readouterr().out
    assert generations(emulator) == 2
    assert len([one for one in emulator.requests if one.path.endswith("/train")]) == trainings
    rows = shown(capsys)
    assert [(row["name"], row["status"], row["cu"]) for row in rows] == [
        ("1", "drawn", 10.75),
        ("portrait", "drawn", 21.5),
    ]
    files = [picture["file"] for row in rows for picture in row["pictures"]]
    assert len(files) == 3
    assert all(os.path.isfile(file) for file in files)

    os.unlink(files[0])
    assert next(picture["file"] for row in shown(capsys) for picture in row["pictures"]) is None
    assert [picture["file"] for row in shown(capsys, "--download") for picture in row["pictures"]] == files

    stray = here / ".scenario" / "samples" / f"{'0' * 64}.webp"
    stray.write_bytes(b"left over")
    assert run("samples", "prune", "--dry-run") == 0
    assert stray.exists()
    assert run("samples", "prune") == 0
    assert "1 small copy" in capsys.readouterr().out
    assert not stray.exists()
    assert all(os.path.isfile(file) for file in files)

    assert run("samples", "show", "-v") == 0
    text = capsys.readouterr().out
    assert files[0] in text
    assert "2 drawn. 32.25 CU charged." in text
    copies_are_published(here, [Path(file) for file in files], capsys)
    a_page_of_another_version_has_them(here, emulator, capsys)


def copies_are_published(here: Path, files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """`samples copy` brings a folder up to date: by the state alone, with downloads only where they are asked for."""
    (here / "public").mkdir()
    (here / "public" / "index.html").write_text("mine")
    (here / "public" / f"{'0' * 64}.webp").write_bytes(b"of a version that is gone")
    files[0].unlink()
    state = ("--state", str(here / "state" / "scenario.json"))
    assert run("samples", "copy", "public", *state) == 0
    assert "public: 2 small copies added, 1 deleted, 2 of 3 there." in capsys.readouterr().err
    assert run("samples", "copy", "public", *state, "--download") == 0
    assert sorted(os.listdir(here / "public")) == sorted([*(file.name for file in files), "index.html"])
    (here / "elsewhere").symlink_to(here / "kael")
    assert run("samples", "copy", "elsewhere", *state) == 1
    assert len(os.listdir(here / "kael")) == 2


def a_page_of_another_version_has_them(
    here: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page of a saved plan asks for nothing unless it is told to, and then never another endpoint."""
    manifest = MANIFEST.replace("      on: manual\n", "").replace(
        "dataset:", "parameters: { nbEpochs: 4 }\n    dataset:", 1
    )
    (here / "scenario.yaml").write_text(manifest, encoding="utf-8")
    assert run("plan", "--out", "p.json") == 0
    shutil.rmtree(here / ".scenario" / "samples")
    saved = ("plan", "p.json", "--format", "html")
    for words, there in ((saved, False), ((*saved, "--download-samples"), True), (("plan", "--format", "html"), True)):
        capsys.readouterr()
        assert run(*words) == 0
        assert ('alt="1, version 1"' in capsys.readouterr().out) is there, words
    sent = len(emulator.requests)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SCENARIO_BASE_URL", "https://api.cloud.scenario.com/v1")
        assert run(*saved, "--download-samples") == 0
    assert "the plan was made for another endpoint" in capsys.readouterr().err
    assert len(emulator.requests) == sent
    assert run("plan", "p.json", "--download-samples") == 64


def test_pictures_that_could_not_be_downloaded_are_looked_at_later(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object, assets: object) -> None:
        raise ApplyError("the network is down")

    assert run("apply", "--auto-approve", "--poll-interval", "0.05") == 0
    with monkeypatch.context() as patched:
        patched.setattr(SampleLooker, "__call__", fails)
        assert run("samples", "draw", *APPROVED) == 0
        assert "the network is down" in capsys.readouterr().err
    assert [picture["file"] for row in shown(capsys) for picture in row["pictures"]] == [None] * 3
    assert run("samples", "draw", *APPROVED) == 0
    assert all(picture["file"] and picture["dhash"] for row in shown(capsys) for picture in row["pictures"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("draw", "model.kale"), "model.kale is not declared"),
        (("show", "model.kale"), "model.kale is neither declared nor recorded"),
        (("draw", "scenario.yaml", "other.yaml"), "unexpected argument 'other.yaml'"),
        (("draw", "--version", "1"), "--version is about one ADDRESS"),
        (("draw", "model.kael", "--version", "3"), "model.kael has no version 3"),
        (("draw", "model.kael"), "approval is required, but no terminal is attached\nhint: use --auto-approve\n"),
        (("show", "--download", "--no-refresh"), "sends no requests"),
    ],
)
def test_what_is_wrong_is_said(
    here: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    if said.startswith("approval"):
        assert run("apply", "--auto-approve", "--poll-interval", "0.05") == 0
    assert run("samples", *words) != 0
    assert said in capsys.readouterr().err

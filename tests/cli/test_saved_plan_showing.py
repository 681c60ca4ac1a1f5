"""plan FILE: a saved plan in every format, whole, with the reason why it must not be applied where there is one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scenario_apply import __main__

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = """\
version: 1
datasets:
  kael: { images: ./kael }
models:
  kael: { type: flux.1-lora, dataset: kael }
"""
FORMATS = ("text", "json", "markdown", "html", "github")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a manifest, two pictures and a plan, p.json; made once."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "kael").mkdir()
    for name in ("01_dusk_portrait.jpg", "01_dusk_portrait.txt", "05_campfire.jpg", "05_campfire.txt"):
        shutil.copy(PICTURES / name, folder / "kael" / name)
    (folder / "scenario.yaml").write_text(MANIFEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run("plan", "--no-refresh", "--out", "p.json") == 0
    return folder


@pytest.fixture(autouse=True)
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A copy of that folder, where every command runs."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    return tmp_path


def run(*words: str) -> int:
    return __main__.main(list(words))


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_printed_whole_in_every_format(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "p.json", "--format", name, "--detailed-exitcode") == 2
    out = capsys.readouterr().out
    assert "model.kael" in out
    if name != "github":
        assert "05_campfire.jpg" in out
        assert "scenario-apply apply p.json" in out or name in ("json", "html")


def test_the_json_is_what_the_file_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "p.json", "--format", "json") == 0
    shown, saved = json.loads(capsys.readouterr().out), json.loads(Path("p.json").read_text())
    assert {**shown, "inputs": None, "digest": None} == {**saved, "inputs": None, "digest": None}


@pytest.mark.parametrize("name", FORMATS)
def test_a_stale_one_is_printed_whole_with_the_file_that_changed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("kael/05_campfire.txt").write_text("something else")
    assert run("plan", "p.json", "--format", name, "--detailed-exitcode") == 5
    out = capsys.readouterr().out
    assert "model.kael" in out
    if name != "html":  # the page's own tests say where it stands there
        assert "kael/05_campfire.jpg has another caption since the plan was made" in out
    assert "scenario-apply apply p.json" not in out


def test_a_changed_manifest_makes_it_stale(capsys: pytest.CaptureFixture[str]) -> None:
    Path("scenario.yaml").write_text(MANIFEST + "# later\n")
    assert run("plan", "p.json", "--detailed-exitcode") == 5
    assert "This saved plan is stale:\nerror[plan-stale]: the manifest changed" in capsys.readouterr().out
    assert run("plan", "p.json") == 1


def test_a_stale_one_names_the_command_that_makes_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    """With the options that it was made with."""
    assert run("plan", "--no-refresh", "--select=model.kael", "--state=s.json", "--out", "q.json") == 0
    Path("scenario.yaml").write_text(f"{MANIFEST}# changed\n")
    capsys.readouterr()
    assert run("plan", "q.json", "--state=s.json") == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.endswith("Next: scenario-apply plan scenario.yaml --state=s.json --select=model.kael --out=q.json")


def test_without_its_manifest_it_is_shown_and_the_reader_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("scenario.yaml").unlink()
    assert run("plan", "p.json") == 0
    streams = capsys.readouterr()
    assert "model.kael will be created and trained" in streams.out
    assert "It was not compared with its manifest and state." in streams.err


@pytest.mark.parametrize(
    "options", ["--out q.json", "--refresh-only", "--destroy", "--limit cost=5", "--select model.kael", "--var a=b"]
)
def test_options_that_would_be_ignored_are_refused(options: str) -> None:
    assert run("plan", "p.json", *options.split()) == 64


def test_a_damaged_one_is_an_error_in_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.json").write_text('{"format_version": ')
    for name in FORMATS:
        assert run("plan", "p.json", "--format", name) == 1
        assert "p.json is damaged" in capsys.readouterr().err


def test_pictures_that_must_not_be_read_here_make_no_plan_stale(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the consent that the plan was made with, it is not compared: its pictures are not gone."""
    (home / "sub").mkdir()
    text = MANIFEST.replace("{ images: ./kael }", "{ images: ../kael, allow_outside_root: true }")
    (home / "sub" / "scenario.yaml").write_text(text)
    assert run("plan", "sub", "--no-refresh", "--allow-outside-root", "--out", "q.json") == 0
    assert run("plan", "q.json", "--allow-outside-root", "--detailed-exitcode") == 2
    capsys.readouterr()
    assert run("plan", "q.json", "--detailed-exitcode") == 2
    streams = capsys.readouterr()
    assert "stale" not in streams.out
    assert "It was not compared" in streams.err

"""--out and --events never write over what is not theirs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenario_apply import __main__

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = "version: 1\ndatasets:\n  kael: { images: ./kael }\nmodels:\n  kael: { type: flux.1-lora, dataset: kael }\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PICTURES, tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "other.json").write_text('{"format_version": "1.0", "lineage": "x", "serial": 1}\n')
    (tmp_path / "state" / "other.journal").write_text('{"run": "x"}\n')
    return tmp_path


def contents(home: Path) -> dict[str, bytes]:
    """Every file the user has; the tool's cache apart."""
    files = (path for path in home.rglob("*") if path.is_file() and ".scenario" not in path.parts)
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


TAKEN = [
    "scenario.yaml",
    "kael/01_dusk_portrait.jpg",
    "kael/01_dusk_portrait.txt",
    "state/other.json",
    "state/other.journal",
    "state/scenario.json",
    "state/scenario.journal",
    "state/scenario.lock",
    "state/backups/scenario.1.json",
    ".scenario/cache",
    "kael",
    "no/such/folder.json",
    "scenario.yaml/x",
]


@pytest.mark.parametrize("target", TAKEN)
@pytest.mark.parametrize("words", [["plan", "--no-refresh", "--out"], ["apply", "--auto-approve", "--events"]])
def test_what_is_not_theirs_stays_as_it_is(
    words: list[str], target: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(home)
    assert __main__.main([*words, target, "--local"]) == 1
    err = capsys.readouterr().err
    assert target in err
    assert "hint" in err
    assert contents(home) == before


def test_a_saved_plan_an_empty_file_and_a_link_elsewhere_to_a_plan_are_written_over(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (home / "empty.json").touch()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    link = elsewhere / "link.json"
    link.symlink_to("plan.json")
    (elsewhere / "plan.json").touch()
    for _ in range(2):
        for name in ("new.json", "empty.json", str(link)):
            assert __main__.main(["plan", "--no-refresh", "--out", name]) == 0
    assert link.is_symlink()
    assert json.loads((elsewhere / "plan.json").read_text())["summary"]["create"] == 1
    assert json.loads((home / "empty.json").read_text())["summary"]["create"] == 1


def test_a_folder_of_manifests_takes_no_plan_that_would_be_read_as_one(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["plan", ".", "--no-refresh", "--out", "tonight.yaml"]) == 1
    assert "read as a manifest" in capsys.readouterr().err
    assert __main__.main(["plan", "scenario.yaml", "--no-refresh", "--out", "tonight.yaml"]) == 0


def test_an_event_log_is_written_over_and_ends_in_a_ledger_without_a_manifest_too(home: Path) -> None:
    for words in (["apply", "--auto-approve"], ["apply", "nowhere.yaml", "--auto-approve", "--local"]):
        assert __main__.main([*words, "--events", "log.jsonl"]) == 1
        lines = [json.loads(line) for line in (home / "log.jsonl").read_text().splitlines()]
        assert lines[0]["type"] == "version"
        assert lines[-1]["type"] == "ledger"


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no /dev/fd here")
def test_events_may_go_into_a_pipe(home: Path) -> None:
    command = [sys.executable, "-m", "scenario_apply", "apply", "--auto-approve", "--events", "/dev/stdout"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert json.loads(done.stdout.splitlines()[-1])["type"] == "ledger"

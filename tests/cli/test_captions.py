"""The captions commands on the embedded Scenario."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.test_local import PICTURES

MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: { images: ./kael } }\n"
HUMAN = "a hooded ranger, written by a person\n"


def uncaptioned(home: Path, count: int = 3) -> Path:
    (home / "kael").mkdir(parents=True)
    for picture in sorted(PICTURES.glob("*.jpg"))[:count]:
        shutil.copy(picture, home / "kael")
    (home / "scenario.yaml").write_text(MANIFEST)
    return home


def test_pulled_captions_are_files_and_no_reason_to_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service's own captions become files; then nothing is to be trained, and the service holds the same."""
    home = uncaptioned(tmp_path)
    monkeypatch.chdir(home)
    with EmulatorThread() as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        assert run(["captions", "pull", "kael"]) == 1
        assert "error[nothing-recorded]" in capsys.readouterr().err
        assert run(["apply", "--auto-approve", "--no-wait"]) == 0
        emulator.advance(100_000)
        assert run(["captions", "draft", "kael"]) == 1
        said = "has captions of its own for 3 of them: captions pull writes these without charge"
        assert said in capsys.readouterr().err
        assert run(["captions", "pull", "--all", "--format", "json"]) == 0
        texts = sorted((home / "kael").glob("*.txt"))
        written = json.loads(capsys.readouterr().out)["datasets"][0]["written"]
        assert [one["file"] for one in written] == [f"kael/{text.name}" for text in texts]
        assert len(texts) == 3
        assert [one["caption"] + "\n" for one in written] == [text.read_text() for text in texts]
        assert run(["plan", "--detailed-exitcode"]) == 0
        assert run(["captions", "check", "kael"]) == 0
        texts[0].write_text(HUMAN)
        texts[1].unlink()
        assert run(["captions", "pull", "kael"]) == 0
        assert texts[0].read_text() == HUMAN
        assert texts[1].exists()
        capsys.readouterr()
        assert run(["captions", "check", "kael", "--detailed-exitcode"]) == 4
    shown = " ".join(capsys.readouterr().out.split())
    assert "[-tall picture-] {+hooded ranger+}" in shown
    assert "1 differs" in shown

"""The captions commands on the embedded Scenario."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
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


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    """The embedded Scenario, which checks every request against the contract; the working folder lacks captions."""
    monkeypatch.chdir(uncaptioned(tmp_path))
    with EmulatorThread() as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        yield running


def test_pulled_captions_are_files_and_no_reason_to_train(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service's own captions become files; then nothing is to be trained, and the service holds the same."""
    assert run(["captions", "pull", "kael"]) == 1
    assert "error[nothing-recorded]" in capsys.readouterr().err
    assert run(["apply", "--auto-approve", "--no-wait"]) == 0
    emulator.advance(100_000)
    assert run(["captions", "draft", "kael"]) == 1
    said = "has captions of its own for 3 of them: captions pull writes these without charge"
    assert said in capsys.readouterr().err
    assert run(["captions", "pull", "--all", "--format", "json"]) == 0
    texts = sorted((tmp_path / "kael").glob("*.txt"))
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


def test_the_command_prices_asks_and_marks(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is requested before a price and a yes; what is written is marked as a draft."""
    assert run(["captions", "draft", "kael"]) == 1
    assert "error[no-approval]" in capsys.readouterr().err
    assert run(["captions", "draft", "kael", "--auto-approve", "--limit", "cost=0.5"]) == 1
    assert "cost: 0.75 is over the limit of 0.5" in capsys.readouterr().err
    assert list((tmp_path / "kael").glob("*.txt")) == []
    assert run(["captions", "draft", "--all", "--auto-approve", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert "0.75 CU charged" in shown.err
    sent = [request for request in emulator.requests if request.path.endswith("/generate/caption")]
    assert [request.query for request in sent] == ["dryRun=true"] * 3 + [""] * 3
    assert len(json.loads(shown.out)["datasets"][0]["written"]) == 3
    assert run(["validate"]) == 0
    assert "C40" in capsys.readouterr().err

"""validate --fix shows, asks, writes what it showed and touches nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.cli.main import run
from scenario_apply.state.state import Record, State
from scenario_apply.state.stores.file_store import FileStore
from tests.cli.test_local import MANIFEST, PICTURES
from tests.fakes.clock import FakeClock
from tests.planning.decisions import KAEL, version

TEXTS = {"01_dusk_portrait": b"\xef\xbb\xbfKAEL_07, dusk, cloak\r\n", "02_winter_night": b"winter, KAEL_07, bow\n"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kael").mkdir()
    for stem, text in TEXTS.items():
        shutil.copy(PICTURES / f"{stem}.jpg", tmp_path / "kael")
        (tmp_path / "kael" / f"{stem}.txt").write_bytes(text)
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(home: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted((home / "kael").glob("*.txt"))]


def test_without_consent_it_only_shows(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "--fix"]) == 1
    shown = capsys.readouterr()
    assert "-\\ufeffKAEL_07, dusk, cloak\\r\n+KAEL_07, dusk, cloak\n" in shown.out
    assert "error[no-approval]" in shown.err
    assert texts(home) == [*TEXTS.values()]


def test_with_consent_it_writes_and_a_second_run_finds_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "kael" / "01_dusk_portrait.txt").chmod(0o640)
    files = sorted(home.rglob("*"))
    assert run(["validate", "--fix", "--auto-approve"]) == 0
    assert texts(home) == [b"KAEL_07, dusk, cloak\n", b"KAEL_07, winter, bow\n"]
    assert (home / "kael" / "01_dusk_portrait.txt").stat().st_mode & 0o777 == 0o640
    assert [p for p in sorted(home.rglob("*")) if ".scenario" not in p.parts] == files
    capsys.readouterr()
    assert run(["validate", "--fix"]) == 0
    assert "Nothing to fix" in capsys.readouterr().err


def test_the_trigger_of_a_trained_caption_is_moved_only_when_that_is_asked_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another caption asks for another training, which is paid."""
    trained = State(lineage="l", serial=1, endpoint="e", records={KAEL: Record(current=replace(version(), images=()))})
    store = FileStore(
        str(home / "state" / "scenario.json"), endpoint="e", project=None, tool_version="1", clock=FakeClock()
    )
    store.read()
    store.save(trained)
    assert run(["validate", "--fix", "--auto-approve"]) == 0
    assert "the training of model.kael used these captions" in capsys.readouterr().err
    assert texts(home) == [b"KAEL_07, dusk, cloak\n", b"winter, KAEL_07, bow\n"]
    assert run(["validate", "--fix-only", "trigger", "--auto-approve"]) == 0
    assert texts(home)[1] == b"KAEL_07, winter, bow\n"


def test_a_link_is_left_as_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = home / "kael" / "01_dusk_portrait.txt"
    text.rename(home / "real.txt")
    text.symlink_to(home / "real.txt")
    assert run(["validate", "--fix", "--auto-approve"]) == 1
    assert "links are not followed here" in capsys.readouterr().err
    assert (home / "real.txt").read_bytes() == TEXTS["01_dusk_portrait"]


def test_an_unknown_kind_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "--fix-only", "comas"]) == 64
    assert "'comas' is not one of encoding, bom" in capsys.readouterr().err

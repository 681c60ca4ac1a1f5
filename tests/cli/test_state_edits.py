"""Edits of a state by hand: what a command may write over."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from tests.state.stores.remote.contract_suite import document


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "copy.json").write_bytes(document())
    path = tmp_path / "state" / "kael.json"
    path.parent.mkdir()
    path.write_bytes(document()[:-20])
    return path


def test_a_state_that_cannot_be_read_is_replaced_only_by_force_and_kept(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = state.read_bytes()
    assert main(["state", "push", "copy.json", "--state", str(state)]) == 1
    assert "is damaged" in capsys.readouterr().err
    assert state.read_bytes() == damaged
    assert main(["state", "push", "copy.json", "--state", str(state), "--force"]) == 0
    assert main(["state", "list", "--state", str(state)]) == 0
    assert "model.kael" in capsys.readouterr().out
    assert (state.parent / "backups" / "kael.unreadable.json").read_bytes() == damaged


def test_a_state_of_a_newer_release_is_not_replaced(state: Path) -> None:
    newer = document().replace(b'"1.0"', b'"2.0"')
    state.write_bytes(newer)
    assert main(["state", "push", "copy.json", "--state", str(state), "--force"]) == 1
    assert state.read_bytes() == newer

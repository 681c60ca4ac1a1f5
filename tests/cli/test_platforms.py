"""On a system that is not supported, the command says so and ends."""

from __future__ import annotations

import sys

import pytest

from scenario_apply.__main__ import main


@pytest.mark.parametrize("words", [["plan"], ["--version"], []])
def test_windows_is_told_about_wsl(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(words) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert "WSL" in shown.err

"""A state and a journal that a pull request brings along are refused in words, before anything is done with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenario_apply.__main__ import main

MANIFEST = """version: 1
models:
  kael: { type: flux.1-lora, dataset: { images: ./kael } }
"""


def repository(folder: Path, model_id: object) -> None:
    version = {"number": 1, "id": model_id, "phase": "trained", "name": "Kael", "type": "flux.1-lora"}
    state = {
        "format_version": "1.0",
        "tool_version": "0.1.0",
        "lineage": "l",
        "serial": 1,
        "endpoint": None,
        "project": None,
        "resources": {"model.kael": {"current": version}},
    }
    (folder / "scenario.yaml").write_text(MANIFEST)
    (folder / "state").mkdir()
    (folder / "state" / "scenario.json").write_text(json.dumps(state))


@pytest.mark.parametrize("model_id", ["m1\nBASH_ENV=/tmp/x", "m1\n", "$(id)", "a" * 129, 7, None, ["m1"]], ids=ascii)
def test_nothing_but_an_id_gets_into_a_file_of_variables(
    model_id: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository(tmp_path, model_id)
    monkeypatch.chdir(tmp_path)
    assert main(["output", "--format", "env"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert 'resources["model.kael"].current.id: expected' in shown.err
    assert "restore the file from version control" in shown.err.replace("\n", " ")
    assert "internal error" not in shown.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"phase": "intent", "op": "s1", "ts": "t", "step": {"kind": "sing"}}',
            "line 2: step.kind: 'sing' is not one",
        ),
        ('{"phase": "done", "op": ["s1"], "outcome": {"at": "t"}}', "line 2: op: expected text, got a list"),
        (
            '{"phase": "done", "op": "s1", "outcome": {"at": "t"}}',
            "line 2: op: no line before it says what the step 's1'",
        ),
        (
            '{"phase": "baseline", "baseline": {"models": {"ids": "m1"}}}',
            "line 2: baseline.models.ids: expected a list",
        ),
        ("[]", "line 2: expected an object, got a list"),
        ('{"phase": "run", "run": "r", "ts": "t", "news": ' + "[" * 50_000, "line 2: it is nested too deeply"),
    ],
)
def test_a_foreign_journal_is_refused_with_its_line(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository(tmp_path, "m1")
    (tmp_path / "state" / "scenario.journal").write_text(f'{{"phase": "run", "run": "r", "ts": "t"}}\n{line}\n')
    monkeypatch.chdir(tmp_path)
    assert main(["state", "list"]) == 1
    shown = capsys.readouterr()
    assert said in " ".join(shown.err.split())
    assert "it holds what the last run did: restore it from a copy" in " ".join(shown.err.split())
    assert "internal error" not in shown.err

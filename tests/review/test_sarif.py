"""review/sarif.py: a log that fits the schema of SARIF 2.1.0. The schema's source is in sarif_schema/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scenario_apply.__main__ import main
from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.lint_rules import RULES
from scenario_apply.review.lint_explanations import LINT_TEXTS
from scenario_apply.review.sarif import sarif
from tests.dataset.build import make_picture

SCHEMA = json.loads((Path(__file__).parent / "sarif_schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))


def checked(text: str) -> dict[str, Any]:
    """The only run of a log that fits the schema."""
    log = json.loads(text)
    jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    [run] = log["runs"]
    assert isinstance(run, dict)
    return run


def test_every_rule_is_described_and_every_severity_has_its_level() -> None:
    problems = [Diagnostic(code=rule.code, message="it is", severity=rule.severity) for rule in RULES]
    run = checked(sarif([*problems, Diagnostic(code="unknown-key", message="unknown key lr")], valid=False))
    described = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    for rule in RULES:
        text = LINT_TEXTS[rule.code]
        assert described[rule.code]["name"] == rule.name
        assert all(part in described[rule.code]["help"]["text"] for part in (text.catches, text.why, text.fix))
        assert described[rule.code]["defaultConfiguration"]["level"] == rule.severity.replace("info", "note")
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]


def test_files_are_relative_uris_and_places_are_regions() -> None:
    place = Location(file="set/été, 10%:#1.png", line=3, column=5, text="  lr: 1")
    run = checked(sarif([Diagnostic(code="D03", message="alike", location=place, hint="keep one")], valid=True))
    [result] = run["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {
        "uri": "set/%C3%A9t%C3%A9%2C%2010%25%3A%231.png",
        "uriBaseId": "%SRCROOT%",
    }
    assert physical["region"] == {"startLine": 3, "startColumn": 5, "snippet": {"text": "  lr: 1"}}
    assert result["message"]["text"] == "alike. Hint: keep one"


def test_a_valid_manifest_is_an_empty_log() -> None:
    assert checked(sarif([], valid=True))["results"] == []


@pytest.mark.parametrize("workspace", [None, "."])
def test_validate_reports_below_the_checkout(
    workspace: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paths count from GITHUB_WORKSPACE, where GitHub resolves them, else from where the command runs."""
    here = tmp_path / "models"
    for number in range(5):
        make_picture(here / "kael" / f"{number}.png", seed=number, size=(700, 700))
    (here / "scenario.yaml").write_text("version: 1\ndatasets: { kael: ./kael }\n", encoding="utf-8")
    monkeypatch.chdir(here)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    if workspace is not None:
        monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert main(["validate", "--format", "sarif"]) == 0
    run = checked(capsys.readouterr().out)
    uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]}
    top = "models/" if workspace is not None else ""
    assert f"{top}kael/0.png" in uris
    assert f"{top}scenario.yaml" in uris
    assert str(tmp_path) not in json.dumps(run)
    assert main(["validate", "--format", "github", "--strict"]) == 1
    shown = capsys.readouterr().out
    assert f"::warning file={top}kael/0.png,title=R01 too-small::700x700" in shown
    assert all(line.startswith("::") for line in shown.splitlines())

"""The generated pages and schemas are up to date; every code has an explanation; the schemas fit what is written."""

from __future__ import annotations

import ast
import json
import re
import runpy
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scenario_apply.__main__ import main
from scenario_apply.cli.commands.schema import FOLDERS
from scenario_apply.cli.progress.json_lines import JsonLinesView
from scenario_apply.errors import Diagnostic, ExitCode, Location
from scenario_apply.model.lint_rules import RULES
from scenario_apply.review.diagnostic_explanations import DIAGNOSTIC_TEXTS
from scenario_apply.review.explanations import explanation, known_codes
from scenario_apply.review.lint_explanations import LINT_TEXTS
from scenario_apply.review.plan_json import failed_plan_json
from scenario_apply.review.screen import Screen
from tests.cli.runs import PLAN, played
from tests.fakes.clock import FakeClock

ROOT = Path(__file__).parent.parent
GENERATOR = runpy.run_path(str(ROOT / "docs" / "generate.py"))
GENERATED: dict[Path, str] = GENERATOR["files"]()
GOLDEN = ROOT / "tests" / "golden"


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    assert path.exists(), "make docs"
    assert path.read_text(encoding="utf-8") == GENERATED[path], "make docs"


def test_every_exit_code_is_documented() -> None:
    assert set(GENERATOR["EXIT_CODES"]) == set(ExitCode)


# -- codes

NOT_DIAGNOSTICS = {"env", "file", "var", "var-file"}
"""First arguments of another `add`: the parts of a manifest's digest."""


def codes_in(tree: ast.Module, positions: dict[str, int]) -> Iterator[str]:
    """Texts that are given as a code: by keyword, in the position of a parameter `code`, or as a class attribute."""
    for node in ast.walk(tree):
        given: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            given += node.args[positions[name] :][:1] if name in positions else []
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(
                target.id == "code" or target.id.endswith("_CODES")
                for target in targets
                if isinstance(target, ast.Name)
            ):
                given.append(node.value)
        elif isinstance(node, ast.Constant) and str(node.value).startswith("yaml-"):
            given.append(node)  # the codes of syntax errors are returned in tuples
        for value in given:
            for part in parts_of(value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def parts_of(value: ast.expr) -> list[ast.expr]:
    """The values that an expression may have."""
    if isinstance(value, ast.IfExp):
        return [*parts_of(value.body), *parts_of(value.orelse)]
    return value.values if isinstance(value, ast.Dict) else [value]


def all_codes() -> set[str]:
    package = ROOT / "scenario_apply"
    paths = [path for path in package.rglob("*.py") if "emulator" not in path.relative_to(package).parts]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    positions: dict[str, int] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            if "code" in names and node.name != "__init__":
                positions[node.name] = names.index("code") - (names[0] in ("self", "cls"))
        elif isinstance(node, ast.ClassDef):
            fields = [field.target.id for field in node.body if isinstance(field, ast.AnnAssign)]  # type: ignore[union-attr]  # of a class body
            if "code" in fields:
                positions[node.name] = fields.index("code")
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                    names = [argument.arg for argument in method.args.args]
                    if "code" in names:
                        positions[node.name] = names.index("code") - 1
    found = {code for tree in trees for code in codes_in(tree, positions)}
    return {code for code in found if re.fullmatch(r"[a-z]+(-[a-z0-9]+)*|[A-Z]\d\d", code)} - NOT_DIAGNOSTICS


def test_every_code_has_an_explanation_and_every_explanation_a_code() -> None:
    """`scenario-apply explain CODE` works for each code that a diagnostic of the source can have."""
    codes, lint = all_codes(), {rule.code for rule in RULES}
    assert len(codes) > 150
    assert set(LINT_TEXTS) == lint
    assert codes - lint - set(DIAGNOSTIC_TEXTS) == set()
    assert set(DIAGNOSTIC_TEXTS) - codes == set()


def test_each_code_and_each_name_of_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for code in known_codes():
        text = explanation(code, Screen())
        assert text
        assert max(map(len, text.splitlines())) <= 80, code
    assert main(["explain", "d03"]) == 0
    assert capsys.readouterr().out.startswith("D03 near-duplicate (warning, near-distance 12, near-colour 12, ")
    assert main(["explain", "near-duplicat"]) == ExitCode.USAGE
    assert "near-duplicate" in capsys.readouterr().err


# -- schemas


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((ROOT / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema


def errors_of(name: str, value: object) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema_of(name))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@pytest.mark.parametrize("name", FOLDERS)
def test_schema_prints_the_schema_that_the_repository_has(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(name))
    assert main(["schema", name]) == 0
    assert json.loads(capsys.readouterr().out) == schema_of(name)


def test_every_golden_plan_and_state_fits_its_schema() -> None:
    plan = jsonschema.Draft202012Validator(schema_of("plan"))
    state = jsonschema.Draft202012Validator(schema_of("state"))
    wrong = defaultdict(list)
    for path in sorted(GOLDEN.glob("*/*.json")):
        validator = {"plan.json": plan, "state.json": state}.get(path.name)
        if validator is not None:
            for error in validator.iter_errors(json.loads(path.read_text(encoding="utf-8"))):
                wrong[path.parent.name].append(f"{error.json_path}: {error.message}")
    assert wrong == {}


def test_a_plan_that_could_not_be_made_fits_the_schema() -> None:
    problem = Diagnostic(code="empty", message="the manifest is empty", location=Location(file="a.yaml", line=1))
    text = failed_plan_json([problem], manifest=None, endpoint="https://x", created_at="2026-08-01T12:00:00Z")
    assert errors_of("plan", json.loads(text)) == []


def test_the_schemas_refuse_what_is_no_plan_and_no_state() -> None:
    assert errors_of("plan", {"format_version": "1.0"})
    assert errors_of("state", {"format_version": "1.0", "lineage": "", "serial": -1, "resources": {}})
    assert errors_of("events", {"type": "ledger"})


def test_every_line_of_an_event_log_fits_its_schema() -> None:
    """Every type of the schema occurs in a run of every event, and none that the schema does not know."""
    clock = FakeClock()
    lines: list[str] = []
    view = JsonLinesView(lines.append, clock)
    view.problems([Diagnostic(code="empty", message="it is empty", location=Location(file="a.yaml", line=1))])
    view.planned(PLAN)
    played(view, clock.advance)
    logged = [json.loads(line) for line in lines]
    assert [errors_of("events", line) for line in logged] == [[] for _ in logged]
    known = {rule["if"]["properties"]["type"]["const"] for rule in schema_of("events")["allOf"]}
    assert {line["type"] for line in logged} == known

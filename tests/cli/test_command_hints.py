"""Commands in hints: complete, and quoted for the shell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.cli.command_hints import completed, completed_hint
from scenario_apply.cli.command_lines import again
from scenario_apply.cli.settings import Settings
from scenario_apply.errors import Diagnostic

LOCAL = Settings(local=True)
ALL = Settings(manifest="my manifests", state="s t.json", variables={"note": "a b"}, var_files=("v.yaml",), local=True)
FLAGS = "'my manifests' '--var=note=a b' --var-file=v.yaml '--state=s t.json' --local"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run scenario-apply state rm model.kael first", "run scenario-apply state rm model.kael --local first"),
        ("run scenario-apply apply, which settles it", "run scenario-apply apply --local, which settles it"),
        ("run `scenario-apply plan` to see", "run `scenario-apply plan --local` to see"),
        (
            "or run `scenario-apply rollback --lift model.icons/r16,2`.",
            "or run `scenario-apply rollback --lift model.icons/r16,2 --local`.",
        ),
        ("scenario-apply state list shows what is", "scenario-apply state list --local shows what is"),
        ("break it: scenario-apply force-unlock", "break it: scenario-apply force-unlock --local"),
        ("review it: scenario-apply plan --out FILE", "review it: scenario-apply plan --out FILE --local"),
        ("do scenario-apply apply --adopt model.a=ID now", "do scenario-apply apply --adopt model.a=ID --local now"),
        ("scenario-apply plan --local says more", "scenario-apply plan --local says more"),
        ("apply it: scenario-apply apply p.json", "apply it: scenario-apply apply p.json"),
        ("apply it: scenario-apply apply p.json --local", "apply it: scenario-apply apply p.json --local"),
        ("see scenario-apply state list --state k.json", "see scenario-apply state list --state k.json --local"),
        ("see scenario-apply state list --state 'a b'", "see scenario-apply state list --state 'a b' --local"),
        ("then scenario-apply state merge a.json b.json", "then scenario-apply state merge a.json b.json --local"),
        ("scenario-apply promote model.a writes it", "scenario-apply promote model.a --local writes it"),
        ("scenario-apply import --blocks writes", "scenario-apply import --blocks --local writes"),
        ("scenario-apply emulator --port 0 shows more", "scenario-apply emulator --port 0 shows more"),
        ("scenario-apply validate checks it", "scenario-apply validate checks it"),
        ("scenario-apply is a program", "scenario-apply is a program"),
        ("scenario-apply planning", "scenario-apply planning"),
    ],
)
def test_a_command_in_a_hint_keeps_the_service(text: str, expected: str) -> None:
    """Its own arguments stay before what is added; sentences around it stay as they are."""
    assert completed(text, LOCAL) == expected
    assert completed(text, Settings()) == text


def test_a_command_in_a_hint_keeps_manifest_state_and_variables() -> None:
    assert completed("scenario-apply state rm model.a", ALL) == f"scenario-apply state rm model.a {FLAGS}"
    read = "scenario-apply validate 'my manifests' '--var=note=a b' --var-file=v.yaml"
    assert completed("scenario-apply validate", ALL) == read


def test_a_state_that_the_command_names_stays() -> None:
    """It is another one than that of the command line; manifest and service are those of it."""
    settings = Settings(manifest="a.yaml", state="s.json", local=True)
    text = "scenario-apply state list --state s3://b/k.json"
    assert completed(text, settings) == f"{text} a.yaml --local"


@pytest.mark.parametrize("settings", [ALL, LOCAL, replace(ALL, manifest=None), Settings(manifest="manifests")])
def test_a_command_that_is_whole_stays_as_it_is(settings: Settings) -> None:
    """As those that continue a run, in the middle of a sentence."""
    for text in (again({}, settings, "apply"), f"first run {again({}, settings, 'apply')}, which completes it"):
        assert completed(text, settings) == text


def test_no_hint_shows_what_may_be_a_secret() -> None:
    settings = Settings(variables={"WANDB_API_KEY": "s3cr3t", "rate": "1"})
    assert completed("scenario-apply plan", settings) == "scenario-apply plan '--var=WANDB_API_KEY=***' --var=rate=1"


def test_a_saved_plan_is_not_named_as_a_manifest() -> None:
    assert completed("scenario-apply state list", Settings(manifest="p.json")) == "scenario-apply state list"


def test_the_hint_of_a_problem_is_completed() -> None:
    problem = Diagnostic(code="x", message="y", hint="scenario-apply plan")
    assert completed_hint(problem, LOCAL).hint == "scenario-apply plan --local"
    assert completed_hint(Diagnostic(code="x", message="y"), LOCAL).hint is None


def test_in_ci_no_value_of_a_variable_is_printed_and_none_is_taken_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(variables={"client": "Acme"}, environment={"CI": "true"})
    shown = "scenario-apply plan '--var=client=***'"
    assert completed("scenario-apply plan", settings) == shown
    assert again({}, settings, "plan") == shown
    assert main(["plan", "--var=client=***"]) == 64
    assert "stands for a value that was not printed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "is_file", "shown"), [("p.plan", True, ""), ("v1.2", False, " v1.2"), ("a.yml", True, " a.yml")]
)
def test_a_saved_plan_of_any_name_is_no_manifest(name: str, is_file: bool, shown: str, tmp_path: Path) -> None:
    """A folder whose name has a point is one."""
    (tmp_path / name).write_text("") if is_file else (tmp_path / name).mkdir()
    settings = Settings(manifest=name, cwd=str(tmp_path))
    assert completed("scenario-apply plan --out FILE", settings) == f"scenario-apply plan --out FILE{shown}"

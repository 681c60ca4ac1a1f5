"""A saved plan is carried out as it was reviewed, from whatever folder, or refused with a reason."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenario_apply import __main__
from scenario_apply.cli.saved_plans import PlanFileBad, read_saved_plan, saved_plan, settings_of_plan
from scenario_apply.cli.settings import Settings
from scenario_apply.errors import UsageError
from scenario_apply.planning.plan_format import plan_to_json, sealed
from scenario_apply.planning.plan_reader import plan_from_json
from tests.cli.plans import ALL_SIGNS

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """W/scenario.yaml over eight pictures, and the plan W/plans/my.plan.json made in W."""
    folder = tmp_path / "W"
    shutil.copytree(PICTURES, folder / "kael")
    (folder / "plans").mkdir()
    (folder / "more.yaml").write_text("steps: 750\n")
    (folder / "scenario.yaml").write_text(
        "version: 1\nvariables:\n  steps: { default: 500 }\n"
        "datasets:\n  kael: { images: ./kael, trigger: KAEL_07 }\n"
        'models:\n  kael: { type: flux.1-lora, dataset: kael, parameters: { maxTrainSteps: "{{ steps }}" } }\n'
    )
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    words = ["plan", "--no-refresh", "--local", "--var-file", "more.yaml", "--out", "plans/my.plan.json"]
    assert __main__.main(words) == 0
    return folder


def asked(plan: str, cwd: Path) -> Settings:
    """The settings an apply of that plan would have, run in cwd."""
    saved = read_saved_plan(plan, str(cwd))
    assert saved is not None
    return settings_of_plan(saved_plan(saved, plan), Settings(manifest=plan, local=True, cwd=str(cwd)))


def test_a_plan_finds_its_manifest_from_wherever_it_is_applied(home: Path, tmp_path: Path) -> None:
    """From its own folder, from above, from beside; moved next to the manifest; and with its variable files."""
    shutil.copy(home / "plans" / "my.plan.json", home / "moved.json")
    for plan, cwd in (
        ("plans/my.plan.json", home),
        ("my.plan.json", home / "plans"),
        ("W/plans/my.plan.json", tmp_path),
        ("W/moved.json", tmp_path),
        (str(home / "moved.json"), Path("/")),
    ):
        settings = asked(plan, cwd)
        assert settings.manifest is not None
        assert (cwd / settings.manifest).resolve() == home / "scenario.yaml"
        assert (cwd / settings.var_files[0]).resolve() == home / "more.yaml"


def test_a_plan_that_lost_its_manifest_says_which_one_it_was_made_for(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(home / "plans" / "my.plan.json", elsewhere / "my.plan.json")
    with pytest.raises(PlanFileBad, match=r"my.plan.json was made for W/scenario.yaml, and there is no scenario.yaml"):
        asked("my.plan.json", elsewhere)


TAMPERED: tuple[Callable[[dict[str, Any]], object], ...] = (
    lambda plan: plan.update(project="another"),
    lambda plan: plan.update(steps=[]),
    lambda plan: plan["inputs"].update(pictures={}),
    lambda plan: plan.pop("digest"),
)


@pytest.mark.parametrize("tamper", TAMPERED)
def test_an_edited_plan_is_refused_and_nothing_is_done(
    tamper: Callable[[dict[str, Any]], object], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "plans" / "my.plan.json"
    plan = json.loads(file.read_text())
    tamper(plan)
    file.write_text(json.dumps(plan))
    assert __main__.main(["apply", "plans/my.plan.json", "--local", "--auto-approve"]) == 64
    assert "digest does not fit" in capsys.readouterr().err
    assert not (home / "state" / "scenario.json").exists()


def test_a_plan_printed_as_json_is_sealed_like_a_saved_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert __main__.main(["plan", "--no-refresh", "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert plan_from_json(printed, is_sealed=True).summary["create"] == 1


def step(plan: dict[str, Any], number: int) -> dict[str, Any]:
    found: dict[str, Any] = plan["steps"][number]
    return found


def whole() -> dict[str, Any]:
    """A plan whose every step belongs to a change."""
    plain: dict[str, Any] = json.loads(json.dumps(plan_to_json(ALL_SIGNS)))
    plain["changes"][0]["steps"] = [found["id"] for found in plain["steps"]]
    return plain


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda p: p["changes"][1]["steps"].append("s999"), "model.kael names the step s999, which does not exist"),
        (lambda p: step(p, 3).update(after=["s998"]), "the step s3 names the step s998"),
        (lambda p: p["steps"].append(dict(step(p, 2))), "the step s2 occurs twice"),
        (lambda p: p["changes"][0]["steps"].remove("t"), "the step t belongs to no change"),
        (lambda p: (step(p, 1).update(after=["s2"]), step(p, 2).update(after=["s1"])), "in a circle"),
    ],
)
def test_a_plan_that_does_not_hang_together_is_damaged(damage: Callable[[dict[str, Any]], object], said: str) -> None:
    """Also when somebody made its digest fit again."""
    plain = whole()
    assert plan_from_json(sealed(plain), is_sealed=True).steps
    damage(plain)
    with pytest.raises(UsageError, match="damaged") as raised:
        plan_from_json(sealed(plain), is_sealed=True)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"format_version": "1.0", "steps": ' + b"[" * 100_000, "nested more than"),
        (b'{"format_version": "1.0", "steps": [], "steps": []}', "the key 'steps' twice"),
        (b'{"format_version": 1.0, "steps": []}', "format_version: expected text"),
        (b'{"format_version": "1.0", "steps": [NaN]}', "not a number of JSON"),
        (b'{"format_version": "1.0", "steps": ["\\ud800"]}', "not Unicode"),
    ],
)
@pytest.mark.parametrize("name", ["p.json", "p.plan"])
def test_a_plan_file_out_of_bounds_is_damaged(
    content: bytes, said: str, name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the file is called; no traceback, no internal error."""
    (home / name).write_bytes(content)
    for command in (["apply", name, "--local", "--auto-approve"], ["plan", name, "--no-refresh"]):
        assert __main__.main(command) == 1
        err = capsys.readouterr().err
        assert f"{name} is damaged" in err
        assert said in err


def test_a_plan_file_is_bounded_in_size(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sparse file of a terabyte is not read; a plan too large to be read again is not written."""
    huge = home / "huge.json"
    huge.write_bytes(b'{"format_version": "1.0"')
    with huge.open("r+b") as file:
        file.truncate(1 << 40)
    assert __main__.main(["apply", "huge.json", "--local", "--auto-approve"]) == 1
    assert "a plan may have at most 64 MB" in capsys.readouterr().err
    monkeypatch.setattr("scenario_apply.cli.saved_plans.LARGEST_PLAN_BYTES", 1000)
    assert __main__.main(["plan", "--no-refresh", "--out", "new.json"]) == 1
    assert "0 MB are read back" in capsys.readouterr().err
    assert not (home / "new.json").exists()


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_regular_file_is_not_waited_for(kind: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"pipe": "pipe.json", "device": "/dev/zero", "folder": "plans"}[kind]
    if kind == "pipe":
        os.mkfifo(home / given)
    assert __main__.main(["apply", given, "--local", "--auto-approve"]) == 1
    assert "internal error" not in capsys.readouterr().err


ODD_PATHS = ("", "\0", ".", "/", "plans", "plans/my.plan.json", "no/such", "a" * 5000, "kael", "é\n\x1b[31m")


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.parametrize("where", ["manifest", "var_file"])
def test_an_odd_path_in_a_plan_is_an_error(
    path: str, where: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "plans" / "my.plan.json"
    plan = json.loads(file.read_text())
    if where == "manifest":
        plan["manifest"]["path"] = path
        plan["inputs"]["made_in"] = path
    else:
        plan["inputs"]["var_files"] = [path]
    file.write_text(json.dumps(sealed(plan)))
    assert __main__.main(["apply", "plans/my.plan.json", "--local", "--auto-approve"]) in (1, 64)
    err = capsys.readouterr().err
    assert "error[" in err
    assert "internal" not in err
    assert "\x1b" not in err
    assert not (home / "state" / "scenario.json").exists()

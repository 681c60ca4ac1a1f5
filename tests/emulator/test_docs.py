"""docs/emulator.md is correct: its tests pass, its commands and options exist, its admin API is complete."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scenario_apply.emulator import admin
from scenario_apply.emulator.options import FAULT_KINDS, add_arguments, options_from
from scenario_apply.emulator.router import Router
from scenario_apply.emulator.thread import EmulatorThread

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE = (DOCS / "emulator.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The fenced blocks of a kind."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def section(title: str) -> str:
    """What stands under a heading."""
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_example_tests_pass_with_the_plugin(tmp_path: Path) -> None:
    """With the very option that the page names."""
    option = re.search(r"^\$ pytest (-p \S+)$", PAGE, re.M)
    assert option is not None
    example = next(block for block in blocks("python") if "def test_" in block)
    (tmp_path / "test_example.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *option[1].split()]
    run = subprocess.run(
        [*command, "test_example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout


def test_commands_can_be_given(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    given = [line for block in blocks("console") for line in block.splitlines() if "scenario-apply emulator " in line]
    assert given
    for line in given:
        options_from(parser.parse_args(shlex.split(line.split("scenario-apply emulator ", 1)[1])))
    recipe = (DOCS / "container" / "Containerfile").read_text(encoding="utf-8")
    entry = json.loads(recipe.split("ENTRYPOINT ", 1)[1])
    assert entry[:2] == ["/venv/bin/scenario-apply", "emulator"]
    run = next(line for block in blocks("console") for line in block.splitlines() if "podman run" in line)
    arguments = shlex.split(run.rsplit(" scenario-emulator ", 1)[1])
    options = options_from(parser.parse_args([*entry[2:], *arguments]))
    assert f"EXPOSE {options.port}" in recipe


def test_every_option_is_told_and_no_other() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    known = {name for action in parser._actions for name in action.option_strings}
    documented = set(re.findall(r"`(--[a-z-]+)", section("Start it")))
    assert documented <= known
    assert known - documented == {"--legacy"}  # the default; documented is how to turn it off


def test_every_fault_is_documented() -> None:
    assert set(FAULT_KINDS) == {
        name for line in re.findall(r"^\| (`.*?) \|", section("Faults"), re.M) for name in re.findall("`(.*?)`", line)
    }


def test_the_admin_api_is_documented_completely(monkeypatch: pytest.MonkeyPatch) -> None:
    served: set[str] = set()
    monkeypatch.setattr(
        Router, "add", lambda _, method, path, *rest: served.add(f"{method} {path.removeprefix('/__emulator__/')}")
    )
    admin.add_routes(Router())
    table = re.findall(r"^\| (`.*?) \|", section("Admin API"), re.M)
    assert {request for line in table for request in re.findall("`(.*?)`", line)} == served


def test_the_seed_file_can_be_sown(emulator: EmulatorThread) -> None:
    wanted = json.loads(blocks("json")[0])
    assert emulator.seed(wanted) == {"models": ["model_ink"]}


def test_the_picture_is_there_and_small() -> None:
    assert (DOCS / "emulator-page.png").stat().st_size < 200_000

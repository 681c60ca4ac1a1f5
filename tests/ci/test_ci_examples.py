"""The examples in the help of the commands `ci`, against a double of GitHub."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from scenario_apply.cli.main import load, run
from tests.ci.host_double import HostDouble
from tests.ci.test_reviewed_plan import artifact, pull


@pytest.mark.parametrize("command", ["ci comment", "ci issue", "ci reviewed"])
def test_the_examples_of_a_command_work(command: str, host: HostDouble, tmp_path: Path) -> None:
    for name in ("plan.md", "apply.log", "drift.txt"):
        (tmp_path / name).write_text("No changes.\n")
    host.pulls, host.artifacts = [pull(41)], [artifact(5)]
    lines = load(command).EXAMPLES.strip().splitlines()
    assert [run(_words(line)) for line in lines] == [0] * len(lines)


def _words(line: str) -> list[str]:
    program, *words = shlex.split(line.partition(">>")[0])
    assert program == "scenario-apply"
    return words

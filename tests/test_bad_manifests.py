"""Every folder tests/bad/manifest-*: a bad manifest, and what is said about it.

expected.txt holds the exit code, then a line `code place` for every error, all of them and no other, then whatever
text the messages must hold. command.json, where there is one, gives path, variables, var_files, env and allow_env;
generate.py makes inputs that have no place in a repository.
"""

from __future__ import annotations

import json
import runpy
import shutil
import time
from pathlib import Path

import pytest

from scenario_apply.errors import Diagnostic, ManifestError
from scenario_apply.manifest.loader.load import load_manifest

CASES = sorted((Path(__file__).parent / "bad").glob("manifest-*"))
LONGEST_S = 5.0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.removeprefix("manifest-"))
def test_a_bad_manifest_is_refused_with_everything_that_is_wrong(case: Path, tmp_path: Path) -> None:
    """Soon, with the right exit code, one error for each mistake at its file, line and column, and the hint."""
    folder = tmp_path / "case"
    shutil.copytree(case, folder)
    if (folder / "generate.py").exists():
        runpy.run_path(str(folder / "generate.py"))["generate"](str(folder))
    command = json.loads((folder / "command.json").read_text()) if (folder / "command.json").exists() else {}

    start = time.monotonic()
    with pytest.raises(ManifestError) as raised:
        load_manifest(
            command.get("path", "scenario.yaml"),
            variables=command.get("variables", {}),
            var_files=command.get("var_files", []),
            env=command.get("env", {}),
            allow_env=command.get("allow_env", []),
            cwd=str(folder),
        )
    assert time.monotonic() - start < LONGEST_S

    exit_line, *lines = (case / "expected.txt").read_text().splitlines()
    errors = [problem for problem in raised.value.problems if problem.severity == "error"]
    said = [f"{problem.code} {problem.location}" for problem in errors]
    wanted = [line for line in lines if line.startswith("error ")]
    assert exit_line == f"exit {int(raised.value.exit_code)}"
    assert said == [line.removeprefix("error ") for line in wanted]
    text = "\n".join(told(problem) for problem in errors)
    for fragment in lines:
        assert fragment.startswith("error ") or fragment in text
    assert str(tmp_path) not in text
    assert "hunter2" not in text


def told(problem: Diagnostic) -> str:
    """A problem as a person reads it."""
    line = problem.location.text if problem.location else ""
    return f"{problem.code}: {problem.message}\n{problem.location}\n{line}\n{problem.hint}\n"


def test_there_are_many_bad_manifests() -> None:
    """A runner that finds nothing would be green."""
    assert len(CASES) >= 45

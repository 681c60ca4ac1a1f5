"""job_matrix.py: what a CI system gets of a fleet file that may come with a pull request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scenario_apply.fleet.job_matrix import job_matrix, without_project
from scenario_apply.fleet.projects import load_fleet


def test_no_name_of_a_file_becomes_an_option(tmp_path: Path) -> None:
    """xargs, as docs/fleet.md has it, gives the arguments to a program as they were meant."""
    names = ["--allow-remote", "it's --allow-remote x"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text("version: 1\n")
    (tmp_path / "fleet.yaml").write_text(
        "version: 1\nprojects:\n  p: { manifests: '*/a.yaml', state: '{path}.json' }\n"
    )
    jobs = job_matrix(load_fleet(None, str(tmp_path)), str(tmp_path))
    show = ["xargs", sys.executable, "-c", "import sys; print(*sys.argv[1:], sep='\\n')"]
    read = [subprocess.run(show, input=str(job["args"]), capture_output=True, text=True, check=True) for job in jobs]
    assert [done.stdout.splitlines()[0] for done in read] == ["./--allow-remote/a.yaml", "it's --allow-remote x/a.yaml"]
    assert all(done.stdout.count("\n") == 2 for done in read)
    assert jobs[0]["manifest"] == "./--allow-remote/a.yaml"


def test_manifests_that_would_use_the_project_of_the_key_are_found(tmp_path: Path) -> None:
    """Only the fleet file says where they belong, and a job of their own does not read it."""
    for name, text in (("named", "project: p\n"), ("folder", "project: p\n"), ("nameless", "x-project: p\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(f"version: 1\n{text}")
    entries = "p: { manifests: ['n*/a.yaml', folder] }"
    (tmp_path / "fleet.yaml").write_text(f"version: 1\nprojects:\n  {entries}\n")
    assert without_project(load_fleet(None, str(tmp_path)), str(tmp_path)) == ["nameless/a.yaml"]

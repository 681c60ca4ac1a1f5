"""The jobs of the GitLab template, run by a shell with a tool that records how it is called."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.action_runner import REPOSITORY

TOOL = r"""#!/bin/bash
echo "$*" >>"$CALLS"
while [[ $# -gt 0 ]]; do
	case $1 in --out) echo plan >"$2" ;; --state) state=$2 ;; apply) apply=1 ;; esac
	shift
done
[[ -z $apply ]] || { [[ $state == *://* ]] || echo recorded >>"$state"; exit "${CODE:-0}"; }
exit "${CODE_OF_PLAN:-0}"
"""
Job = Callable[..., int]


class _Loader(yaml.SafeLoader):
    pass


def _reference(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> tuple[str, ...]:
    return tuple(loader.construct_sequence(node))


_Loader.add_constructor("!reference", _reference)
TEMPLATE: Any = yaml.load((REPOSITORY / "docs/gitops/gitlab-ci.yml").read_text(), _Loader)


def script_of(name: str) -> str:
    """The lines of a job as GitLab runs them: one after the other, until one fails."""
    job = TEMPLATE[name]
    lines: list[str] = [*TEMPLATE[job["extends"]]["before_script"]]
    for line in job["script"]:
        lines += TEMPLATE[line[0]][line[1]] if isinstance(line, tuple) else [line]
    return "\n".join(lines)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Runs a job: job("scenario-apply", CODE="3") is its exit code."""
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "project.git")], check=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("scenario-apply", TOOL), ("apt-get", "#!/bin/sh\n"), ("python", "#!/bin/sh\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    def run(name: str, **more: str) -> int:
        home = Path(tempfile.mkdtemp(dir=tmp_path))
        (home / "home/venv/bin").mkdir(parents=True)
        (home / "home/venv/bin/python").symlink_to(programs / "python")
        variables = {**TEMPLATE["variables"], "SCENARIO_HOME": str(home / "home")}
        for key, value in TEMPLATE[name].get("variables", {}).items():
            variables[key] = value.replace("$SCENARIO_HOME", variables["SCENARIO_HOME"])
        given = {
            "CI_JOB_URL": "https://host.test/jobs/1",
            "CI_PIPELINE_ID": "9",
            "CI_PROJECT_URL": f"file://{tmp_path}/project",
            "CI_SERVER_URL": "https://host.test",
            "GITLAB_TOKEN": "glpat-0123456789",
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "CALLS": str(tmp_path / "calls"),
        }
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script_of(name)],
            cwd=home,
            env={**given, **variables, **more},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "glpat-0123456789" not in done.stdout + done.stderr
        return done.returncode

    return run


def calls(home: Path) -> list[str]:
    path = home / "calls"
    found = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def kept(home: Path) -> list[str]:
    """The files of the branch of states."""
    git = ["git", "-C", str(home / "project.git"), "ls-tree", "--name-only", "scenario-state"]
    return subprocess.run(git, capture_output=True, text=True).stdout.split()


def test_a_merge_request_gets_a_note_and_without_a_key_a_plan_without_requests(job: Job, tmp_path: Path) -> None:
    assert job("scenario-plan", CI_MERGE_REQUEST_IID="41", SCENARIO_SDK_API_KEY="key", CODE_OF_PLAN="2") != 0
    assert job("scenario-plan", CI_MERGE_REQUEST_IID="41", SCENARIO_SDK_API_KEY="key") == 0
    planned, page, markdown, note = calls(tmp_path)[-4:]
    assert "--no-refresh" not in planned
    assert "--format html" in page
    assert "--format markdown --flavour gitlab" in markdown
    assert note.startswith("ci comment plan.md --name plan --link Pictures and captions=https://host.test/jobs/1")
    assert job("scenario-plan", CI_MERGE_REQUEST_IID="41", GITLAB_TOKEN="") == 0
    planned, page = calls(tmp_path)
    assert planned.endswith("--no-refresh")


def test_an_applied_plan_is_resumed_until_it_is_done(job: Job, tmp_path: Path) -> None:
    """Running trainings are no failure; a plan that was refused leaves the one to resume."""
    assert job("scenario-resume") == 0
    assert calls(tmp_path) == []
    (tmp_path / "plan.json").write_text("reviewed")
    assert job("scenario-apply", CODE="3", SCENARIO_PLAN=str(tmp_path / "plan.json")) == 0
    assert kept(tmp_path) == ["reviewed.plan.json", "scenario.json"]
    assert job("scenario-apply", CODE="5", SCENARIO_PLAN=str(tmp_path / "plan.json")) == 5
    assert "reviewed.plan.json" in kept(tmp_path)
    calls(tmp_path)
    assert job("scenario-resume", CODE="3") == 0
    assert [line.split()[0] for line in calls(tmp_path)] == ["plan", "ci", "apply"]
    assert "reviewed.plan.json" in kept(tmp_path)
    assert job("scenario-resume") == 0
    assert kept(tmp_path) == ["scenario.json"]


def test_a_state_in_a_store_is_used_by_every_job(job: Job, tmp_path: Path) -> None:
    """The branch keeps nothing but the plan to resume. A state that is left on it stops every job."""
    (tmp_path / "plan.json").write_text("reviewed")
    url, plan = "https://host.test/api/v4/projects/7/terraform/state/scenario", str(tmp_path / "plan.json")
    assert job("scenario-apply", SCENARIO_STATE=url, CODE="3", SCENARIO_PLAN=plan) == 0
    assert kept(tmp_path) == ["reviewed.plan.json"]
    for name in ("scenario-plan", "scenario-resume", "scenario-drift"):
        assert job(name, SCENARIO_STATE=url) == 0
    used = [line for line in calls(tmp_path) if line.startswith(("plan", "apply"))]
    assert len(used) == 6
    assert all(f"--state {url}" in line for line in used)
    assert kept(tmp_path) == []
    assert job("scenario-apply", SCENARIO_PLAN=plan) == 0
    assert kept(tmp_path) == ["scenario.json"]
    calls(tmp_path)
    assert job("scenario-plan", SCENARIO_STATE=url) == 1
    assert calls(tmp_path) == []


def test_a_state_that_cannot_be_pushed_is_an_artifact(job: Job, tmp_path: Path) -> None:
    (tmp_path / "project.git" / "hooks" / "pre-receive").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "project.git" / "hooks" / "pre-receive").chmod(0o755)
    (tmp_path / "plan.json").write_text("reviewed")
    assert job("scenario-apply", SCENARIO_PLAN=str(tmp_path / "plan.json")) == 1
    (saved,) = tmp_path.glob("*/unsaved-state/scenario.json")
    assert saved.read_text() == "recorded\n"


def test_drift_opens_an_issue_and_fails(job: Job, tmp_path: Path) -> None:
    assert job("scenario-drift", CODE_OF_PLAN="4") == 4
    assert job("scenario-drift") == 0
    issue = [line for line in calls(tmp_path) if line.startswith("ci issue")]
    assert "--close" in issue[-1]

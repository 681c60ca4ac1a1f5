"""The GitHub Action with the tool itself: a plan on a pull request, against a double of GitHub."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ci.action_runner import REPOSITORY, Run, environment_of
from tests.ci.conftest import TOKEN
from tests.ci.host_double import HostDouble
from tests.cli.test_local import PICTURES
from tests.fakes.installed_tool import install_tool
from tests.fakes.state_server import StateServer, serving_states

PASSWORD = "glpat-0123456789"

MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: { images: ./kael } }\n"


Begin = Callable[..., Run]


@pytest.fixture
def begin(host: HostDouble, tmp_path: Path) -> Begin:
    """A run for pull request 41, whose checkout has this manifest: begin("version: 1", TF_HTTP_USERNAME="jane")."""

    def run(manifest: str, **more: str) -> Run:
        home = tmp_path / "run"
        (home / "workspace" / "kael").mkdir(parents=True)
        (home / "workspace" / "scenario.yaml").write_text(manifest)
        for picture in sorted(PICTURES.glob("*"))[:10]:
            shutil.copy(picture, home / "workspace" / "kael")
        tool = home / "temp" / "scenario-apply" / "venv" / "bin" / "python"
        install_tool(tool)
        server = tmp_path / "server"
        subprocess.run(["git", "init", "-q", "--bare", str(server / "o" / "r")], check=True)
        event = {"pull_request": {"number": 41, "head": {"repo": {"full_name": "o/r"}}, "user": {"login": "ana"}}}
        (home / "event.json").write_text(json.dumps(event))
        github = {"event_name": "pull_request", "event": event, "repository": "o/r", "action_path": str(REPOSITORY)}
        return Run(home, github, environment_of(home, server, host.url, "pull_request") | more)

    return run


def test_a_pull_request_gets_one_comment_with_the_plan(host: HostDouble, begin: Begin) -> None:
    """Modules in the checkout named like ours or like those of Python are not run; the token is in no output."""
    run = begin(MANIFEST)
    workspace = run.home / "workspace"
    (workspace / "scenario_apply").mkdir()
    for name in ("json.py", "scenario_apply/__init__.py"):
        (workspace / name).write_text("open('pwned', 'w')\n")
    run.act(command="plan", html="false", github_token=TOKEN)
    assert not run.failed, run.log
    (body,) = [one["body"] for one in host.comments.values()]
    assert body.startswith("<!-- scenario-apply:plan-scenario -->\n\n### Plan for `scenario.yaml`")
    assert "`model.kael`" in body
    assert "1 create" in run.summary
    assert host.writes() == ["POST /issues/41/comments"]
    assert TOKEN not in run.log + run.summary + body
    assert not (workspace / "pwned").exists()


def test_a_manifest_of_a_pull_request_names_no_server_for_its_state(begin: Begin) -> None:
    """It is refused before a connection. With the input `state`, that one is read, and nothing is written."""
    with serving_states(StateServer(users={"jane": (PASSWORD, False)})) as ours:
        run = begin(f"state: https://evil.test/kael\n{MANIFEST}", TF_HTTP_USERNAME="jane", TF_HTTP_PASSWORD=PASSWORD)
        run.act(command="plan", html="false", state_branch="", github_token=TOKEN)
        assert run.failed
        assert "evil.test" in run.log
        assert "SCENARIO_APPLY_ALLOW_REMOTE" in run.log
        run.failed, run.log = False, ""
        run.act(command="plan", html="false", state=ours.url, github_token=TOKEN)
        assert not run.failed, run.log
        assert {seen.method for seen in ours.requests} == {"GET"}
        assert "1 create" in run.summary
        assert PASSWORD not in run.log + run.summary

"""The GitHub Action with the tool itself: a plan on a pull request, against a double of GitHub."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.ci.action_runner import REPOSITORY, Run, environment_of
from tests.ci.conftest import TOKEN
from tests.ci.host_double import HostDouble
from tests.cli.test_local import PICTURES

MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: { images: ./kael } }\n"


def test_a_pull_request_gets_one_comment_with_the_plan(host: HostDouble, tmp_path: Path) -> None:
    """Modules in the checkout named like ours or like those of Python are not run; the token is in no output."""
    home = tmp_path / "run"
    (home / "workspace" / "kael").mkdir(parents=True)
    (home / "workspace" / "scenario.yaml").write_text(MANIFEST)
    (home / "workspace" / "scenario_apply").mkdir()
    for name in ("json.py", "scenario_apply/__init__.py"):
        (home / "workspace" / name).write_text("open('pwned', 'w')\n")
    for picture in sorted(PICTURES.glob("*"))[:10]:
        shutil.copy(picture, home / "workspace" / "kael")
    tool = home / "temp" / "scenario-apply" / "venv" / "bin" / "python"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} "$@"\n')
    tool.chmod(0o755)
    server = tmp_path / "server"
    subprocess.run(["git", "init", "-q", "--bare", str(server / "o" / "r")], check=True)
    event = {"pull_request": {"number": 41, "head": {"repo": {"full_name": "o/r"}}, "user": {"login": "ana"}}}
    (home / "event.json").write_text(json.dumps(event))
    github = {"event_name": "pull_request", "event": event, "repository": "o/r", "action_path": str(REPOSITORY)}
    run = Run(home, github, environment_of(home, server, host.url, "pull_request"))
    run.act(command="plan", html="false", github_token=TOKEN)
    assert not run.failed, run.log
    (body,) = [one["body"] for one in host.comments.values()]
    assert body.startswith("<!-- scenario-apply:plan-scenario -->\n\n### Plan for `scenario.yaml`")
    assert "`model.kael`" in body
    assert "1 create" in run.summary
    assert host.writes() == ["POST /issues/41/comments"]
    assert TOKEN not in run.log + run.summary + body
    assert not (home / "workspace" / "pwned").exists()

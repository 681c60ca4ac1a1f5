"""docs/state.md: its GitLab pipeline and its commands against a server with GitLab's answers, its policy for S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.docs import run_blocks
from tests.docs.code_blocks import BLOCKS, CodeBlock
from tests.fakes.state_server import GITLAB_PATH, StateServer, serving_states

PAGE = "docs/state.md"
NAMED = "https://gitlab.example.com/api/v4/projects/42/terraform/state/heroes"

MANIFEST = """
version: 1
models: { kael: { type: flux.1-lora, dataset: ./pictures, lifecycle: { train: manual } } }
"""


@pytest.fixture
def gitlab() -> Iterator[StateServer]:
    users = {"jane": ("glpat-0123", True), "gitlab-ci-token": ("token-of-job", True)}
    with serving_states(StateServer(is_gitlab=True, users=users)) as server:
        yield server


def block(mark: str, value: str) -> CodeBlock:
    return next(one for one in BLOCKS if one.page == PAGE and one.marks.get(mark) == value)


def test_the_pipeline_plans_and_applies(gitlab: StateServer, tmp_path: Path) -> None:
    """With the job's own token, and nothing else set."""
    pipeline = yaml.safe_load(block("file", ".gitlab-ci.yml").text)
    job = {
        "CI_API_V4_URL": gitlab.url.removesuffix(GITLAB_PATH) + "/api/v4",
        "CI_PROJECT_ID": "1",
        "CI_JOB_TOKEN": "token-of-job",
    }
    state = pipeline["variables"]["STATE"].replace("heroes", "kael")
    lines = [f"export {name}={value}" for name, value in job.items()] + [f"export STATE={state}"]
    lines += [line + " --local" for name in ("plan", "apply", "plan") for line in pipeline[name]["script"]]
    script = CodeBlock(page=PAGE, line=0, language="sh", text="\n".join(lines), marks={})
    work = run_blocks.set_up("pictures", tmp_path / "work")
    (work / "scenario.yaml").write_text(MANIFEST)
    assert "No changes. 1 resource" in run_blocks.run_block(script, work, tmp_path)
    assert gitlab.lock is None
    assert not (work / "state").exists()


def test_the_commands_for_ones_own_machine(gitlab: StateServer, tmp_path: Path) -> None:
    found = block("run by", "tests/docs/test_state_page.py")
    assert NAMED in found.text
    work = run_blocks.set_up("pictures", tmp_path / "work")
    (work / "scenario.yaml").write_text(MANIFEST)
    printed = run_blocks.run_block(replace(found, text=found.text.replace(NAMED, gitlab.url)), work, tmp_path)
    assert "Plan: 1 create" in printed


def test_the_policy_is_what_the_store_asks_for() -> None:
    policy = json.loads(next(one for one in BLOCKS if one.page == PAGE and one.language == "json").text)
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert actions == {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"}

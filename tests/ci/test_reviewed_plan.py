"""ci reviewed: from a merged commit to the artifact with the plan that was reviewed."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_apply.cli.main import run
from tests.ci.host_double import HostDouble

COMMIT, HEAD = "c" * 40, "a" * 40


def pull(number: int, **more: Any) -> dict[str, Any]:
    merged = {"merged_at": "2026-01-02T00:00:00Z", "merge_commit_sha": COMMIT, "head": {"sha": HEAD}}
    return {"number": number} | merged | more


def artifact(number: int, name: str = "scenario-plan", *, head: str = HEAD, fork: bool = False, **more: Any) -> Any:
    run = {"id": number * 10, "repository_id": 1, "head_repository_id": 2 if fork else 1, "head_sha": head}
    return {"id": number, "name": name, "expired": False, "workflow_run": run} | more


def test_the_newest_plan_of_the_merged_head_is_found(host: HostDouble, capsys: pytest.CaptureFixture[str]) -> None:
    """Not that of an older commit, of another name, one that has expired, or one from a fork; on any page."""
    host.pulls = [
        pull(1, merged_at=None),
        pull(2, merge_commit_sha="d" * 40, merged_at="2026-03-01T00:00:00Z"),
        pull(41),
    ]
    host.artifacts = [
        artifact(9, head="b" * 40),
        artifact(8, fork=True),
        artifact(7, expired=True),
        artifact(6, name="other"),
        artifact(5),
        artifact(4),
    ]
    assert run(["ci", "reviewed", "scenario-plan"]) == 0
    assert capsys.readouterr().out == f"request=41\nhead={HEAD}\nrun-id=50\nartifact-id=5\n"
    assert host.writes() == []


def test_a_commit_without_a_merged_pull_request_has_no_reviewed_plan(
    host: HostDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ci", "reviewed", "scenario-plan"]) == 1
    told = capsys.readouterr().err
    assert "error[no-reviewed-plan]: commit cccccccccccc came with no merged pull request" in told
    assert "run the workflow by hand" in told


def test_a_plan_that_is_not_kept_is_named(host: HostDouble, capsys: pytest.CaptureFixture[str]) -> None:
    host.pulls = [pull(41)]
    of_unknown = artifact(9, workflow_run={"id": 90, "head_sha": HEAD})  # a host that does not say whose run it was
    host.artifacts = [of_unknown, artifact(8, fork=True)]
    assert run(["ci", "reviewed", "scenario-plan", "--commit", COMMIT]) == 1
    assert "no artifact scenario-plan is kept for pull request #41 at aaaaaaaaaaaa" in capsys.readouterr().err


def test_a_commit_must_be_one(host: HostDouble, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ci", "reviewed", "scenario-plan", "--commit", "../../user"]) == 64
    assert host.calls == []

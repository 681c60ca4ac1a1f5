"""The double of the host, as the pipeline of a pull request sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.ci import host_requests
from tests.ci.host_double import HostDouble, running_double

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, which take no time here."""
    waits: list[float] = []
    monkeypatch.setattr(host_requests, "_sleep", waits.append)
    return waits


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostDouble]:
    """GitHub, during a run for pull request 41."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 41, "head": {"sha": "a" * 40}}}))
    with running_double() as double:
        monkeypatch.chdir(tmp_path)
        for name in ("CI_PROJECT_ID", "GH_TOKEN", "GITLAB_TOKEN", "GITHUB_GRAPHQL_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
        monkeypatch.setenv("GITHUB_API_URL", double.url)
        monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
        monkeypatch.setenv("GITHUB_SHA", "c" * 40)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield double


@pytest.fixture
def gitlab(host: HostDouble, monkeypatch: pytest.MonkeyPatch) -> HostDouble:
    """GitLab, during a pipeline for merge request 41."""
    for name in ("GITHUB_REPOSITORY", "GITHUB_EVENT_PATH", "GITHUB_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("CI_PROJECT_ID", "7")
    monkeypatch.setenv("CI_API_V4_URL", host.url)
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", "41")
    monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
    return host

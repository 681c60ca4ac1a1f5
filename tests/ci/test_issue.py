"""ci issue: one issue about a lasting matter, opened once, kept current, closed at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.cli.main import run
from tests.ci.host_double import OTHER, Fault, HostDouble

TITLE = ["--title", "Models were changed on Scenario", "--name", "drift"]
MARKER = "<!-- scenario-apply:drift -->"


@pytest.fixture
def drift(tmp_path: Path) -> str:
    path = tmp_path / "drift.txt"
    path.write_text("model.kael: name changed\n")
    return str(path)


def test_an_issue_is_opened_once_updated_and_closed(
    host: HostDouble, drift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a pull request nor somebody else's issue with the marker is taken for it, on whatever page it is."""
    forged = host.add_issue(f"{MARKER}\nforged", OTHER)
    pull = host.add_issue(f"{MARKER}\na pull request", pull_request={})
    for number in range(3):
        host.add_issue(f"another matter {number}")
    assert run(["ci", "issue", "--text", drift, *TITLE, "--label", "drift"]) == 0
    number = host.next_number
    assert host.bodies[-1]["title"] == "Models were changed on Scenario"
    assert host.bodies[-1]["labels"] == ["drift"]
    assert run(["ci", "issue", "--text", drift, *TITLE]) == 0
    Path(drift).write_text("model.kael: name and tags changed\n")
    assert run(["ci", "issue", "--text", drift, *TITLE]) == 0
    assert run(["ci", "issue", "--close", *TITLE]) == 0
    assert host.writes() == ["POST /issues", f"PATCH /issues/{number}", f"PATCH /issues/{number}"]
    assert host.issues[number]["state"] == "closed"
    assert [host.issues[one]["state"] for one in (forged, pull)] == ["open", "open"]
    url = f"https://host.test/{number}"
    assert capsys.readouterr().out == f"opened: {url}\nunchanged: {url}\nupdated: {url}\nclosed: {url}\n"


def test_nothing_to_close_is_no_error(host: HostDouble, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ci", "issue", "--close", *TITLE]) == 0
    assert capsys.readouterr().out == "no issue is open\n"
    assert host.writes() == []


def test_an_issue_whose_answer_was_lost_is_not_opened_twice(host: HostDouble, drift: str) -> None:
    host.faults = [Fault("POST", "issues$", does=True)]
    assert run(["ci", "issue", "--text", drift, *TITLE]) == 0
    assert len(host.issues) == 1


def test_a_text_and_close_contradict_each_other(
    host: HostDouble, drift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ci", "issue", "--text", drift, "--close", *TITLE]) == 64
    assert run(["ci", "issue", *TITLE]) == 64
    assert "--close takes no text" in capsys.readouterr().err
    assert host.calls == []


def test_gitlab_has_descriptions_and_state_events(gitlab: HostDouble, drift: str) -> None:
    assert run(["ci", "issue", "--text", drift, *TITLE]) == 0
    number = gitlab.next_number
    assert gitlab.bodies[-1]["description"].startswith(MARKER)
    assert run(["ci", "issue", "--close", *TITLE]) == 0
    assert gitlab.bodies[-1] == {"state_event": "close"}
    assert gitlab.writes() == ["POST /issues", f"PUT /issues/{number}"]

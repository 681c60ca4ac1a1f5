"""ci comment: one comment is kept current, and nobody else's is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.cli.main import run
from tests.ci.conftest import TOKEN
from tests.ci.host_double import OTHER, OWN, Fault, HostDouble

MARKER = "<!-- scenario-apply:plan -->"


@pytest.fixture
def plan(tmp_path: Path) -> str:
    path = tmp_path / "plan.md"
    path.write_text("## Plan\n\n1 replace, 130 CU\n")
    return str(path)


def comment(plan: str, *more: str) -> int:
    return run(["ci", "comment", plan, "--name", "plan", *more])


def test_the_first_comment_is_created_and_the_next_run_updates_it(
    host: HostDouble, plan: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One comment is found again by its marker, on whatever page it is, and a text that did not change is not sent."""
    for number in range(7):
        host.add_comment(f"looks good, {number}", OTHER)
    assert comment(plan, "--link", "Pictures=https://host.test/artifact/1") == 0
    (created,) = [one for one in host.comments.values() if one["user"]["login"] == OWN]
    assert created["body"] == f"{MARKER}\n\n[Pictures](https://host.test/artifact/1)\n\n## Plan\n\n1 replace, 130 CU\n"
    Path(plan).write_text("## Plan\n\nNo changes.\n")
    assert comment(plan) == 0
    assert comment(plan) == 0
    number = created["id"]
    assert host.writes() == ["POST /issues/41/comments", f"PATCH /issues/comments/{number}"]
    assert host.comments[number]["body"] == f"{MARKER}\n\n## Plan\n\nNo changes.\n"
    told = capsys.readouterr()
    url = f"https://host.test/{number}"
    assert told.out == f"created: {url}\nupdated: {url}\nunchanged: {url}\n"
    assert TOKEN not in told.out + told.err


def test_a_comment_of_another_author_is_never_touched(host: HostDouble, plan: str) -> None:
    """Anyone can copy the marker; in no behaviour does that get a comment edited, hidden or deleted."""
    forged = host.add_comment(f"{MARKER}\n\nApproved.", OTHER)
    for behaviour in ("update", "hide-and-new", "delete-and-new", "new"):
        assert comment(plan, "--behaviour", behaviour) == 0
    assert host.comments[forged]["body"] == f"{MARKER}\n\nApproved."
    assert f"node-{forged}" not in host.hidden


def test_a_marker_that_is_quoted_does_not_make_a_comment_ours(host: HostDouble, plan: str) -> None:
    """Only a comment that begins with the marker is the one: a caption may hold the marker of another comment."""
    apply = host.add_comment(f"<!-- scenario-apply:apply -->\n\n> {MARKER}\n{MARKER}")
    assert comment(plan) == 0
    assert host.comments[apply]["body"].startswith("<!-- scenario-apply:apply -->")
    assert host.writes() == ["POST /issues/41/comments"]


def test_hide_and_new_hides_what_is_still_shown_after_the_new_one_is_there(host: HostDouble, plan: str) -> None:
    old, older = host.add_comment(f"{MARKER}\nold"), host.add_comment(f"{MARKER}\nolder")
    host.hidden.add(f"node-{older}")
    assert comment(plan, "--behaviour", "hide-and-new") == 0
    assert host.writes() == ["POST /issues/41/comments", "POST /graphql mutation"]
    assert host.hidden == {f"node-{older}", f"node-{old}"}


def test_delete_and_new_deletes_after_the_new_one_is_there(host: HostDouble, plan: str) -> None:
    old = host.add_comment(f"{MARKER}\nold")
    assert comment(plan, "--behaviour", "delete-and-new") == 0
    assert host.writes() == ["POST /issues/41/comments", f"DELETE /issues/comments/{old}"]


def test_new_leaves_the_old_ones(host: HostDouble, plan: str) -> None:
    host.add_comment(f"{MARKER}\nold")
    assert comment(plan, "--behaviour", "new") == 0
    assert host.writes() == ["POST /issues/41/comments"]


@pytest.mark.parametrize("cuts", [False, True])
def test_a_comment_whose_answer_was_lost_is_not_written_twice(host: HostDouble, plan: str, cuts: bool) -> None:
    """The comments are read first: what was carried out is found, and what was not is sent again."""
    host.faults = [Fault("POST", "comments$", does=True, cuts=cuts)]
    assert comment(plan) == 0
    assert len(host.comments) == 1
    host.comments.clear()
    host.faults = [Fault("POST", "comments$", does=False, cuts=cuts)]
    assert comment(plan) == 0
    assert len(host.comments) == 1


def test_tries_are_bounded_and_follow_retry_after(
    host: HostDouble, plan: str, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    host.faults = [Fault("GET", "comments$", 429, {"Retry-After": "7"}), Fault("GET", "comments$", 503)]
    assert comment(plan) == 0
    assert slept == [7, 2]
    host.faults = [Fault("GET", "comments$", 503)] * 9
    assert comment(plan) == 1
    assert len(host.faults) == 5
    host.faults = [Fault("GET", "comments$", 429, {"Retry-After": "3600"})]
    assert comment(plan) == 1
    assert max(slept) < 60
    assert "error[host-refused]: GitHub refused GET /repos/o/r/issues/41/comments with 429" in capsys.readouterr().err


def test_a_token_that_only_reads_is_explained_and_not_shown(
    host: HostDouble, plan: str, capsys: pytest.CaptureFixture[str]
) -> None:
    host.faults = [Fault("POST", "comments$", 403)]
    assert comment(plan) == 1
    told = capsys.readouterr().err
    assert "with 403: try again" in told
    assert "pull-requests: write" in told
    assert TOKEN not in told
    assert host.tokens == {f"Bearer {TOKEN}"}


def test_a_redirect_is_not_followed_with_the_token(host: HostDouble, plan: str) -> None:
    host.faults = [Fault("GET", "comments$", 302, {"Location": f"{host.url}/elsewhere"})]
    assert comment(plan) == 1
    assert not [call for call in host.calls if "elsewhere" in call]


def test_the_token_is_not_sent_unencrypted_to_another_machine(
    host: HostDouble, plan: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://host.test")
    assert comment(plan) == 1
    assert "error[host]: the API of GitHub is at http://host.test" in capsys.readouterr().err


def test_a_text_that_is_too_long_is_refused_and_never_cut(
    host: HostDouble, plan: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(plan).write_text("x" * 65_537)
    assert comment(plan) == 1
    assert "error[comment-too-long]" in capsys.readouterr().err
    assert host.calls == []


def test_output_of_a_program_is_a_block_that_it_cannot_leave(host: HostDouble, tmp_path: Path) -> None:
    """The fence is longer than any in the text; output that does not fit is left out whole and counted."""
    log = tmp_path / "apply.log"
    log.write_text("caption ```\n@team <details>\n````\n")
    asked = ["ci", "comment", "--text", str(log), "--title", "Applied *now*", "--name", "apply"]
    assert run(asked) == 0
    (body,) = [one["body"] for one in host.comments.values()]
    assert body == (
        "<!-- scenario-apply:apply -->\n\n### Applied \\*now\\*\n\n"
        "`````text\ncaption ```\n@team <details>\n````\n`````\n"
    )
    log.write_text("line\n" * 20_000)
    assert run(asked) == 0
    (body,) = [one["body"] for one in host.comments.values()]
    assert body.endswith("The output has 100,000 characters. It is in the log of the job.\n")


def test_a_text_with_a_marker_of_its_own_is_found_by_it(host: HostDouble, tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("<!-- scenario-apply:plan kael.yaml -->\n## Plan\n")
    assert run(["ci", "comment", "plan.md"]) == 0
    (tmp_path / "plan.md").write_text("<!-- scenario-apply:plan kael.yaml -->\n## No changes\n")
    assert run(["ci", "comment", "plan.md"]) == 0
    assert [one["body"] for one in host.comments.values()] == [
        "<!-- scenario-apply:plan kael.yaml -->\n\n## No changes\n"
    ]


def test_after_a_merge_the_comment_goes_to_the_pull_request_of_the_commit(
    host: HostDouble, plan: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_EVENT_PATH")
    assert comment(plan) == 64
    assert "hint: name one: --request N" in capsys.readouterr().err
    merged = {"number": 9, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": "c" * 40}
    host.pulls = [merged | {"head": {"sha": "d" * 40}}]
    assert comment(plan) == 0
    assert comment(plan, "--request", "12") == 0
    assert host.writes() == ["POST /issues/9/comments"]


def test_print_needs_no_pipeline_and_sends_nothing(
    host: HostDouble, plan: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert comment(plan, "--print") == 0
    assert capsys.readouterr().out.startswith(MARKER)
    assert comment(plan) == 64
    assert "this is no pipeline of GitHub or GitLab" in capsys.readouterr().err
    assert host.calls == []


def test_gitlab_notes_are_kept_current_in_the_same_way(
    gitlab: HostDouble, plan: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its token stands in a header of its own; it cannot hide notes, and says so before one is written."""
    forged = gitlab.add_comment(f"{MARKER}\nApproved", OTHER)
    own = gitlab.add_comment(f"{MARKER}\nold")
    assert comment(plan) == 0
    assert comment(plan, "--behaviour", "delete-and-new") == 0
    notes = "/merge_requests/41/notes"
    assert gitlab.writes() == [f"PUT {notes}/{own}", f"POST {notes}", f"DELETE {notes}/{own}"]
    assert forged in gitlab.comments
    assert gitlab.tokens == {TOKEN}
    assert comment(plan, "--behaviour", "hide-and-new") == 64
    assert "comments cannot be hidden here" in capsys.readouterr().err
    assert len(gitlab.writes()) == 3

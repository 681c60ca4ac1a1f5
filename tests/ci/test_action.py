"""The GitHub Action: its steps run one after the other. The tool is a script that records how it is called.

test_action_with_the_tool.py has the tool itself, with a double of GitHub.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ci.action_runner import REPOSITORY, Run, environment_of

TOOL = r"""#!/bin/bash
# python -P -m scenario_apply COMMAND ...
shift 3
printf '%s\0' "$@" >>"$CALLS"; printf '\n' >>"$CALLS"
[[ $SCENARIO_SDK_API_KEY ]] && echo "$1" >>"$CALLS.with-key"
state=/dev/null
for ((i = 1; i < $#; i++)); do
	next=$((i + 1))
	[[ ${!i} == --state ]] && state=${!next}
	[[ ${!i} == --out && $CODE_OF_PLAN != 1 ]] && echo '{"a": "plan"}' >"${!next}"
done
[[ $state == *://* ]] && state=$CALLS.store
case "$1 $2" in
	'state pull') cat "$state" ;;
	'ci reviewed') printf 'request=41\nhead=%s\nrun-id=50\nartifact-id=5\n' "$GITHUB_SHA" ;;
	'ci continues') exit "${CODE_OF_CONTINUES:-0}" ;;
	'ci comment') echo "posted" ;;
	'samples copy') [[ $NO_COPIES ]] && exit 1; mkdir -p "$3" && echo webp >"$3/a.webp" ;;
	apply*)
		echo "${STATE:-1}" >>"$state"
		[[ $PUSHED_MEANWHILE ]] && bash -c "$PUSHED_MEANWHILE"
		echo "the ledger"; exit "${CODE_OF_APPLY:-0}" ;;
	plan*) echo "the plan"; echo "  ::set-output name=plan::/etc/passwd"; exit "${CODE_OF_PLAN:-2}" ;;
esac
"""
PULL = {"number": 41, "head": {"repo": {"full_name": "o/r"}}, "user": {"login": "ana"}}
KEYS = {"api_key": "key-1234", "api_secret": "secret-1234", "github_token": "ghs_0123456789abcdefghijklmnop"}
Begin = Callable[..., Run]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Starts a run for an event: begin("push", CODE_OF_APPLY="3"). The runs of a test share the branch of states."""
    server = tmp_path / "server"
    (server / "o").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", str(server / "o" / "r")], check=True)
    plan = tmp_path / "kept"
    plan.mkdir()
    (plan / "plan.json").write_text('{"a": "reviewed plan"}\n')

    def run(event: str, pull: dict[str, Any] | None = None, **more: str) -> Run:
        home = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        (home / "workspace").mkdir(parents=True)
        tool = home / "temp" / "scenario-apply" / "venv" / "bin" / "python"
        tool.parent.mkdir(parents=True)
        tool.write_text(TOOL)
        tool.chmod(0o755)
        about = {} if pull is None else {"pull_request": pull}
        (home / "event.json").write_text(json.dumps(about))
        github = {
            "event_name": event,
            "event": about,
            "repository": "o/r",
            "token": "t",
            "action_path": str(REPOSITORY),
        }
        environment = environment_of(home, server, "http://127.0.0.1:9", event) | {"CALLS": str(home / "calls")} | more
        return Run(home, github | {"name": "scenario"}, environment, {"scenario-plan-scenario": plan})

    return run


def calls(run: Run) -> list[list[str]]:
    """The command lines of the tool."""
    return [line.split("\0")[:-1] for line in (run.home / "calls").read_text().splitlines()]


def kept(run: Run) -> dict[str, str]:
    """The files of the branch of states."""
    folder = run.environment["GITHUB_SERVER_URL"].removeprefix("file://") + "/o/r"
    git = ["git", "-C", folder, "show", "scenario-state"]
    listed = subprocess.run([*git[:-1], "scenario-state:"], capture_output=True, text=True)
    names = listed.stdout.splitlines()[2:]
    show = [*git[:-1]]
    return {n: subprocess.run([*show, f"scenario-state:{n}"], capture_output=True, text=True).stdout for n in names}


def test_a_plan_on_a_pull_request_is_kept_shown_and_commented(begin: Begin) -> None:
    """Changes are no failure. The key is in the environment of the tool's own command, not of the installation."""
    run = begin("pull_request", PULL).act(command="plan", manifest="art/scenario.yaml", **KEYS)
    assert run.steps == [
        "Install scenario-apply",
        "Run the command",
        "Keep the plan",
        "Keep the page with the pictures",
        "Comment",
        "Result",
    ]
    assert not run.failed, run.log
    planned, *shown, comment = calls(run)[1:]
    assert planned[:3] == ["plan", "art/scenario.yaml", "--out"]
    assert "--no-refresh" not in planned
    assert [words[3] for words in shown] == ["github", "markdown", "html", "markdown"]
    assert "https://host.test/artifacts/scenario-report-scenario" in shown[-1]
    assert comment[:2] == ["ci", "comment"]
    assert comment[3:7] == ["--name", "plan-scenario", "--behaviour", "update"]
    assert (run.home / "calls.with-key").read_text().split() == ["plan"] * 4
    assert run.outputs["run"]["exit-code"] == "2"


def test_a_fork_gets_a_plan_without_credentials_and_the_summary(begin: Begin) -> None:
    """No comment, because its token only reads, and no saved plan, because that one cannot be applied."""
    run = begin("pull_request", PULL | {"head": {"repo": {"full_name": "mallory/r"}}}).act(command="plan")
    assert run.steps == ["Install scenario-apply", "Run the command", "Keep the page with the pictures", "Result"]
    assert "--no-refresh" in calls(run)[1]
    assert run.summary.startswith("Planned without credentials")
    dependabot = begin("pull_request", PULL | {"user": {"login": "dependabot[bot]"}}).act(command="plan")
    assert "Comment" not in dependabot.steps


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run", "issue_comment"])
def test_it_refuses_events_that_bring_secrets_to_foreign_code(begin: Begin, event: str) -> None:
    run = begin(event, PULL).act(command="plan", **KEYS)
    assert run.failed
    assert "the Action does not run on" in run.log
    assert not (run.home / "calls").exists()


@pytest.mark.parametrize("command", ["apply", "resume", "destroy"])
def test_nothing_is_applied_on_a_pull_request(begin: Begin, command: str) -> None:
    run = begin("pull_request", PULL).act(command=command, **KEYS)
    assert run.failed
    assert not (run.home / "calls").exists()


def test_values_reach_the_tool_as_they_are(begin: Begin) -> None:
    """Nothing in an input is evaluated by a shell: neither commands nor patterns nor quotes."""
    run = begin("pull_request", PULL)
    evil = "$(touch pwned)`touch pwned`"
    run.act(command="plan", manifest=f"a b;{evil}", arguments=f"--var x=* ;{evil}", **KEYS)
    assert not run.failed, run.log
    words = calls(run)[1]
    assert words[1] == f"a b;{evil}"
    assert words[-5:] == ["--var", "x=*", ";$(touch", "pwned)`touch", "pwned`"]
    assert not list((run.home / "workspace").iterdir())
    common = f"COMMAND=plan RUNNER_TEMP=/tmp; source {shlex.quote(str(REPOSITORY))}/.github/action/common.sh"
    for name in ("../x", "a b", "$(x)", "--x", ""):
        assert subprocess.run(["bash", "-c", common], env={"NAME": name}, capture_output=True).returncode == 1


def test_a_caption_cannot_give_commands_to_the_runner(begin: Begin) -> None:
    """Commands are off while the tool prints what is in a pull request, with a word that is another one each time."""
    words = set()
    for _ in range(2):
        run = begin("pull_request", PULL).act(command="plan", **KEYS)
        _, _, rest = run.log.partition("::stop-commands::")
        word, _, rest = rest.partition("\n")
        inside, _, _ = rest.partition(f"\n::{word}::\n")
        assert "  ::set-output name=plan::" in inside
        assert len(word) == 32
        words.add(word)
    assert len(words) == 2


def test_the_reviewed_plan_is_applied_and_its_state_pushed(begin: Begin) -> None:
    run = begin("push").act(command="apply", **KEYS)
    assert not run.failed, run.log
    assert calls(run)[1] == ["ci", "reviewed", "scenario-plan-scenario"]
    applied = calls(run)[2]
    assert applied[:2] == ["apply", str(run.home / "temp/scenario-apply/reviewed/plan.json")]
    assert applied[2:4] == ["--plan-of", ""], "a plan of other options is refused: the artifact can be replaced"
    assert {"--auto-approve", "--no-wait", "--detailed-exitcode"} <= set(applied)
    assert calls(run)[-1][-2:] == ["--request", "41"]
    assert kept(run) == {"scenario.json": "1\n"}


def test_a_stale_plan_is_commented_fails_and_leaves_what_runs(begin: Begin) -> None:
    """A plan whose trainings still run stays the one to resume."""
    first = begin("push", CODE_OF_APPLY="3").act(command="apply", **KEYS)
    assert not first.failed, first.log
    assert kept(first)["scenario.plan.json"] == '{"a": "reviewed plan"}\n'
    stale = begin("push", CODE_OF_APPLY="5").act(command="apply", **KEYS)
    assert stale.failed
    assert "Comment" in stale.steps
    assert stale.outputs["run"] | {"body": ""} == {
        "exit-code": "5",
        "title": "Not applied: the plan is stale, plan again",
        "body": "",
    }
    assert "scenario.plan.json" in kept(stale)


def test_a_cancelled_run_can_be_resumed_once_it_has_recorded_something(begin: Begin) -> None:
    """Its training may run: the scheduled job finishes the plan, as after a run that did not wait."""
    cancelled = begin("push", CODE_OF_APPLY="130").act(command="apply", wait="true", **KEYS)
    assert cancelled.failed
    assert "--no-wait" not in calls(cancelled)[2]
    assert list(kept(cancelled)) == ["scenario.json", "scenario.plan.json"]


def test_resume_applies_only_what_continues_the_reviewed_plan(begin: Begin) -> None:
    begin("push", CODE_OF_APPLY="3").act(command="apply", **KEYS)
    refused = begin("schedule", CODE_OF_CONTINUES="5").act(command="resume", **KEYS)
    assert refused.failed
    assert "apply" not in [words[0] for words in calls(refused)]
    running = begin("schedule", CODE_OF_APPLY="3", CODE_OF_PLAN="3").act(command="resume", **KEYS)
    assert not running.failed, running.log
    assert "scenario.plan.json" in kept(running)
    done = begin("schedule").act(command="resume", **KEYS)
    assert not done.failed, done.log
    assert list(kept(done)) == ["scenario.json"]
    idle = begin("schedule").act(command="resume", **KEYS)
    assert not idle.failed
    assert len(calls(idle)) == 1


def test_a_state_in_a_store_is_used_by_every_command(begin: Begin) -> None:
    """The branch then keeps nothing but the plan to resume, and not even that when everything is done."""
    store = {**KEYS, "state": "s3://team/kael.json"}
    planned = begin("pull_request", PULL).act(command="plan", **store)
    applied = begin("push", CODE_OF_APPLY="3").act(command="apply", **store)
    assert not planned.failed, planned.log
    assert not applied.failed, applied.log
    assert kept(applied) == {"scenario.plan.json": '{"a": "reviewed plan"}\n'}
    resumed = begin("schedule").act(command="resume", **store)
    assert not resumed.failed, resumed.log
    assert kept(resumed) == {}
    checked = begin("schedule", CODE_OF_PLAN="0").act(command="drift", **store)
    used = [
        words for run in (planned, applied, resumed, checked) for words in calls(run) if words[0] in ("plan", "apply")
    ]
    assert len(used) == 9
    assert all(words[words.index("--state") + 1] == "s3://team/kael.json" for words in used)


def test_a_cancelled_run_on_a_store_can_be_resumed_once_it_has_recorded_something(begin: Begin) -> None:
    cancelled = begin("push", CODE_OF_APPLY="130").act(command="apply", state="s3://team/kael.json", **KEYS)
    assert list(kept(cancelled)) == ["scenario.plan.json"]


def test_a_state_of_the_branch_is_not_left_behind(begin: Begin) -> None:
    """Else all of it would be trained a second time. A file could come with a pull request."""
    begin("push").act(command="apply", **KEYS)
    for place, message in (
        ("s3://team/kael.json", "the branch scenario-state still has scenario.json: move it to the store"),
        ("state/kael.json", "the input state takes a URL"),
    ):
        refused = begin("push").act(command="apply", state=place, **KEYS)
        assert refused.failed
        assert message in refused.log
        assert "apply" not in [words[0] for words in calls(refused)]


def test_drift_opens_an_issue_and_fails(begin: Begin) -> None:
    drift = begin("schedule", CODE_OF_PLAN="4").act(command="drift", **KEYS)
    assert drift.failed
    assert drift.outputs["run"]["exit-code"] == "4"
    assert calls(drift)[2][:3] == ["ci", "issue", "--text"]
    clean = begin("schedule", CODE_OF_PLAN="0").act(command="drift", **KEYS)
    assert not clean.failed
    assert calls(clean)[2][:3] == ["ci", "issue", "--close"]
    silent = begin("schedule", CODE_OF_PLAN="4").act(command="drift", issue="false", **KEYS)
    assert silent.failed
    assert "issue" not in [words[1] for words in calls(silent)[1:]]


PUSH = """\
git clone -q --branch scenario-state "$GITHUB_SERVER_URL/o/r" "$RUNNER_TEMP/other" && cd "$RUNNER_TEMP/other" &&
echo theirs >%s && git add . && git -c user.name=x -c user.email=x@x commit -qm x && git push -q
"""


def test_a_state_that_moved_meanwhile_is_not_written_over(begin: Begin) -> None:
    """Another manifest's state is no obstacle; with this one's, the run fails and keeps its state as an artifact."""
    begin("push").act(command="apply", **KEYS)
    beside = begin("push", PUSHED_MEANWHILE=PUSH % "other.json").act(command="apply", **KEYS)
    assert not beside.failed, beside.log
    assert kept(beside) == {"other.json": "theirs\n", "scenario.json": "1\n1\n"}
    lost = begin("push", PUSHED_MEANWHILE=PUSH % "scenario.json").act(command="apply", **KEYS)
    assert lost.failed
    assert lost.steps[-2:] == ["Keep a state that could not be pushed", "Result"]
    assert kept(lost)["scenario.json"] == "theirs\n"
    assert (lost.artifacts["scenario-state-scenario"] / "scenario.json").read_text() == "1\n1\n1\n"
    assert "The state could not be pushed" in lost.log


def test_nothing_is_written_through_a_link_on_the_branch_of_states(begin: Begin, tmp_path: Path) -> None:
    """Who may push it would else have a plan, which may hold lines for a shell, written over any file of the runner."""
    begin("push").act(command="apply", **KEYS)
    target = tmp_path / "result.sh"
    target.write_text("ours")
    there = shlex.quote(str(target))
    link = f"rm scenario.json && ln -s {there} scenario.plan.json && ln -s {there} scenario.json"
    environment = begin("push").environment
    pushed = (PUSH % "x").replace("git add .", f"{link} && git add .")
    subprocess.run(["bash", "-ec", pushed], check=True, env={**os.environ, **environment}, cwd=tmp_path)
    begin("push", CODE_OF_APPLY="3").act(command="apply", **KEYS)
    assert target.read_text() == "ours"


def test_the_token_reaches_no_log_and_no_file(begin: Begin) -> None:
    run = begin("push").act(command="apply", **KEYS)
    written = [path for path in run.home.rglob("*") if path.is_file()]
    found = [path for path in written if KEYS["github_token"].encode() in path.read_bytes()]
    assert found == []
    assert KEYS["github_token"] not in run.log


COPIES = {"samples": "branch"}


def test_small_copies_of_samples_are_kept_on_the_branch_and_linked_at_its_commit(begin: Begin) -> None:
    """Where that is asked for: comments then show them to readers of the repository. The page has them in any case."""
    applied = begin("push").act(command="apply", **KEYS, **COPIES)
    assert not applied.failed, applied.log
    assert list(kept(applied)) == ["scenario.json", "scenario.samples/"]
    planned = begin("pull_request", PULL).act(command="plan", **KEYS, **COPIES)
    assert not planned.failed, planned.log
    folder = planned.environment["GITHUB_SERVER_URL"] + "/o/r"
    git = ["git", "-C", folder.removeprefix("file://"), "rev-parse", "scenario-state"]
    commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    shown = [words for words in calls(planned) if "--format" in words]
    urls = [words[words.index("--samples-url") + 1] for words in shown if "--samples-url" in words]
    assert urls == [f"{folder}/raw/{commit}/scenario.samples"] * 2, "of the summary and of the comment"
    (page,) = [words for words in shown if "html" in words]
    assert "--download-samples" in page
    without = begin("pull_request", PULL).act(command="plan", **KEYS)
    assert not any("--samples-url" in words for words in calls(without))
    again = begin("push", NO_COPIES="1").act(command="apply", **KEYS, **COPIES)
    assert not again.failed, "a picture that cannot be had fails no job"
    assert "could not be kept" in again.log


def test_small_copies_of_ones_own_are_linked_where_they_are(begin: Begin) -> None:
    """Also without credentials, in a pull request from a fork; the page then asks for no pictures."""
    run = begin("pull_request", PULL).act(command="plan", samples_url="https://cdn.test/s")
    assert not run.failed, run.log
    shown = [words for words in calls(run) if "--format" in words]
    assert [words[words.index("--samples-url") + 1] for words in shown if "--samples-url" in words] == [
        "https://cdn.test/s"
    ] * 2
    assert not any("--download-samples" in words for words in shown)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"samples": "public"}, "the input samples takes none or branch"),
        ({"samples": "branch", "state_branch": ""}, "needs the input state-branch"),
        ({"samples": "branch", "samples_url": "https://cdn.test"}, "and no samples-url"),
        ({"samples_url": "https://cdn.test/\nplan=/etc/passwd"}, "the input samples-url takes an http(s) address"),
        ({"samples_url": "file:///etc"}, "the input samples-url takes an http(s) address"),
    ],
)
def test_inputs_for_samples_that_cannot_be_followed_are_refused(
    begin: Begin, inputs: dict[str, str], said: str
) -> None:
    run = begin("pull_request", PULL).act(command="plan", **KEYS, **inputs)
    assert run.failed
    assert said in run.log
    assert "plan" not in [words[0] for words in calls(run)]

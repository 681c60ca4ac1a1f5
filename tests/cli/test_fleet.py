"""fleet plan, apply, status and matrix against the embedded Scenario of several projects, with tasks in threads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.__main__ import main
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli import fleet_command
from scenario_apply.emulator.options import EmulatorOptions
from scenario_apply.emulator.thread import EmulatorThread
from scenario_apply.state.stores.lock import Lock

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "examples" / "pictures"
MANIFEST = """version: 1
datasets: {{ d: {{ images: ./pictures, trigger: T }} }}
models:
  one: {{ type: flux.1-lora, dataset: d, parameters: {{ nbEpochs: {epochs} }} }}
"""
FLEET = """version: 1
defaults: {{ credentials: {{ key: TEAM_KEY, secret: TEAM_SECRET }} }}
{more}
projects:
"""


@pytest.fixture
def emulator() -> Iterator[EmulatorThread]:
    options = EmulatorOptions(rate_limit=100, training_s=0.1, queue_s=0.0, fail_training=("doomed",))
    with EmulatorThread(options) as running:
        yield running


@contextmanager
def threads(name: str, *, workers: int, preload: str | None = None) -> Iterator[Executor]:
    with ThreadPoolExecutor(workers) as pool:
        yield pool


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, emulator: EmulatorThread) -> None:
    monkeypatch.setattr(fleet_command, "open_engine", threads)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
    monkeypatch.setenv("TEAM_KEY", "k3y-of-team")
    monkeypatch.setenv("TEAM_SECRET", "s3cret-of-team")
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"):
        monkeypatch.delenv(name, raising=False)


def fleet(folder: Path, projects: Mapping[str, int], more: str = "", epochs: int = 4) -> None:
    """A fleet of these projects, each with so many manifests."""
    text = FLEET.format(more=more)
    for name, number in projects.items():
        text += f"  {name}: {{ manifests: '{name}/*/scenario.yaml' }}\n"
        for index in range(number):
            place = folder / name / f"m{index}"
            place.mkdir(parents=True)
            (place / "scenario.yaml").write_text(MANIFEST.format(epochs=epochs))
            shutil.copytree(PICTURES, place / "pictures")
    (folder / "fleet.yaml").write_text(text)


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    """The exit code, the document and what was said beside it."""
    code = main(["fleet", *words, "--format", "json"])
    out, err = capsys.readouterr()
    assert "s3cret-of-team" not in out + err
    return code, json.loads(out), err


APPLY = ("apply", "--auto-approve", "--detailed-exitcode", "--poll-interval", "0.1")


def test_all_manifests_of_a_project_share_their_reads(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan of nothing is one request a project; an apply trains each model once."""
    fleet(tmp_path, {"p_a": 3, "p_b": 1})
    code, document, _ = run(*APPLY, capsys=capsys)
    assert (code, document["summary"]["failed"], document["summary"]["running"]) == (0, 0, 0)
    ledgers = [manifest["ledger"] for project in document["projects"] for manifest in project["manifests"]]
    assert [(ledger["status"], [line["address"] for line in ledger["done"]]) for ledger in ledgers] == [
        ("done", ["model.one"])
    ] * 4
    launches = [r for r in emulator.requests if r.method == "PUT" and r.path.endswith("/train") and r.status == 200]
    assert len(launches) == 4
    emulator.clear_requests()
    code, document, _ = run("plan", "--detailed-exitcode", capsys=capsys)
    assert (code, document["summary"]["summary"]["none"]) == (0, 4)
    assert len(emulator.requests) == 2
    code, document, _ = run("status", "--detailed-exitcode", capsys=capsys)
    assert (code, document["summary"]["summary"]) == (0, {"trained": 4})


def test_the_limit_of_the_fleet_stops_everything_before_a_launch(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each project is below it, their sum is not; what was unknown is priced by empty models."""
    fleet(tmp_path, {"p_a": 1, "p_b": 1}, more="limits: { cost: 100 }")
    code, document, err = run(*APPLY, capsys=capsys)
    assert code == 6
    assert [problem["code"] for problem in document["diagnostics"]] == ["gate"]
    assert "over the fleet's limit of 100" in err
    assert not [r for r in emulator.requests if r.path.endswith("/train") and r.status == 200]
    code, document, _ = run(*APPLY, "--limit", "cost=1000", "--events", "events.jsonl", capsys=capsys)
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert {event["project"] for event in events if event["type"] == "ledger"} == {"p_a", "p_b"}
    assert (code, document["summary"]["charged"] > 100) == (0, True)


def test_one_project_that_fails_spares_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No credentials, a broken manifest, a gate of its own, a state that a person's apply holds: each is listed."""
    fleet(tmp_path, {"p_ok": 1, "p_keys": 1, "p_broken": 1, "p_gate": 1, "p_samples": 1, "p_locked": 1})
    text = (tmp_path / "fleet.yaml").read_text()
    keys = "manifests: 'p_keys/*/scenario.yaml', credentials: { key: NOT_SET, secret: TEAM_SECRET }"
    (tmp_path / "fleet.yaml").write_text(text.replace("manifests: 'p_keys/*/scenario.yaml'", keys))
    (tmp_path / "p_broken/m0/scenario.yaml").write_text("version: 1\nmodles: {}\n")
    with (tmp_path / "p_gate/m0/scenario.yaml").open("a") as manifest:
        manifest.write("limits: { cost: 1 }\n")
    with (tmp_path / "p_samples/m0/scenario.yaml").open("a") as manifest:
        manifest.write("limits: { samples_cost: 1 }\ndefaults: { samples: [at sea] }\n")
    state = tmp_path / "p_locked/m0/state"
    state.mkdir()
    with Lock(str(state / "scenario.lock"), SystemClock()).held("scenario-apply apply"):
        code, document, err = run(*APPLY, capsys=capsys)
    assert code == 8
    codes = {project["name"]: project["exit_code"] for project in document["projects"]}
    assert codes == {"p_ok": 0, "p_keys": 1, "p_broken": 1, "p_gate": 6, "p_samples": 6, "p_locked": 7}
    assert "--limit" not in err  # where it is that of all projects
    assert "samples_cost: 10.75 is over the limit of 1" in err
    for part in (
        "NOT_SET is not set",
        "did you mean models?",
        "is locked by",
    ):
        assert part in err


def test_a_training_that_fails_is_listed_and_not_paid_for_again(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet(tmp_path, {"p_a": 1, "p_b": 1})
    path = tmp_path / "p_b/m0/scenario.yaml"
    path.write_text(path.read_text().replace("type: flux.1-lora", "name: doomed, type: flux.1-lora"))
    code, document, _ = run(*APPLY, capsys=capsys)
    assert code == 8
    assert sorted(project["exit_code"] for project in document["projects"]) == [0, 8]
    assert len([r for r in emulator.requests if r.path.endswith("/train") and r.status == 200]) == 2


def test_what_changed_since_it_was_approved_is_not_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between the plan and the launch of a project."""
    fleet(tmp_path, {"p_a": 1})
    launched = fleet_command.FleetCommand.launch_limits

    def edit(self: fleet_command.FleetCommand, runs: Any) -> Any:
        (tmp_path / "p_a/m0/scenario.yaml").write_text(MANIFEST.format(epochs=40))
        return launched(self, runs)

    monkeypatch.setattr(fleet_command.FleetCommand, "launch_limits", edit)
    code, document, err = run(*APPLY, capsys=capsys)
    assert code == 5
    assert "the manifest changed since the plan was approved" in err
    assert document["summary"]["charged"] == 0


def test_a_service_that_only_the_file_names_gets_no_credentials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may have come with a pull request."""
    fleet(tmp_path, {"p_a": 1})
    text = (tmp_path / "fleet.yaml").read_text().replace("defaults: {", "defaults: { endpoint: 'https://evil.example',")
    (tmp_path / "fleet.yaml").write_text(text)
    assert main(["fleet", "plan"]) == 1
    assert "error[endpoint-not-allowed]" in capsys.readouterr().err


def test_the_matrix_has_a_job_for_each_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On one line, with names of variables and no value of one."""
    fleet(tmp_path, {"p_a": 2})
    assert main(["fleet", "matrix", "--format", "github"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    jobs = json.loads(out)["include"]
    assert [(job["project"], job["manifest"], job["key"]) for job in jobs] == [
        ("p_a", "p_a/m0/scenario.yaml", "TEAM_KEY"),
        ("p_a", "p_a/m1/scenario.yaml", "TEAM_KEY"),
    ]

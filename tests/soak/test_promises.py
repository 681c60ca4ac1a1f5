"""What the engine promises at the command line, each exit with its code and its ledger as the last event."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scenario_apply.__main__ import main
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.state.stores.lock import Lock

MANIFEST = """\
version: 1
models:
  kael: { name: Kael, type: flux.1-lora, dataset: ./kael }
  fast: { name: Fast, type: flux.1-lora, dataset: ./kael, parameters: { rank: 4 } }
"""
APPLY = ("apply", "--auto-approve", "--detailed-exitcode", "--rate-limit", "0", "--poll-interval", "0.05")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    (folder / "kael").mkdir(parents=True)
    for number in (1, 2):
        Image.effect_noise((1024, 1024), 40 + number).convert("RGB").save(folder / "kael" / f"{number:02}.jpg")
        (folder / "kael" / f"{number:02}.txt").write_text(f"KAEL, picture {number}")
    (folder / "scenario.yaml").write_text(MANIFEST)
    monkeypatch.chdir(folder)
    return folder


def serve(monkeypatch: pytest.MonkeyPatch, **options: Any) -> EmulatorThread:
    return EmulatorThread(manual_options(**{"clock": "real", "training_s": 0.2, "queue_s": 0, **options}))


def use(emulator: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    with serve(monkeypatch) as emulator:
        use(emulator, monkeypatch)
        yield emulator


def launches(service: EmulatorThread) -> int:
    return sum(r.method == "PUT" and r.path.endswith("/train") and r.status == 200 for r in service.requests)


def uploads(service: EmulatorThread) -> int:
    return sum(r.method == "POST" and r.path.endswith("/assets") for r in service.requests)


def last_event(*words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and last event of a run."""
    events = Path("../events.jsonl")
    code = main([*APPLY, "-q", "--events", os.fspath(events), *words])
    last: dict[str, Any] = json.loads(events.read_text().splitlines()[-1])
    return code, last


# -- two at once


def test_the_second_of_two_is_told_who_where_and_since_when(
    home: Path, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Apply and a state command; nothing is sent. The event file ends in a ledger all the same."""
    (home / "state").mkdir()
    with Lock(str(home / "state" / "scenario.lock"), SystemClock()).held("scenario-apply apply"):
        code, last = last_event()
        said = capsys.readouterr().err
        assert code == 7
        assert re.search(rf"on {re.escape(socket.gethostname())} \(process {os.getpid()}\) since \d{{4}}-", said), said
        assert (last["type"], last["ledger"]["status"]) == ("ledger", "stopped")
        assert "locked" in last["ledger"]["error"]
        assert main([*APPLY[:2]]) == 1, "without --detailed-exitcode every failure is 1"
        assert main(["state", "rm", "model.kael"]) != 0
        assert "locked" in capsys.readouterr().err
    assert not service.requests


def test_a_plan_made_before_the_others_apply_is_stale_before_its_first_paid_call(
    home: Path, service: EmulatorThread
) -> None:
    assert main(["plan", "-q", "--out", "my.plan.json"]) == 0
    assert main([*APPLY, "-q"]) == 0
    service.clear_requests()
    code, last = last_event("my.plan.json")
    assert (code, last["type"], last["ledger"]["status"]) == (5, "ledger", "stopped")
    assert not [r for r in service.requests if r.method != "GET"]


# -- the ledger is the last event


def test_every_exit_ends_the_events_with_a_ledger(home: Path, service: EmulatorThread) -> None:
    """Refusal, done, nothing to do, gate, broken manifest: the status says which."""
    told = {}
    service.add_fault("429-ceiling", method="PUT", path="/models/*/train", times=0)
    told["refused"] = last_event()
    service.clear_faults()
    told["done"] = last_event()
    told["nothing"] = last_event()
    (home / "scenario.yaml").write_text(MANIFEST.replace("rank: 4", "rank: 8"))
    told["gate"] = last_event("--limit", "retrains=0")
    (home / "scenario.yaml").write_text("version: 1\nmodels: { kael: { type: flux.1-lora } }\n")
    told["broken"] = last_event()
    assert all(last["type"] == "ledger" for _, last in told.values())
    assert {name: (code, last["ledger"]["status"]) for name, (code, last) in told.items()} == {
        "gate": (6, "failed"),
        "refused": (8, "partial"),
        "done": (0, "done"),
        "nothing": (0, "done"),
        "broken": (1, "stopped"),
    }
    gate = told["gate"][1]["ledger"]
    assert (gate["gated"], gate["begun"], gate["next_command"].endswith("--limit=retrains=1")) == (True, False, True)
    done = told["done"][1]["ledger"]
    assert {line["address"] for line in done["done"]} == {"model.kael", "model.fast"}
    assert done["requests"] > 0
    assert done["cu_charged"] > 0
    failed = told["refused"][1]["ledger"]
    assert "limit" in failed["failed"][0]["reason"]
    assert failed["next_command"].startswith("scenario-apply apply")


def test_an_error_nobody_foresaw_ends_with_a_ledger_as_text_and_as_event(
    home: Path, service: EmulatorThread, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was done and how to go on is said, then the error; going on repeats nothing."""

    def bug(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    with monkeypatch.context() as patch:
        patch.setattr("scenario_apply.apply.launch_gates.Launching.check", bug)
        assert main([*APPLY, "--events", "../events.jsonl"]) == 1
    said = capsys.readouterr()
    assert "Stopped by an error. Completed steps are recorded." in said.out
    assert "unexpected RuntimeError: a bug of ours" in said.out
    assert re.search(r"^  not started  +model\.(kael|fast) ", said.out, re.MULTILINE), said.out
    assert "Next: scenario-apply apply" in said.out
    assert said.err.count("internal error: RuntimeError: a bug of ours") == 1
    events = [json.loads(line) for line in Path("../events.jsonl").read_text().splitlines()]
    assert [event["type"] for event in events].count("ledger") == 1
    assert events[-1]["ledger"]["status"] == "stopped"
    assert (uploads(service), launches(service)) == (2, 0)
    assert main([*APPLY, "-q"]) == 0
    assert (uploads(service), launches(service)) == (2, 2)


# -- watching


def test_a_timeout_leaves_and_another_machine_with_only_the_state_takes_up(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is uploaded or trained a second time; status --watch stays until the trainings are over."""
    with serve(monkeypatch, training_s=3.0) as service:
        use(service, monkeypatch)
        code, last = last_event("--timeout", "0.6")
        assert (code, last["ledger"]["status"], len(last["ledger"]["running"])) == (3, "running", 2)
        assert "status" in last["ledger"]["next_command"]
        other = tmp_path / "other"
        shutil.copytree(home, other, ignore=shutil.ignore_patterns(".scenario"))
        monkeypatch.chdir(other)
        capsys.readouterr()
        assert main(["status", "--detailed-exitcode"]) == 3
        assert "training" in capsys.readouterr().out
        assert main(["status", "--watch", "--poll-interval", "0.1", "--detailed-exitcode"]) == 0
        assert capsys.readouterr().out.count("trained") >= 2
        sent = (uploads(service), launches(service))
        assert main([*APPLY, "-q"]) == 0
        assert (uploads(service), launches(service)) == sent == (2, 2)


def test_a_training_stuck_in_the_queue_is_told_as_queued_and_waited_for_next_time(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(monkeypatch, training_s=900.0, queue_s=800.0) as service:
        use(service, monkeypatch)
        assert main([*APPLY, "--timeout", "0.8"]) == 3
        told = "".join(capsys.readouterr())
        assert "queued" in told
        assert main(["plan", "--format", "json"]) == 0
        plan = json.loads(capsys.readouterr().out)
        assert {change["action"] for change in plan["changes"]} == {"wait"}
        assert launches(service) == 2


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"fail": "the GPU was on fire"}, "the GPU was on fire"),
        ({"set": {"status": "training-canceled"}}, "cancel"),
        ({"delete": True}, "gone|deleted|no longer"),
    ],
)
def test_what_became_of_a_training_is_told_apart_and_planned_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], change: dict[str, Any], word: str
) -> None:
    """Failed, cancelled in the web app, deleted while it trained: the plan says which, and trains once more."""
    with serve(monkeypatch, training_s=30.0) as service:
        use(service, monkeypatch)
        assert main([*APPLY, "-q", "--no-wait"]) == 3
        state = json.loads((home / "state" / "scenario.json").read_text())
        admin(service, {"model": state["resources"]["model.kael"]["current"]["id"], **change})
        monkeypatch.setattr("scenario_apply.apply.late_models.PAUSES_S", (0.0, 0.01))
        capsys.readouterr()
        assert main(["plan", "--format", "json"]) == 0
        plan = json.loads(capsys.readouterr().out)
        [kael] = [one for one in plan["changes"] if one["address"] == "model.kael"]
        assert kael["action"] in ("create", "retrain", "replace")
        assert re.search(word, json.dumps(kael["reasons"])), kael["reasons"]


def admin(service: EmulatorThread, body: dict[str, Any]) -> None:
    import urllib.request

    request = urllib.request.Request(
        service.url.removesuffix("/v1") + "/__emulator__/mutate",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request) as answer:
        answer.read()


# -- gates


def test_what_a_gate_forbids_right_before_a_launch_is_not_paid(
    home: Path, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """No model exists yet, so no quote stands in the plan: it is taken once they exist, before the first upload."""
    code, last = last_event("--limit", "cost=1")
    assert (code, uploads(service), launches(service)) == (6, 0, 0)
    assert "cost: 120 CU is over the limit of 1" in last["ledger"]["error"]
    code, last = last_event("--limit", "min_score=1")
    assert (code, launches(service)) == (6, 0)
    assert "score" in last["ledger"]["failed"][0]["reason"]


# -- the disk


@pytest.mark.parametrize("left", ["nothing", "an empty folder", "a file"])
def test_a_state_folder_that_vanishes_stops_the_run_and_the_ledger_says_the_way_back(
    home: Path, service: EmulatorThread, left: str
) -> None:
    """While the run is at it: nothing more is paid, and its next command, word for word, repeats nothing."""
    gone = threading.Event()

    def take_away() -> None:
        deadline = time.monotonic() + 20
        while uploads(service) < 1 and time.monotonic() < deadline:
            time.sleep(0.005)
        shutil.rmtree(home / "state", ignore_errors=True)
        if left == "an empty folder":
            (home / "state").mkdir()
        elif left == "a file":
            (home / "state").write_text("in the way")
        gone.set()

    thread = threading.Thread(target=take_away)
    thread.start()
    code, last = last_event()
    thread.join()
    assert gone.is_set()
    assert (code, last["ledger"]["status"]) == (1, "stopped")
    found = re.search(r"What this run knows is in (\S+?\.json)", last["ledger"]["error"])
    assert found is not None, last["ledger"]["error"]
    rescued = Path(found[1])
    try:
        way_back, apply = last["ledger"]["next_command"].rsplit(" && ", 1)
        assert shlex.split(apply)[:2] == ["scenario-apply", "apply"]
        subprocess.run(["/bin/sh", "-ec", way_back], check=True, cwd=home)
    finally:
        rescued.unlink()
        rescued.with_suffix(".journal").unlink(missing_ok=True)
    assert main([*shlex.split(apply)[1:], *APPLY[1:], "-q"]) == 0
    made = [r for r in service.requests if r.method == "POST" and r.path.endswith("/models") and r.status == 200]
    assert (len(made), launches(service), uploads(service)) == (2, 2, 2)

"""The whole road on the embedded Scenario, as somebody at a shell walks it."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from scenario_apply.cli.local_service import LocalServiceFailed, local_service
from scenario_apply.cli.main import run as run_command

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = (
    "version: 1\n"
    "datasets:\n  kael: { images: ./kael, trigger: KAEL_07 }\n"
    "models:\n  kael: { type: flux.1-lora, dataset: kael, parameters: { maxTrainSteps: 750 } }\n"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copytree(PICTURES, tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    return tmp_path


def environment(training_s: float = 0.2) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SCENARIO_")}
    return kept | {"SCENARIO_APPLY_LOCAL_TRAINING_SECONDS": str(training_s)}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "scenario_apply", *words]


def started(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command as a shell starts it."""
    return subprocess.run(
        command(*words),
        cwd=home,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def run(home: Path, *words: str, training_s: float = 0.2) -> subprocess.CompletedProcess[str]:
    """The same in this process: a new one takes longer to start than most commands take."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, open(os.devnull) as nothing, redirect_stdout(out), redirect_stderr(err):
        for name in os.environ.keys() - environment().keys():
            patch.delenv(name)
        for name, value in environment(training_s).items():
            patch.setenv(name, value)
        patch.setattr("sys.stdin", nothing)
        patch.chdir(home)
        code = run_command(words)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def test_from_nothing_to_trained_and_back(home: Path) -> None:
    """apply, apply again, output, status, a saved plan and its staleness, rollback, destroy."""
    first = started(home, "apply", "--local", "--auto-approve", "--poll-interval", "0.05", "--detailed-exitcode")
    assert first.returncode == 0, first.stderr
    assert "Apply complete." in first.stdout
    assert "images and captions: 16/16" in first.stderr

    again = run(home, "apply", "--local", "--detailed-exitcode")
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1].startswith("No changes.")

    output = json.loads(run(home, "output", "--format", "json").stdout)["model.kael"]
    assert output["status"] == "trained"
    assert output["version"] == 1

    caption = home / "kael" / "06_autumn_path.txt"
    caption.write_text(caption.read_text().replace("bow", "spear"))
    planned = run(home, "plan", "--local", "--out", "my.plan.json", "--detailed-exitcode")
    assert planned.returncode == 2
    assert "[-bow-] {+spear+}" in planned.stdout
    assert "± model.kael will be replaced" in planned.stdout

    before = caption.read_text()
    caption.write_text(before + " at night")
    stale = run(home, "apply", "my.plan.json", "--local", "--auto-approve", "--detailed-exitcode")
    assert stale.returncode == 5
    assert "06_autumn_path.jpg has another caption" in stale.stderr
    caption.write_text(before)
    done = run(
        home,
        *("apply", "my.plan.json", "--local", "--auto-approve", "--poll-interval", "0.05"),
        *("--format", "jsonl", "--events", "events.jsonl"),
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["type"] == "ledger"
    assert lines[-1]["ledger"]["status"] == "done"
    assert len((home / "events.jsonl").read_text().splitlines()) == len(lines)
    assert run(home, "apply", "my.plan.json", "--local", "--auto-approve", "--detailed-exitcode").returncode == 5

    status = json.loads(run(home, "status", "--local", "--format", "json").stdout)["model.kael"]
    assert (status["status"], status["version"]) == ("trained", 2)
    back = run(home, "rollback", "model.kael", "--local")
    assert back.returncode == 0, back.stderr
    assert "No charge." in back.stdout
    assert json.loads(run(home, "output", "--format", "json").stdout)["model.kael"]["id"] == output["id"]
    assert run(home, "rollback", "--lift", "model.kael", "--local").returncode == 0

    gone = run(home, "destroy", "--local", "--auto-approve")
    assert gone.returncode == 0, gone.stderr
    assert json.loads(run(home, "output", "--format", "json").stdout) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_training_leaves_quickly_and_loses_nothing(home: Path, number: signal.Signals) -> None:
    """Ctrl-C, the end that a CI runner sends, and the end of a connection."""
    with subprocess.Popen(
        command("apply", "--local", "--auto-approve", "--poll-interval", "0.05"),
        cwd=home,
        env=environment(training_s=30),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if "training launched" in line:
                break
        sent = time.monotonic()
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
        took_s = time.monotonic() - sent
    assert running.returncode == 130, out + err
    assert took_s < 5  # two seconds are promised; the machine may be busy
    assert "Interrupted" in out
    assert "  running  " in out
    assert "Next: scenario-apply apply --local" in out
    status = run(home, "status", "--local", "--detailed-exitcode", training_s=30)
    assert status.returncode == 3
    assert "model.kael  training" in status.stdout
    assert run(home, "plan", "--local", "--detailed-exitcode", training_s=30).returncode == 3


def test_a_closed_terminal_ends_a_run_in_order(home: Path) -> None:
    """Nothing more can be written to it; the state says what was done all the same, and the lock is free."""
    ours, theirs = pty.openpty()
    takes = (
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
    )
    words = command("apply", "--local", "--auto-approve", "--poll-interval", "0.05", "--events", "events.jsonl")
    running = subprocess.Popen(
        [sys.executable, "-c", takes, *words],
        cwd=home,
        env=environment(training_s=30) | {"SCENARIO_APPLY_LOCAL_QUEUE_SECONDS": "0"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""
    while b"starting, " not in seen:
        seen += os.read(ours, 4096)
    os.close(ours)
    assert running.wait(30) == 130
    assert json.loads((home / "events.jsonl").read_text().splitlines()[-1])["ledger"]["status"] == "interrupted"
    assert not (home / "state" / "scenario.lock").exists()
    assert "model.kael  training" in run(home, "status", "--local", training_s=30).stdout


def test_a_run_under_nohup_outlives_its_terminal(home: Path) -> None:
    """Who ignores SIGHUP goes on ignoring it."""
    words = ("apply", "--local", "--auto-approve", "--poll-interval", "0.1")
    with subprocess.Popen(
        ["/bin/sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *command(*words)],
        cwd=home,
        env=environment(training_s=2),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        assert any("training launched" in line for line in running.stderr)
        running.send_signal(signal.SIGHUP)
        running.stderr.read()
        assert running.wait(60) == 0


def test_no_wait_launches_and_leaves_and_a_later_apply_picks_up(home: Path) -> None:
    left = run(home, "apply", "--local", "--auto-approve", "--no-wait", "--detailed-exitcode", training_s=1)
    assert left.returncode == 3
    assert "scenario-apply" in left.stdout.splitlines()[-1]
    watched = run(home, "status", "--watch", "--local", "--poll-interval", "0.1", training_s=1)
    assert watched.returncode == 0
    assert watched.stdout.splitlines()[-1] == "1 trained."
    picked = run(home, "apply", "--local", "--auto-approve", "--poll-interval", "0.05", training_s=1)
    assert picked.returncode == 0, picked.stderr
    state = json.loads((home / "state" / "scenario.json").read_text())
    assert state["resources"]["model.kael"]["current"]["phase"] == "trained"
    assert state["endpoint"] == "local"


def test_state_mv_and_rm_touch_no_service(home: Path) -> None:
    assert run(home, "apply", "--local", "--auto-approve", "--poll-interval", "0.05").returncode == 0
    shutil.rmtree(home / ".scenario" / "emulator")
    assert run(home, "state", "mv", "model.kael", "model.ranger").returncode == 0
    assert run(home, "state", "list").stdout == "model.ranger\n"
    assert "is already recorded" in run(home, "state", "mv", "model.ranger", "model.ranger").stderr
    assert run(home, "state", "show", "model.ranger", "-v").returncode == 0
    forgotten = run(home, "state", "rm", "model.ranger")
    assert "Scenario keeps model_" in forgotten.stdout
    assert run(home, "state", "rm", "model.ranger").returncode == 1
    assert "not locked" in run(home, "force-unlock").stdout


def test_a_gate_shows_the_plan_whole_and_stops_it(home: Path) -> None:
    assert run(home, "apply", "--local", "--auto-approve", "--poll-interval", "0.05").returncode == 0
    (home / "scenario.yaml").write_text(MANIFEST.replace("750", "800"))
    words = ("plan", "--local", "--limit", "retrains=0", "--detailed-exitcode")
    stopped = run(home, *words)
    assert stopped.returncode == 6
    assert "± model.kael" in stopped.stdout
    assert "retrains: 1 is over the limit of 0" in stopped.stdout
    assert run(home, *words[:-1]).returncode == 1
    applied = run(home, "apply", *words[1:], "--auto-approve")
    assert applied.returncode == 6
    assert "Apply" not in applied.stdout


def test_nobody_listening_is_said_within_ten_seconds(home: Path) -> None:
    kept = environment() | {
        "SCENARIO_BASE_URL": "http://127.0.0.1:9/v1",
        "SCENARIO_SDK_API_KEY": "key_1",
        "SCENARIO_SDK_API_SECRET": "s3cr3t",
    }
    (home / "state").mkdir()
    began = time.monotonic()
    done = subprocess.run(
        command("apply", "--auto-approve"), cwd=home, env=kept, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert time.monotonic() - began < 15
    assert "s3cr3t" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url.removesuffix("/v1") + "/__emulator__/requests", timeout=5):
            return True
    except OSError:
        return False


def gone(url: str) -> bool:
    deadline = time.monotonic() + 10
    while answers(url):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_commands_of_one_folder_share_an_emulator_until_the_last_one_leaves(tmp_path: Path) -> None:
    """Whoever started it may leave first, and no zombie stays; the next command after the last one starts a new one."""
    data = str(tmp_path / "emulator")
    first, second = local_service(data, [], os.environ), local_service(data, [], os.environ)
    url = first.__enter__()
    assert second.__enter__() == url
    first.__exit__(None, None, None)
    assert answers(url)
    [waits] = [thread for thread in threading.enumerate() if thread.name == "emulator-end"]
    second.__exit__(None, None, None)
    assert gone(url)
    waits.join(30)
    assert not waits.is_alive(), "the end of its child was waited for"
    with local_service(data, [], os.environ) as another:
        assert answers(another)
    assert not answers(another), "whoever leaves last and started it waits for its end"


def test_an_emulator_that_hangs_is_not_waited_for_for_ever(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs = home / "python"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(hangs))
    monkeypatch.setattr("scenario_apply.cli.local_service._READY_WITHIN_S", 0.1)
    with pytest.raises(LocalServiceFailed, match=r"did not start: it was not ready after 0\.1 seconds"):
        local_service(str(home / "emulator"), [], os.environ).__enter__()


@pytest.fixture
def training(home: Path) -> Iterator[subprocess.Popen[str]]:
    """An apply in the middle of its training; killed at the end."""
    with subprocess.Popen(
        command("apply", "--local", "--auto-approve"),
        cwd=home,
        env=environment(training_s=60),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            assert any("training launched" in line for line in process.stderr)
            yield process
        finally:
            process.kill()


def test_an_emulator_outlives_the_command_that_started_it_as_long_as_another_uses_it(
    home: Path, training: subprocess.Popen[str]
) -> None:
    """kill -9 of the first, with the second in the middle of its work."""
    with local_service(str(home / ".scenario" / "emulator"), [], os.environ) as url:
        training.kill()
        training.wait()
        assert answers(url)
    assert gone(url)


def test_a_second_apply_is_told_of_the_lock_and_a_look_is_let_in(home: Path, training: subprocess.Popen[str]) -> None:
    second = run(home, "apply", "--local", "--auto-approve", "--detailed-exitcode")
    assert second.returncode == 7
    assert f"process {training.pid}" in second.stderr
    assert "1 training" in run(home, "status", "--local").stdout


def test_an_emulator_somebody_runs_by_hand_on_the_folder_is_used(home: Path) -> None:
    data = home / ".scenario" / "emulator"
    by_hand = subprocess.Popen(
        command("emulator", "--data", str(data), "--training-seconds", "0.2"), stdout=subprocess.PIPE, text=True
    )
    assert by_hand.stdout is not None
    try:
        by_hand.stdout.readline()
        assert run(home, "apply", "--local", "--auto-approve", "--poll-interval", "0.05").returncode == 0
        assert by_hand.poll() is None
    finally:
        by_hand.terminate()
        assert by_hand.wait(10) == 0
        by_hand.stdout.close()

"""The server as a process: one ready line, a clean end, nothing lost when it is killed, no orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenario_apply.emulator.__main__ import main
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import png
from .test_models import make
from .test_training import with_images

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The emulator as its own process, and its URL."""
    command = [sys.executable, "-m", "scenario_apply.emulator", "--port", "0", *options]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        line = running.stdout.readline()
        assert line.startswith("scenario emulator ready at http://127.0.0.1:"), line
        yield running, line.split()[-1]
    finally:
        if running.poll() is None:
            running.kill()
        running.stdin.close()
        running.stdout.close()
        running.wait()


def test_a_clean_end_on_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "scenario_apply.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as running:
        assert running.stdout is not None
        assert running.stdout.readline().endswith("/v1\n")
        assert len(list(tmp_path.iterdir())) == 1
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
        assert running.stdout.read() == ""
    assert list(tmp_path.iterdir()) == []


def test_it_ends_with_its_parent() -> None:
    with process("--until-stdin-closes") as (running, url):
        assert contract.plain.get(f"{url}/models", auth=("k", "s")).status_code == 200
        assert running.stdin is not None
        running.stdin.close()
        assert running.wait(10) == 0


def test_kill_9_loses_no_acknowledged_write(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with process("--data", data, "--rate-limit", "0") as (running, url), contract.client(url) as api:
        trained = with_images(api, 2, name="Kael")
        job = api.put(f"/models/{trained}/train", json={}).json()["job"]["jobId"]
        upload = api.post(
            "/uploads",
            json={
                "fileName": "a.png",
                "contentType": "image/png",
                "kind": "image",
                "parts": 1,
                "fileSize": len(png(5)),
            },
        ).json()["upload"]
        assert contract.plain.put(upload["parts"][0]["url"], content=png(5)).status_code == 200
        last = [make(api, name=str(number))["id"] for number in range(20)][-1]
        running.kill()
        running.wait()
    with process("--data", data, "--rate-limit", "0") as (_, url), contract.client(url) as api:
        assert api.get(f"/models/{last}").json()["model"]["name"] == "19"
        assert api.get(f"/jobs/{job}").json()["job"]["status"] != "success"
        model = api.get(f"/models/{trained}").json()["model"]
        assert (model["status"], len(model["trainingImages"])) == ("training", 2)
        assert contract.plain.get(model["trainingImages"][0]["downloadUrl"]).content == png(0)
        api.post(f"/uploads/{upload['id']}/action", json={"action": "complete"})
        states = [api.get(f"/uploads/{upload['id']}").json()["upload"]["status"] for _ in range(2)]
        assert states == ["validated", "imported"]


def test_a_training_goes_on_over_a_restart(tmp_path: Path) -> None:
    options = manual_options(data=tmp_path)
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        model = with_images(api)
        api.put(f"/models/{model}/train", json={})
        emulator.advance(19)
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        progress = api.get(f"/models/{model}").json()["model"]["trainingProgress"]
        assert progress["remainingTimeMs"] == 1000
        emulator.advance(1)
        assert api.get(f"/models/{model}").json()["model"]["status"] == "trained"


def test_options_that_make_no_sense_end_in_64(tmp_path: Path, capsys: object) -> None:
    assert main(["--chaos", "explode=1"]) == 64
    assert main(["--training-seconds", "-1"]) == 64
    assert main(["--api-key", "only"]) == 64
    assert main(["--seed", str(tmp_path / "nothing.json")]) == 64
    assert main(["--training-seconds", "1", "--queue-seconds", "2"]) == 64


def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "scenario.db").write_bytes(b"this is no database" * 100)
    assert main(["--data", str(tmp_path)]) == 1
    seed = tmp_path / "seed.json"
    seed.write_text('{"models": [{"name": 5}]}')
    assert main(["--seed", str(seed)]) == 1
    with EmulatorThread() as emulator:
        port = emulator.url.rsplit(":", 1)[1].removesuffix("/v1")
        assert main(["--port", port]) == 1


def test_a_seed_file_fills_the_first_start_only(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"projects": ["proj_x"], "models": [{"id": "ink", "name": "Ink Wash"}]}')
    options = manual_options(seed_file=seed, data=tmp_path / "data")
    for _ in range(2):
        with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
            assert [one["id"] for one in api.get("/models").json()["models"]] == ["ink"]
            assert "proj_x" in [one["id"] for one in api.get("/projects").json()["projects"]]

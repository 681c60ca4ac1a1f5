"""The server as a process: one ready line, a clean end, nothing lost when it is killed, no orphan."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from scenario_apply.emulator.__main__ import main
from scenario_apply.emulator.data_folder import MARKER
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import data_url, png
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
    (tmp_path / MARKER).touch()
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


def refusal(data: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line an emulator says that cannot start on a folder."""
    assert main(["--data", str(data)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return said


def test_a_folder_serves_one_emulator_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with EmulatorThread(manual_options(data=tmp_path)) as emulator:
        assert f"in use by another emulator (process {os.getpid()} at {emulator.url})" in refusal(tmp_path, capsys)
    with EmulatorThread(manual_options(data=tmp_path)):
        pass


def test_a_damaged_or_foreign_database_is_named_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmulatorThread(manual_options(data=tmp_path / "ours")) as emulator, contract.client(emulator.url) as api:
        for number in range(40):
            make(api, name=str(number))
    whole = (tmp_path / "ours" / "scenario.db").read_bytes()
    page = len(whole) // 2 // 4096 * 4096
    for name, content in (
        ("scribbled", whole[:page] + b"\xa5" * 8192 + whole[page + 8192 :]),
        ("cut", whole[: len(whole) - 3 * 4096]),
        ("text", b"this is no database" * 100),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "scenario.db").write_bytes(content)
        (folder / MARKER).touch()
        assert "scenario.db: " in refusal(folder, capsys)
        assert (folder / "scenario.db").read_bytes() == content
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    with closing(sqlite3.connect(foreign / "scenario.db")) as db:
        db.execute("CREATE TABLE diary (day TEXT)")
    assert "holds scenario.db and no .scenario-emulator" in refusal(foreign, capsys)
    assert [path.name for path in foreign.iterdir()] == ["scenario.db"]
    (foreign / MARKER).touch()
    assert "database of another program" in refusal(foreign, capsys)
    (tmp_path / "file").write_text("x")
    assert "is a file" in refusal(tmp_path / "file", capsys)


def test_kill_9_at_any_moment_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """Four clients write while the server is killed; three times."""
    data = str(tmp_path / "data")
    dice = random.Random(3)
    answered: list[tuple[str, str, int]] = []
    for round_ in range(3):
        with process("--data", data, "--rate-limit", "0") as (running, url):
            writers = [threading.Thread(target=write_until_gone, args=(url, answered, seed)) for seed in range(4)]
            for writer in writers:
                writer.start()
            before = len(answered)
            while len(answered) < before + 20:
                time.sleep(0.005)
            time.sleep(dice.random() / 20)
            running.kill()
            for writer in writers:
                writer.join()
        assert len(answered) >= 20 * (round_ + 1)
    with process("--data", data, "--rate-limit", "0") as (_, url), contract.client(url) as api:
        models = api.post("/models/get-bulk", json={"modelIds": [model for model, _, _ in answered]}).json()["models"]
        held = {model["id"]: [image["id"] for image in model["trainingImages"]] for model in models}
        assert held == {model: [asset] for model, asset, _ in answered}
        for _, asset, seed in answered:
            address = api.get(f"/assets/{asset}").json()["asset"]["url"]
            assert contract.plain.get(address).content == png(seed)


def write_until_gone(url: str, answered: list[tuple[str, str, int]], seed: int) -> None:
    """Create models with a picture each, and note them once the answers are there."""
    with contextlib.suppress(httpx.TransportError), contract.client(url) as api:
        for number in itertools.count(seed, 4):
            model = make(api, name=f"{number}")["id"]
            body = {"data": data_url(number % 50), "name": "a.png"}
            image = api.post(f"/models/{model}/training-images", json=body).json()["trainingImage"]["id"]
            answered.append((model, image, number % 50))


@pytest.mark.parametrize("parts", [1, 2])
def test_a_death_between_joining_and_noting_it_loses_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outside_the_contract: list[str], parts: int
) -> None:
    """The bytes of an upload stay until the database no longer needs them."""
    data = png(3) + b"\0" * (5_242_880 if parts == 2 else 0)
    options = manual_options(data=tmp_path)
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": parts, "fileSize": len(data)}
        upload = api.post("/uploads", json=body).json()["upload"]
        for number, part in enumerate(upload["parts"]):
            contract.plain.put(part["url"], content=data[number * 5_242_880 :][:5_242_880])
        api.post(f"/uploads/{upload['id']}/action", json={"action": "complete"})
        with monkeypatch.context() as patch:
            patch.setattr("scenario_apply.emulator.uploads.inspect_file", lambda path: 1 / 0)
            assert api.get(f"/uploads/{upload['id']}").status_code == 500
        assert "ZeroDivisionError" in outside_the_contract.pop()
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        for _ in range(2):
            done = api.get(f"/uploads/{upload['id']}").json()["upload"]
        assert done["status"] == "imported"
        address = api.get(f"/assets/{done['entityId']}").json()["asset"]["url"]
        assert contract.plain.get(address).content == data
    assert list((tmp_path / "parts").iterdir()) == []

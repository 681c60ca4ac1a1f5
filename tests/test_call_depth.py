"""A request passes few hands: at most twelve functions of ours lie between a command and the socket or the disk."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from requests.adapters import HTTPAdapter

from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread, manual_options
from scenario_apply.state.stores import atomic, file_store

MOST_FRAMES = 12
ROOT = Path(__file__).parent.parent
PACKAGE = f"{ROOT / 'scenario_apply'}/"
QUICKSTART = ROOT / "manifests" / "quickstart"

Stacks = dict[str, list[str]]


def frames() -> list[str]:
    """Functions of ours on this thread's stack, from the command's own down; a worker's from its task down."""
    found = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE) and not name.startswith(f"{PACKAGE}emulator/"):
            found.append(f"{name.removeprefix(PACKAGE)}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    return [name for name in found[::-1] if not name.startswith("cli/main.py")]


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Stacks:
    """The deepest stack for each kind of request, and for a written state."""
    deepest: Stacks = {}
    send, write = HTTPAdapter.send, atomic.write_atomically

    def keep(key: str, stack: list[str]) -> None:
        if len(stack) > len(deepest.get(key, ())):
            deepest[key] = stack

    def watched_send(self: HTTPAdapter, request: Any, **named: Any) -> Any:
        path = re.sub(r"/(model|asset|job|upload)_\w+", "/ID", request.path_url.split("?")[0])
        keep(f"{request.method} {path}", frames())
        return send(self, request, **named)

    def watched_write(*args: Any, **named: Any) -> None:
        keep("write", frames())
        write(*args, **named)

    monkeypatch.setattr(HTTPAdapter, "send", watched_send)
    monkeypatch.setattr(file_store, "write_atomically", watched_write)
    return deepest


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The quickstart, on an emulator whose trainings take no time."""
    folder = tmp_path / "quickstart"
    shutil.copytree(QUICKSTART, folder, ignore=shutil.ignore_patterns("state", ".scenario"))
    seed = folder / "emulator-seed.json"
    with EmulatorThread(manual_options(clock="real", training_s=0.05, queue_s=0, seed_file=seed)) as emulator:
        monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        monkeypatch.delenv("SCENARIO_PROJECT_ID", raising=False)
        yield str(folder)


def too_deep(stacks: Stacks) -> list[str]:
    return [
        f"{key}: {len(stack)}\n  " + "\n  ".join(stack) for key, stack in stacks.items() if len(stack) > MOST_FRAMES
    ]


def test_a_plan_is_at_most_twelve_frames_from_the_socket(manifest: str, stacks: Stacks) -> None:
    assert run(["plan", manifest]) == 0
    assert run(["apply", manifest, "--auto-approve", "--poll-interval", "0.2"]) == 0
    stacks.clear()
    assert run(["plan", manifest]) == 0
    assert {"GET /v1/models", "POST /v1/models/get-bulk"} & stacks.keys()
    assert too_deep(stacks) == []


def test_an_apply_is_at_most_twelve_frames_from_the_socket_and_the_disk(manifest: str, stacks: Stacks) -> None:
    assert run(["apply", manifest, "--auto-approve", "--poll-interval", "0.2"]) == 0
    uploads = {"POST /v1/models/ID/training-images", "POST /v1/assets"}
    assert uploads & stacks.keys()
    assert "write" in stacks
    assert too_deep(stacks) == []


DIES = """
import os, re, sys
from requests.adapters import HTTPAdapter
from scenario_apply.cli.main import run

send = HTTPAdapter.send

def last(self, request, **named):
    reply = send(self, request, **named)
    if re.fullmatch(sys.argv[1], f"{request.method} {request.path_url}"):
        os._exit(9)
    return reply

HTTPAdapter.send = last
run(["apply", sys.argv[2], "--auto-approve", "--poll-interval", "0.2"])
"""
"""An apply that is killed when the service has carried out a request, before the response is recorded."""


@pytest.mark.parametrize(
    "last", ["POST /v1/models", "POST /v1/(assets|models/[^/]+/training-images)", "PUT /v1/models/[^/]+/train"]
)
def test_a_recovery_is_at_most_twelve_frames_from_the_socket(
    manifest: str, stacks: Stacks, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests of a leftover journal whose responses were lost are looked up, by a plan and by an apply."""
    # what was sent a moment ago is not looked up again and again: each look goes the same way
    monkeypatch.setattr("scenario_apply.apply.recovery.SERVICE_MAY_STILL_WORK_S", 0.0)
    assert subprocess.run([sys.executable, "-c", DIES, last, manifest], cwd=ROOT, check=False).returncode == 9
    for command in (["plan", manifest], ["apply", manifest, "--auto-approve", "--poll-interval", "0.2"]):
        stacks.clear()
        assert run(command) == 0
        assert any(name.startswith("apply/recovery.py") for stack in stacks.values() for name in stack)
        assert too_deep(stacks) == []

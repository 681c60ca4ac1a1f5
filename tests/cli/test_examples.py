"""The examples in the help of every command: each of them works, one after the other, in a clone of this repository."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from scenario_apply.cli.command_table import MODULES
from scenario_apply.cli.main import load

REPOSITORY = Path(__file__).resolve().parents[2]
QUICKSTART = "manifests/quickstart"
NEEDS_A_SERVER = ("emulator", "ci comment", "ci issue", "ci reviewed")
"""The emulator's examples are below, those of ci in tests/ci."""


def environment(home: Path) -> dict[str, str]:
    """A home of its own, no credentials, and scenario-apply on the path."""
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "COVERAGE_PROCESS_START") if name in os.environ}
    paths = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return kept | {"HOME": str(home), "PATH": paths, "SCENARIO_APPLY_LOCAL_TRAINING_SECONDS": "0.2"}


def shell(script: str, home: Path, more: Mapping[str, str] | None = None) -> str:
    """What a script prints. Fails with all of it when one of its commands does."""
    done = subprocess.run(
        ["bash", "--norc", "-c", f"set -euo pipefail\n{script}"],
        cwd=home / "clone",
        env=environment(home) | dict(more or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def new_home(home: Path) -> Path:
    """A folder with a program and a clone."""
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "scenario-apply"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -P -m scenario_apply "$@"\n')
    program.chmod(0o755)
    without = shutil.ignore_patterns(".scenario", "state")
    shutil.copytree(REPOSITORY / "manifests", home / "clone" / "manifests", ignore=without)
    return home


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart, trained in two versions: there is one to go back to."""
    home = new_home(tmp_path_factory.mktemp("applied") / "home")
    apply = f"scenario-apply apply {QUICKSTART} --local --auto-approve --poll-interval 0.1 -q"
    caption = f"{QUICKSTART}/kael/05_campfire.txt"
    shell(f"{apply}\nsed -i.bak s/beside/near/ {caption} && rm {caption}.bak\n{apply}", home)
    return home


@pytest.mark.parametrize("command", [name for name in MODULES if name not in NEEDS_A_SERVER])
def test_the_examples_of_a_command_work(command: str, applied: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(applied, home, symlinks=True, ignore=shutil.ignore_patterns("emulator.*"))
    (home / "bin" / "scenario-apply").chmod(0o755)
    shell(load(command).EXAMPLES, home)


def test_the_examples_of_the_emulator_work(tmp_path: Path) -> None:
    """It runs beside them, on a port and in a folder of its own."""
    home = new_home(tmp_path / "home")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    start, *lines = load("emulator").EXAMPLES.strip().replace("8585", str(port)).splitlines()
    ready = f"until curl -s --noproxy '*' -o /dev/null http://127.0.0.1:{port}/; do kill -0 $!; done"
    script = "\n".join([start.replace("/tmp/scenario", f"{home}/data") + " &", "trap 'kill $!' EXIT", ready, *lines])
    assert "3 create" in shell(script, home)

"""The examples in the help of every command: each of them works, one after the other, in a clone of this repository."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path

import pytest

from scenario_apply.cli.command_table import MODULES
from scenario_apply.cli.local_service import local_service
from scenario_apply.cli.main import load, run
from tests.fakes.installed_tool import install_tool

REPOSITORY = Path(__file__).resolve().parents[2]
QUICKSTART = "manifests/quickstart"
NEEDS_A_SERVER = ("emulator", "ci comment", "ci issue", "ci reviewed")
"""The emulator's examples are below, those of ci in tests/ci."""
PROCESSES = {"fleet", "processes"}
"""Words of lines that start processes of their own: a shell carries them out."""
ALONE = ("state ", "--from ")
"""Commands that ask no service, or copy the emulator's folder, which must be at rest."""


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


def carry_out(script: str, home: Path) -> None:
    """The same, with its simple lines in this process, and one emulator for all of them."""
    lines = [line.strip() for line in script.strip().splitlines()]
    data = home / "clone" / QUICKSTART / ".scenario" / "emulator"
    shared = ["--training-seconds", "0.2", "--rate-limit", "0"]
    is_shared = data.exists() and script.count("--local") > 1 and not any(word in script for word in ALONE)
    with here(home), local_service(str(data), shared, os.environ) if is_shared else nullcontext():
        for line in lines:
            words = split(line)
            if words[0] != "scenario-apply" or set("|&;()$<") & set("".join(words)) or PROCESSES & {*words}:
                shell(line, home)
            elif words[-2] == ">":
                with open(words[-1], "w", encoding="utf-8") as file, redirect_stdout(file):
                    assert run(words[1:-2]) == 0, line
            else:
                assert run(words[1:]) == 0, line


def split(line: str) -> list[str]:
    """The words of a line, and its operators."""
    reader = shlex.shlex(line, posix=True, punctuation_chars=True)
    reader.whitespace_split, reader.commenters = True, ""
    return list(reader)


@contextmanager
def here(home: Path) -> Iterator[None]:
    """In the clone, with that environment, by polls of a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        ours = environment(home)
        for name in [*os.environ]:
            patch.delenv(name)
        for name, value in ours.items():
            patch.setenv(name, value)
        patch.setattr("scenario_apply.apply.poll_rounds.FIRST_EVERY_S", 0.1)
        patch.chdir(home / "clone")
        yield


def new_home(home: Path) -> Path:
    """A folder with a program and a clone."""
    install_tool(home / "bin" / "scenario-apply", "-P", "-m", "scenario_apply")
    without = shutil.ignore_patterns(".scenario", "state")
    shutil.copytree(REPOSITORY / "manifests", home / "clone" / "manifests", ignore=without)
    return home


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart, trained in two versions: there is one to go back to."""
    home = new_home(tmp_path_factory.mktemp("applied") / "home")
    apply = f"scenario-apply apply {QUICKSTART} --local --auto-approve --poll-interval 0.1 -q"
    caption = f"{QUICKSTART}/kael/05_campfire.txt"
    carry_out(f"{apply}\nsed -i.bak s/beside/near/ {caption} && rm {caption}.bak\n{apply}", home)
    return home


@pytest.mark.parametrize("command", [name for name in MODULES if name not in NEEDS_A_SERVER])
def test_the_examples_of_a_command_work(command: str, applied: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(applied, home, symlinks=True, ignore=shutil.ignore_patterns("emulator.*"))
    (home / "bin" / "scenario-apply").chmod(0o755)
    carry_out(load(command).EXAMPLES, home)


def test_the_examples_of_the_emulator_work(tmp_path: Path) -> None:
    """It runs beside them, on a port and in a folder of its own."""
    home = new_home(tmp_path / "home")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    start, *lines = load("emulator").EXAMPLES.strip().replace("8585", str(port)).splitlines()
    start = start.replace("/tmp/scenario", shlex.quote(f"{home}/data"))
    ready = f"until : 2>/dev/null >/dev/tcp/127.0.0.1/{port}; do kill -0 $!; done"
    script = "\n".join([f"{start} &", "trap 'kill $!' EXIT", ready, *lines])
    assert "3 create" in shell(script, home)

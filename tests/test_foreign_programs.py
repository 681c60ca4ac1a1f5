"""No program and no module of a repository runs, and no program we start is handed credentials.

For git-lfs, tests/cli/test_lfs_pulling.py holds it.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenario_apply.cli.local_service import child_environment

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "scenario_apply"
PICTURES = ROOT / "manifests" / "quickstart" / "kael"
MANIFEST = (
    "version: 1\n"
    "models:\n  kael: { type: flux.1-lora, dataset: { images: ./kael, trigger: KAEL_07 }, "
    "parameters: { maxTrainSteps: 750 } }\n"
)
STARTS_PROGRAMS = {"cli/local_service.py", "apply/git_lfs/lfs_programs.py", "dataset/scan/parquet_process.py"}
"""The embedded Scenario of --local and the reader of parquet are modules of ours; git-lfs runs in its own folder."""
FORKS_ITSELF = {"dataset/scan/parallel.py", "fleet/process_pool.py"}
"""Workers that read pictures: copies of this process, made by concurrent.futures; no program is looked up. Workers of a
fleet are started by this Python; below, they import nothing from the working folder."""


def run(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SCENARIO_", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-m", "scenario_apply", *words],
        cwd=home,
        env=kept | {"SCENARIO_APPLY_LOCAL_TRAINING_SECONDS": "0.1"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a manifest and its pictures."""
    here = tmp_path / "home"
    shutil.copytree(PICTURES, here / "kael")
    (here / "scenario.yaml").write_text(MANIFEST)
    return here


def test_only_the_embedded_scenario_and_git_lfs_are_started() -> None:
    """Every other way to run a program is looked for in the source."""
    calls = ("system", "popen", "fork", "forkpty", "posix_spawn", "startfile", "exec", "spawn")
    starting = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                names = [f"os.{node.attr}" if node.attr.startswith(calls) else ""]
            if {"subprocess", "pty", "multiprocessing", "webbrowser", "pipes"}.intersection(names) or any(
                name.startswith("os.") and name not in ("os.path", "os.fork") for name in names
            ):
                starting.add(path.relative_to(PACKAGE).as_posix())
    assert starting == STARTS_PROGRAMS | FORKS_ITSELF


def test_a_folder_that_is_a_bare_repository_runs_nothing(home: Path) -> None:
    """core.fsmonitor of such a folder is a program that git would run with our environment."""
    subprocess.run(["git", "init", "-q", "--bare", str(home)], check=True)
    mark = home.parent / "ran"
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor"):
        subprocess.run(["git", "config", "-f", str(home / "config"), key, f"sh -c 'env >{mark}'"], check=True)
    empty, author = "4b825dc642cb6eb9a060e54bf8d69288fbee4904", ("-c", "user.name=a", "-c", "user.email=a@b")
    words = ("commit-tree", "-m", "first", empty)
    commit = subprocess.run(
        ["git", f"--git-dir={home}", *author, *words],
        check=True,
        env={"PATH": os.environ["PATH"]},
        stdout=-1,
        text=True,
    ).stdout
    (home / "HEAD").write_text(commit)
    subprocess.run(["git", "config", "-f", str(home / "config"), "core.bare", "false"], check=True)
    subprocess.run(["git", "config", "-f", str(home / "config"), "core.worktree", str(home)], check=True)
    words = ("--local", "--auto-approve", "--poll-interval", "0.05")
    done = run(home, "apply", *words, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stderr
    assert not mark.exists()


MODULES = ("json", "argparse", "asyncio", "requests", "PIL", "orjson", "httptools")


@pytest.mark.parametrize("is_on_the_path", [False, True])
def test_modules_of_the_working_folder_are_never_imported(home: Path, is_on_the_path: bool) -> None:
    """Neither by a command, nor by the embedded Scenario it starts, nor through an empty entry of PYTHONPATH.

    With such an entry the start of Python itself, before any code of ours, imports __future__ from there.
    """
    trap = 'import pathlib; pathlib.Path(__file__).with_suffix(".ran").touch()\n'
    for name in (*MODULES, *(() if is_on_the_path else ("__future__", "sitecustomize"))):
        (home / f"{name}.py").write_text(trap)
    installed = home.parent / "lib"
    installed.mkdir()
    (installed / "scenario_apply").symlink_to(PACKAGE)
    words = ("--local", "--auto-approve", "--poll-interval", "0.05")
    done = run(home, "apply", *words, PYTHONPATH=f":{installed}:." if is_on_the_path else str(installed))
    assert done.returncode == 0, done.stderr
    assert sorted(home.glob("*.ran")) == []


@pytest.mark.parametrize("engine", ["processes", "dask"])
@pytest.mark.parametrize("is_on_the_path", [False, True])
def test_workers_of_a_fleet_import_nothing_of_the_working_folder(home: Path, engine: str, is_on_the_path: bool) -> None:
    """They hold the credentials of every project."""
    trap = 'import pathlib; pathlib.Path(__file__).with_suffix(".ran").touch()\n'
    for name in ("multiprocessing", "socket", "pickle", "random", "tornado", "distributed"):
        (home / f"{name}.py").write_text(trap)
    (home / "fleet.yaml").write_text("version: 1\nprojects:\n- { project: proj, manifests: scenario.yaml }\n")
    program = home.parent / "bin" / "scenario-apply.py"  # as pip installs it: its own folder is on the path, no other
    program.parent.mkdir()
    program.write_text(
        "import sys\nfrom scenario_apply.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SCENARIO_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, str(program), "fleet", "plan", "--local", "--engine", engine, "--max", "1"],
        cwd=home,
        env=kept | {"PYTHONPATH": f"{ROOT}:." if is_on_the_path else str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(home.glob("*.ran")) == []


def test_the_embedded_scenario_is_not_handed_credentials(home: Path) -> None:
    """What it needs to run is passed on, and nothing else."""
    secrets = {"SCENARIO_SDK_API_SECRET": "s1", "AWS_SECRET_ACCESS_KEY": "s2", "HTTPS_PROXY": "http://u:s3@proxy"}
    found = child_environment({**secrets, "PATH": "/bin", "LC_ALL": "C", "PYTHONPATH": f":.:rel:{home}"})
    assert found == {"PATH": "/bin", "LC_ALL": "C", "PYTHONPATH": f"{ROOT}{os.pathsep}{home}"}

"""Started without stdout or stderr, or with one that breaks, the tool does its work and its exit code is true."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scenario_apply.cli.standard_streams import OutputLost, put

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
MANIFEST = "version: 1\nmodels:\n  kael: { type: flux.1-lora, dataset: ./kael }\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "kael").mkdir()
    for suffix in ("jpg", "txt"):
        shutil.copy(PICTURES / f"01_dusk_portrait.{suffix}", tmp_path / "kael")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    return tmp_path


def run(project: Path, words: str, streams: str) -> subprocess.CompletedProcess[str]:
    """A command line whose streams the shell redirects."""
    line = f"{shlex.quote(sys.executable)} -P -m scenario_apply {words} {streams}"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "NO_COLOR": "1"}
    return subprocess.run(
        ["sh", "-c", line], cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("plan --no-refresh", 0), ("--version", 0), ("plan --bogus", 64)])
def test_a_closed_stream_is_as_dev_null(words: str, code: int, streams: str, project: Path) -> None:
    done = run(project, words, streams)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr


def test_no_file_takes_the_number_of_a_closed_stream(project: Path) -> None:
    """What is meant for the screen would be written into it."""
    assert run(project, "plan --no-refresh --out plan.json", "<&- >&- 2>&-").returncode == 0
    assert (project / "plan.json").read_text().startswith("{")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
@pytest.mark.parametrize("words", ["plan --no-refresh", "--help", "state --help", "status --no-refresh --format json"])
def test_an_answer_that_stdout_does_not_take_is_an_error_that_names_it(words: str, project: Path) -> None:
    done = run(project, words, ">/dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "the answer cannot be written to standard output: No space left" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
@pytest.mark.parametrize(("words", "code"), [("plan --no-refresh", 0), ("state list", 0), ("plan --bogus", 64)])
def test_what_stderr_does_not_take_changes_no_exit_code(words: str, code: int, project: Path) -> None:
    assert run(project, words, "2>/dev/full").returncode == code


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_only_stdout_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress that nobody sees must not end a run that pays."""
    monkeypatch.setattr(sys, "stdout", Broken())
    monkeypatch.setattr(sys, "stderr", Broken())
    put(sys.stderr, "progress")
    with pytest.raises(OutputLost, match="standard output: No space left on device"):
        put(sys.stdout, "answer")

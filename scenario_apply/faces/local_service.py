"""The embedded Scenario of --local, as a child process for the length of one command.

The child leaves when our end of its standard input closes, so that it survives no death of ours, however sudden. It
runs in a session of its own: Ctrl-C is for the command, which still has calls in flight.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from scenario_apply.errors import ScenarioApplyError

_READY_WITHIN_S = 15.0
_LEAVE_WITHIN_S = 5.0
_URL = re.compile(r"https?://\S+")


class LocalServiceFailed(ScenarioApplyError):
    """The embedded Scenario did not come up."""

    code = "local-service"


@contextmanager
def local_service(data: str, options: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """The base URL of an emulator that keeps what it holds in data. Raises LocalServiceFailed."""
    os.makedirs(data, exist_ok=True)
    command = [
        *(sys.executable, "-m", "scenario_apply.emulator", "--port", "0", "--data", data, "--until-stdin-closes"),
        *options,
    ]
    # without credentials and proxies of ours, which it has no use for
    child_environment = {key: value for key, value in environment.items() if not key.startswith("SCENARIO_")}
    child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        env=child_environment,
    )
    drains: list[threading.Thread] = []
    try:
        url = _ready_url(child)
        for stream in (child.stdout, child.stderr):  # a full pipe would stop the child
            drains.append(threading.Thread(target=_drain, args=(stream,), daemon=True))
            drains[-1].start()
        yield url
    finally:
        _stop(child)
        for drain in drains:
            drain.join(_LEAVE_WITHIN_S)
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()


def _ready_url(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    assert child.stderr is not None
    # a child that hangs closes nothing: the timer ends it, and with it the read below
    timer = threading.Timer(_READY_WITHIN_S, child.kill)
    timer.daemon = True
    timer.start()
    try:
        line = child.stdout.readline()
    finally:
        timer.cancel()
    found = _URL.search(line)
    if found is None:
        child.kill()
        last = (child.stderr.read().strip().splitlines() or ["it said nothing"])[-1]
        raise LocalServiceFailed(
            f"the embedded Scenario did not start: {last}",
            mend="scenario-apply emulator --port 0 shows more; the folder .scenario/emulator can be deleted",
        )
    return found[0].rstrip("/")


def _drain(stream: IO[str]) -> None:
    while stream.read(65536):
        pass


def _stop(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    try:
        child.stdin.close()
        child.wait(_LEAVE_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired):
        child.kill()
        child.wait()

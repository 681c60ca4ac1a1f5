"""The embedded Scenario of --local: a child process that lives as long as a command of this folder uses it.

The first command starts it, others join (`status --watch` beside an `apply`), and the last to leave ends it, whoever
started it. Each user holds the write end of a named pipe that is the child's standard input, so that it survives no
death of theirs, however sudden; and a shared lock, so that a leaving command knows whether it was the last. Starting,
joining and leaving happen one at a time, under a lock of the folder. The child runs in a session of its own: Ctrl-C is
for the command, which still has calls in flight.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from scenario_apply.errors import ScenarioApplyError

_READY_WITHIN_S = 15.0
_LEAVE_WITHIN_S = 5.0
_PAUSE_S = 0.02
_URL = re.compile(r"https?://\S+")

_HELD = "emulator.lock"  # the emulator's own: locked while it runs, and says where it listens
_PIPE = "emulator.stdin"
_USERS = "emulator.users"
_SAID = "emulator.stderr"

_PASSED_ON = {
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONHOME"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONUSERBASE", "PYTHONUTF8", "PYTHONWARNINGS"),
    "PYTHONDONTWRITEBYTECODE",
}

_left_behind: list[subprocess.Popen[bytes]] = []
"""Children that others still use when we leave; kept, so that nobody complains about them."""


class LocalServiceFailed(ScenarioApplyError):
    """The embedded Scenario did not come up."""

    code = "local-service"


@contextmanager
def local_service(data: str, options: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """The base URL of an emulator that keeps what it holds in data. Raises LocalServiceFailed.

    options are for a new one; one that runs already goes on with its own.
    """
    os.makedirs(data, exist_ok=True)
    users = os.open(os.path.join(data, _USERS), os.O_RDWR | os.O_CREAT, 0o600)
    child: subprocess.Popen[bytes] | None = None
    hold = -1
    try:
        with _one_at_a_time(data):
            fcntl.flock(users, fcntl.LOCK_SH)
            hold, url = _join(data)
            if url is None:
                child, hold, url = _start(data, options, environment)
        yield url
    finally:
        with _one_at_a_time(data):
            if hold >= 0:
                os.close(hold)
            if child is not None:
                _leave(child, users)
            os.close(users)


@contextmanager
def _one_at_a_time(data: str) -> Iterator[None]:
    folder = os.open(data, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _join(data: str) -> tuple[int, str | None]:
    """Our end of the running emulator's pipe (-1: it has none, and lives by itself) and its URL; None: none runs."""
    deadline = time.monotonic() + _LEAVE_WITHIN_S
    while _is_held(data):
        hold = _open_pipe(data)
        with open(os.path.join(data, _HELD), encoding="utf-8", errors="replace") as file:
            found = _URL.search(file.read())
        if found is not None:
            return hold, found[0].rstrip("/")
        if hold >= 0:
            os.close(hold)
        if time.monotonic() >= deadline:
            break  # starting one of our own tells what is wrong
        time.sleep(_PAUSE_S)  # on its way in or out
    return -1, None


def _is_held(data: str) -> bool:
    try:
        file = os.open(os.path.join(data, _HELD), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _open_pipe(data: str) -> int:
    try:
        return os.open(os.path.join(data, _PIPE), os.O_WRONLY | os.O_NONBLOCK)
    except OSError as problem:
        if problem.errno not in (errno.ENXIO, errno.ENOENT):  # nobody reads it: an emulator somebody runs by hand
            raise
        return -1


def _start(
    data: str, options: Sequence[str], environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], int, str]:
    # -P: no module is imported from the folder the command runs in
    command = [
        *(sys.executable, "-P", "-m", "scenario_apply.emulator"),
        *("--port", "0", "--data", data, "--until-stdin-closes"),
        *options,
    ]
    end, hold = _pipe(data)
    try:
        # what it says goes to a file: it may outlive us, and with us a pipe
        with open(os.path.join(data, _SAID), "wb") as said:
            child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                command,
                stdin=end,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
                env=child_environment(environment),
            )
    except BaseException:
        os.close(hold)
        raise
    finally:
        os.close(end)
    assert child.stdout is not None
    try:
        return child, hold, _ready_url(child, child.stdout, data)
    except BaseException:
        os.close(hold)
        child.kill()
        child.wait()
        raise
    finally:
        child.stdout.close()  # the ready line is all it ever writes there


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the emulator needs to run, and nothing else: no credentials of ours or of other programs, no proxies.

    PYTHONPATH: the folder of this package where it runs from a checkout, then the caller's absolute folders. An empty
    or a relative entry would be the folder the command runs in.
    """
    kept = {key: value for key, value in environment.items() if key in _PASSED_ON or key.startswith("LC_")}
    folders = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(folder)]
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if os.path.basename(package) not in ("site-packages", "dist-packages"):  # those the interpreter knows
        folders.insert(0, package)
    return kept | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(folders))}


def _pipe(data: str) -> tuple[int, int]:
    """What the child reads and what we hold."""
    path = os.path.join(data, _PIPE)
    try:
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return os.pipe()  # a file system without named pipes: nobody can join, all else works
    os.set_blocking(end, True)
    return end, os.open(path, os.O_WRONLY)


def _ready_url(child: subprocess.Popen[bytes], stdout: IO[bytes], data: str) -> str:
    # a child that hangs closes nothing: the timer ends it, and with it the read below
    timer = threading.Timer(_READY_WITHIN_S, child.kill)
    timer.daemon = True
    timer.start()
    try:
        line = stdout.readline().decode("utf-8", "replace")
    finally:
        timer.cancel()
    found = _URL.search(line)
    if found is None:
        child.kill()
        child.wait()
        with open(os.path.join(data, _SAID), encoding="utf-8", errors="replace") as file:
            last = (file.read().strip().splitlines() or ["it said nothing"])[-1]
        raise LocalServiceFailed(
            f"the embedded Scenario did not start: {last}",
            mend="scenario-apply emulator --port 0 shows more; the folder .scenario/emulator can be deleted",
        )
    return found[0].rstrip("/")


def _leave(child: subprocess.Popen[bytes], users: int) -> None:
    """Wait for the child's end, unless others still use it."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _left_behind.append(child)
        return
    try:
        child.wait(_LEAVE_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

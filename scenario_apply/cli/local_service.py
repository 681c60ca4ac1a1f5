"""The embedded Scenario of --local: a child process that lives as long as a command of this folder uses it.

The first command starts it, others join (`status --watch` beside an `apply`), and the last to leave ends it, whichever
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
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from scenario_apply.errors import ScenarioApplyError
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, hint_of, own_folder

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
"""Children that others still use when we leave; kept, so that Python does not warn about them."""


class LocalServiceFailed(ScenarioApplyError):
    """The embedded Scenario did not come up."""

    code = "local-service"


@contextmanager
def local_service(
    data: str, options: Sequence[str], environment: Mapping[str, str], *, within: str | None = None
) -> Iterator[str]:
    """The base URL of an emulator that keeps what it holds in data. Raises LocalServiceFailed.

    options are for a new one; one that runs already keeps its own. within: the manifest's folder, which data is
    in and below which no link is followed; None: data is resolved.
    """
    folder = own_folder(data, within=within)
    with _clear_errors():
        if within is not None:
            own_folder(os.path.dirname(data), within=within).ignore_all()
        users = folder.open(_USERS, os.O_RDWR | os.O_CREAT, create_folder=True)
    child: subprocess.Popen[bytes] | None = None
    hold = -1
    try:
        with _clear_errors(), _one_at_a_time(folder):
            fcntl.flock(users, fcntl.LOCK_SH)
            hold, url = _join(folder)
            if url is None:
                child, hold, url = _start(folder, options, environment)
        yield url
    finally:
        with _one_at_a_time(folder):
            if hold >= 0:
                os.close(hold)
            if child is not None:
                _leave(child, users)
            os.close(users)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """What the disk refuses, as an error that names the file and the way on."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        if error.filename is not None and not isinstance(error, UnsafeFile):
            what = f"{error.filename}: {what}"
        raise LocalServiceFailed(f"the embedded Scenario cannot keep its files: {what}", hint=hint_of(error)) from error


@contextmanager
def _one_at_a_time(folder: OwnFolder) -> Iterator[None]:
    with folder.opened() as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def _join(folder: OwnFolder) -> tuple[int, str | None]:
    """Our end of the running emulator's pipe (-1: it has none, and lives by itself) and its URL; None: none runs."""
    deadline = time.monotonic() + _LEAVE_WITHIN_S
    while _is_held(folder):
        hold = _open_pipe(folder)
        found = _URL.search(_text_of(folder, _HELD))
        if found is not None:
            return hold, found[0].rstrip("/")
        if hold >= 0:
            os.close(hold)
        if time.monotonic() >= deadline:
            break  # starting one of our own tells what is wrong
        time.sleep(_PAUSE_S)  # on its way in or out
    return -1, None


def _is_held(folder: OwnFolder) -> bool:
    try:
        file = folder.open(_HELD, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _text_of(folder: OwnFolder, name: str) -> str:
    return folder.read(name)[0].decode("utf-8", "replace")


def _open_pipe(folder: OwnFolder) -> int:
    try:
        return _pipe_end(folder, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as problem:
        if problem.errno not in (errno.ENXIO, errno.ENOENT):  # it has no reader: an emulator started by hand
            raise
        return -1


def _pipe_end(folder: OwnFolder, flags: int) -> int:
    """An end of the named pipe. Raises OSError, UnsafeFile among them for anything else in its place."""
    path = os.path.join(folder.path, _PIPE)
    with folder.opened() as descriptor:
        facts = os.stat(_PIPE, dir_fd=descriptor, follow_symlinks=False)
        if stat.S_ISFIFO(facts.st_mode):
            end = os.open(_PIPE, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
            if stat.S_ISFIFO(os.fstat(end).st_mode):
                return end
            os.close(end)
    raise UnsafeFile(path, "is not a named pipe of ours", f"delete {path}")


def _start(
    folder: OwnFolder, options: Sequence[str], environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], int, str]:
    # -P: no module is imported from the folder the command runs in
    command = [
        *(sys.executable, "-P", "-m", "scenario_apply.emulator"),
        *("--port", "0", "--data", folder.path, "--until-stdin-closes"),
        *options,
    ]
    end, hold = _pipe(folder)
    try:
        # what it says goes to a file: it may outlive us, and with us a pipe
        with os.fdopen(folder.open(_SAID, os.O_WRONLY | os.O_CREAT), "wb") as said:
            said.truncate(0)
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
        return child, hold, _ready_url(child, child.stdout, folder)
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


def _pipe(folder: OwnFolder) -> tuple[int, int]:
    """What the child reads and what we hold."""
    try:
        with folder.opened() as descriptor, suppress(FileExistsError):
            os.mkfifo(_PIPE, 0o600, dir_fd=descriptor)
        end = _pipe_end(folder, os.O_RDONLY | os.O_NONBLOCK)
    except UnsafeFile:
        raise
    except OSError:
        return os.pipe()  # a file system without named pipes: no other command can join, all else works
    os.set_blocking(end, True)
    return end, _pipe_end(folder, os.O_WRONLY)


def _ready_url(child: subprocess.Popen[bytes], stdout: IO[bytes], folder: OwnFolder) -> str:
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
        last = (_text_of(folder, _SAID).strip().splitlines() or ["it said nothing"])[-1]
        raise LocalServiceFailed(
            f"the embedded Scenario did not start: {last}",
            hint="scenario-apply emulator --port 0 shows more; the folder .scenario/emulator can be deleted",
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

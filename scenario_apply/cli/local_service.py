"""The embedded Scenario of --local: a child process that runs as long as a command uses its folder.

The first command starts it, others join it (`status --watch` beside an `apply`), and the last command to end stops it.
Each command holds two things. The first is the write end of a named pipe that is the child's standard input, so that
the child ends when all commands have ended, even if they were killed. The second is a shared lock, which tells a
command that ends whether it is the last one. Starting, joining and leaving are serialised by a lock on the folder. The
child has a session of its own, so that Ctrl-C reaches only the command, which may still have requests in flight.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from scenario_apply.errors import ScenarioApplyError, UsageError
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, hint_of, own_folder

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings

_READY_WITHIN_S = 60.0  # it takes a second, and many on a machine that does much else
_LEAVE_WITHIN_S = 5.0
_PAUSE_S = 0.02
_URL = re.compile(r"https?://\S+")

_HELD = "emulator.lock"  # written by the emulator: locked while it runs; contains its URL
_PIPE = "emulator.stdin"
_USERS = "emulator.users"
_SAID = "emulator.stderr"

_PASSED_ON = {
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONHOME"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONUSERBASE", "PYTHONUTF8", "PYTHONWARNINGS"),
    "PYTHONDONTWRITEBYTECODE",
}


class LocalServiceFailed(ScenarioApplyError):
    """The embedded Scenario did not start."""

    code = "local-service"


@contextmanager
def local_service(
    data: str, options: Sequence[str], environment: Mapping[str, str], *, within: str | None = None
) -> Iterator[str]:
    """Runs or joins an emulator that stores its data in a folder; yields its base URL. Raises LocalServiceFailed.

    data: the folder. options: command-line options; an emulator that is already running keeps its own. within: the
    manifest's folder, which contains data and below which no link is followed. None: links of data are resolved.
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


def copy_local_data(source: str, target: str, *, within: str) -> None:
    """Copies the folder of an emulator that is not running to a place that is not there yet.

    within: the folder that contains the target. Raises LocalServiceFailed.
    """
    folder = own_folder(source)
    with _clear_errors(), _one_at_a_time(folder):
        if _is_held(folder):
            hint = "wait for the command that uses it"
            raise LocalServiceFailed(f"the embedded Scenario in {source} is in use", hint=hint)
        own_folder(os.path.dirname(target), within=within).ignore_all()
        shutil.copytree(source, target, symlinks=True, ignore=_not_data)


def _not_data(folder: str, names: list[str]) -> list[str]:
    """What belongs to one process, and links."""
    ours = {_HELD, _PIPE, _USERS, _SAID}
    return [name for name in names if name in ours or os.path.islink(os.path.join(folder, name))]


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Turns an OSError into a LocalServiceFailed that names the file and gives a hint."""
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
    """The write end of the running emulator's pipe and its URL; None when no emulator is running.

    -1 instead of the pipe: the emulator was started by hand and has none.
    """
    deadline = time.monotonic() + _LEAVE_WITHIN_S
    while _is_held(folder):
        hold = _open_pipe(folder)
        found = _URL.search(_text_of(folder, _HELD))
        if found is not None:
            return hold, found[0].rstrip("/")
        if hold >= 0:
            os.close(hold)
        if time.monotonic() >= deadline:
            break  # starting an emulator then reports what is wrong
        time.sleep(_PAUSE_S)  # it is starting or stopping
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
        if problem.errno not in (errno.ENXIO, errno.ENOENT):  # ENXIO: no reader, since the emulator was started by hand
            raise
        return -1


def _pipe_end(folder: OwnFolder, flags: int) -> int:
    """Opens an end of the named pipe. Raises OSError; UnsafeFile when the path is not a named pipe."""
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
        # its stderr is a file: it may outlive this process, and a pipe would not
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
        child.stdout.close()  # it prints nothing but the ready line


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the emulator: only what a Python program needs, without credentials and proxies.

    PYTHONPATH: the folder of this package when it runs from a checkout, then the absolute folders of the caller's.
    Empty and relative entries are left out, because they would name the working folder.
    """
    kept = {key: value for key, value in environment.items() if key in _PASSED_ON or key.startswith("LC_")}
    folders = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(folder)]
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if os.path.basename(package) not in ("site-packages", "dist-packages"):  # the interpreter already searches those
        folders.insert(0, package)
    return kept | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(folders))}


def _pipe(folder: OwnFolder) -> tuple[int, int]:
    """Both ends of the pipe: the read end for the child, the write end for this process."""
    try:
        with folder.opened() as descriptor, suppress(FileExistsError):
            os.mkfifo(_PIPE, 0o600, dir_fd=descriptor)
        end = _pipe_end(folder, os.O_RDONLY | os.O_NONBLOCK)
    except UnsafeFile:
        raise
    except OSError:
        return os.pipe()  # the file system has no named pipes: other commands cannot join this emulator
    os.set_blocking(end, True)
    return end, _pipe_end(folder, os.O_WRONLY)


def _ready_url(child: subprocess.Popen[bytes], stdout: IO[bytes], folder: OwnFolder) -> str:
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        child.kill()  # ends the read below

    timer = threading.Timer(_READY_WITHIN_S, give_up)
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
        silence = f"it was not ready after {_READY_WITHIN_S:g} seconds" if is_late.is_set() else "it said nothing"
        last = (_text_of(folder, _SAID).strip().splitlines() or [silence])[-1]
        raise LocalServiceFailed(
            f"the embedded Scenario did not start: {last}",
            hint="scenario-apply emulator --port 0 shows more; the folder .scenario/emulator can be deleted",
        )
    return found[0].rstrip("/")


def _leave(child: subprocess.Popen[bytes], users: int) -> None:
    """Waits until the child has ended; in the background if other commands still use it, so that no zombie is left."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        threading.Thread(target=child.wait, daemon=True, name="emulator-end").start()
        return
    try:
        child.wait(_LEAVE_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def local_times(settings: Settings) -> list[str]:
    """Options of the embedded Scenario. Raises UsageError, which names the variable."""
    options = []
    for name, option, text in (
        ("SCENARIO_APPLY_LOCAL_TRAINING_SECONDS", "--training-seconds", settings.local_training_s),
        ("SCENARIO_APPLY_LOCAL_QUEUE_SECONDS", "--queue-seconds", settings.local_queue_s),
    ):
        if text is not None:
            try:
                is_good = 0 <= float(text) < float("inf")
            except ValueError:
                is_good = False
            if not is_good:
                raise UsageError(f"{name} is {text!r}, which is no number of seconds", hint=f"as in {name}=5")
            options += [option, text]
    if settings.local_queue_s is not None and float(settings.local_queue_s) > float(settings.local_training_s):
        raise UsageError(
            f"SCENARIO_APPLY_LOCAL_QUEUE_SECONDS is {settings.local_queue_s}, more than a training takes "
            f"({settings.local_training_s} s)",
            hint="the time in the queue is a part of SCENARIO_APPLY_LOCAL_TRAINING_SECONDS: set both",
        )
    return options

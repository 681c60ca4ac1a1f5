"""One run at a time: a lock file that says who holds it, bound to the process by the kernel.

The kernel frees the lock of a process that died, so a local leftover is taken over. One that names another machine
is believed: locks of network folders do not always cross machines.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from scenario_apply.errors import StateLocked, StateNotSaved
from scenario_apply.model.ports import Clock
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.state.stores.own_files import OwnFolder, hint_of
from scenario_apply.state.stores.state_folder import state_folder

RETRY_EVERY_S = 0.2
COPIED_AFTER_S = 3600.0
"""A lock is written once, when it is taken: a file that is so much younger was written by something else."""
LARGEST_LOCK_BYTES = 1 << 16

_LONGEST = 200
_TEXTS = ("who", "host", "since", "command")
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_WAIT = "wait for it with --lock-timeout S; if that run is surely gone, break it: scenario-apply force-unlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock: user, host, process, since when (ISO 8601), for which command."""

    who: str
    host: str
    pid: int
    since: str
    command: str

    def __str__(self) -> str:
        return f"{self.who} on {self.host} (process {self.pid}) since {self.since}: {self.command}"


class Lock:
    """A lock file. held: only between acquire and release."""

    def __init__(self, path: str, clock: Clock, folder: OwnFolder | None = None) -> None:
        """folder: the folder of the state, which path is in; None: path's own folder, resolved."""
        self.path = path
        self.clock = clock
        self._folder = folder or state_folder(path)
        self._name = os.path.basename(path)
        self._descriptor: int | None = None

    @contextlib.contextmanager
    def held(self, command: str, timeout_s: float = 0) -> Iterator[list[str]]:
        """Hold it; yields notes for the user. Raises StateLocked when another process does for timeout_s seconds."""
        notes = self.acquire(command, timeout_s)
        try:
            yield notes
        finally:
            self.release()

    def acquire(self, command: str, timeout_s: float) -> list[str]:
        deadline = self.clock.monotonic() + timeout_s
        while True:
            try:
                return self._try(command)
            except StateLocked:
                left = deadline - self.clock.monotonic()
                if left <= 0:
                    raise
                self.clock.wait(min(RETRY_EVERY_S, left))

    def release(self) -> None:
        if self._descriptor is None:
            return
        with contextlib.suppress(OSError):  # a folder that is gone holds no lock, and must not hide what else happened
            if self.is_mine():
                self._folder.unlink(self._name)
        os.close(self._descriptor)
        self._descriptor = None

    def was_broken(self) -> bool:
        """Whether this process held the lock and it was taken away."""
        return self._descriptor is not None and not self.is_mine()

    def is_mine(self) -> bool:
        """Whether the file still is the one this process locked: force-unlock takes it away."""
        if self._descriptor is None:
            return False
        try:
            return self._is_in_place(self._descriptor)
        except OSError:
            return False

    def _is_in_place(self, descriptor: int) -> bool:
        return os.path.samestat(os.fstat(descriptor), self._folder.look(self._name))

    def break_it(self) -> Holder | None:
        """Remove the lock file, even while it is held; returns the holder, or None. Of a link, the link itself.

        Raises StateNotSaved when it cannot be taken away.
        """
        holder = self.holder()
        try:
            self._folder.unlink(self._name)
        except FileNotFoundError:
            return None
        except OSError as error:
            why = f"the lock {self.path} cannot be removed: {error.strerror}"
            raise StateNotSaved(why, hint=hint_of(error, f"remove {self.path} by hand")) from error
        return holder or Holder(who="unknown", host="unknown", pid=0, since="unknown", command="unknown")

    def is_alive(self) -> bool:
        """Whether a process of this machine holds it now."""
        try:
            descriptor = self._folder.open(self._name, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks: none can be held there
            return False
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> Holder | None:
        """What the lock file says; None when there is none or it says nothing."""
        found = self._read()
        return None if found is None else found[0]

    def _read(self) -> tuple[Holder, int | None, os.stat_result] | None:
        """The holder, the inode the file had when it was written, and the file's facts."""
        try:
            content, facts = self._folder.read(self._name, LARGEST_LOCK_BYTES)
            plain = json.loads(content)
            holder = Holder(pid=int(plain["pid"]), **{key: _line(plain[key]) for key in _TEXTS})
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None
        inode = plain.get("inode")
        return holder, inode if type(inode) is int else None, facts

    def _try(self, command: str) -> list[str]:
        try:
            descriptor = self._folder.open(self._name, os.O_RDWR | os.O_CREAT, create_folder=True)
        except OSError as error:
            raise self._cannot("opened", error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._locked() from None
            except OSError as error:
                raise self._cannot("taken", error) from error
            try:
                same = self._is_in_place(descriptor)
            except OSError:
                same = False
            if not same:  # its holder let go, or it was broken, between open and lock
                raise self._locked()
            before = self.holder()
            if before is not None and before.host != socket.gethostname():
                raise self._locked()
            try:
                self._write(descriptor, command)
            except OSError as error:
                raise self._cannot("written", error) from error
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        if before is None:
            return []
        return [f"took over the lock of a process that is gone: {before}"]

    def _write(self, descriptor: int, command: str) -> None:
        plain = {
            "who": _user(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": iso(self.clock.now()),
            "command": command,
            "inode": os.fstat(descriptor).st_ino,  # a copy of the file has another one
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(plain).encode(), 0)
        os.fsync(descriptor)

    def _locked(self) -> StateLocked:
        found = self._read()
        if found is None:
            return StateLocked("the state is locked by another run", hint=_WAIT)
        holder, inode, facts = found
        what = f"the state is locked by {holder}"
        if holder.host == socket.gethostname() or not _is_copy(holder, inode, facts):
            return StateLocked(what, hint=_WAIT)
        return StateLocked(
            f"{what}; the lock file {self.path} looks like a copy, as a checkout or a backup makes one",
            hint="if that run is surely gone, remove the file from version control (git rm --cached) and break the "
            "lock: scenario-apply force-unlock",
        )

    def _cannot(self, what: str, error: OSError) -> StateNotSaved:
        """The error of a lock that no run could have, with the way on."""
        if error.errno in _NO_LOCKS:
            way = "the file system there offers no file locks: keep the state on another one with --state FILE"
        elif error.errno == errno.ENOSPC:
            way = "free some space on the disk"
        else:
            way = "the state's folder and its lock must be writable for you; --state FILE keeps the state elsewhere"
        return StateNotSaved(f"the lock {self.path} cannot be {what}: {error.strerror}", hint=hint_of(error, way))


def _is_copy(holder: Holder, inode: int | None, facts: os.stat_result) -> bool:
    """Whether a lock file is not the one its holder wrote. It is a sign, no proof: some network file systems give a
    file another inode on each machine, and clocks differ. So it changes the words only, never who holds the lock."""
    if inode is not None and inode != facts.st_ino:
        return True
    since = from_iso(holder.since)
    return since is not None and facts.st_mtime - since > COPIED_AFTER_S


def _line(value: object) -> str:
    """A text of a lock file, which is shown. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

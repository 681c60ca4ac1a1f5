"""Lets one run at a time use a state: a lock file that names its holder and is locked with flock.

The kernel releases the lock when its process ends, so a lock file left behind on this machine is taken over. A lock
file of another machine counts as held: on network file systems, flock may not work across machines.
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
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from scenario_apply.errors import StateLocked, StateNotSaved
from scenario_apply.model.ports import Clock
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.state.stores.own_files import OwnFolder, hint_of
from scenario_apply.state.stores.state_folder import state_folder

RETRY_EVERY_S = 0.2
COPIED_AFTER_S = 3600.0
"""Seconds. A lock file is written when the lock is acquired; one modified this much later is a copy."""
LARGEST_LOCK_BYTES = 1 << 16

_LONGEST = 200
_TEXTS = ("who", "host", "since", "command")
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
LOCK_HINT = "wait for it with --lock-timeout S; if that run is surely gone, break it: scenario-apply force-unlock"


class Holder(Struct, frozen=True, kw_only=True):
    """The holder of a lock: user, host, process id, start time (ISO 8601) and command.

    Some stores do not know all of it: a text is "" then, the process id 0.
    """

    who: str
    host: str
    pid: int
    since: str
    command: str

    def __str__(self) -> str:
        host = f" on {self.host}" if self.host else ""
        process = f" (process {self.pid})" if self.pid else ""
        since = f" since {self.since}" if self.since else ""
        return f"{self.who}{host}{process}{since}{f': {self.command}' if self.command else ''}"


def this_process(command: str, clock: Clock) -> Holder:
    """This process, as the holder of a lock that it takes now."""
    return Holder(who=_user(), host=socket.gethostname(), pid=os.getpid(), since=iso(clock.now()), command=command)


class Lock:
    """The lock of one state, held between acquire() and release()."""

    def __init__(self, path: str, clock: Clock, folder: OwnFolder | None = None) -> None:
        """folder: the state's folder, which contains path. None: the folder of path, with links resolved."""
        self.path = path
        self.clock = clock
        self._folder = folder or state_folder(path)
        self._name = os.path.basename(path)
        self._descriptor: int | None = None

    @contextlib.contextmanager
    def held(self, command: str, timeout_s: float = 0) -> Iterator[list[str]]:
        """Holds the lock during the block and yields notes for the user. Raises as acquire() does."""
        notes = self.acquire(command, timeout_s)
        try:
            yield notes
        finally:
            self.release()

    def acquire(self, command: str, timeout_s: float) -> list[str]:
        """Acquires the lock and returns notes for the user, for example that a leftover lock was taken over.

        command: the command line to record. Raises StateLocked when another run still holds the lock after timeout_s
        seconds, and StateNotSaved when the lock file cannot be written.
        """
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
        with contextlib.suppress(OSError):  # a deleted folder contains no lock; an error here would hide an earlier one
            if self.is_mine():
                self._folder.unlink(self._name)
        os.close(self._descriptor)
        self._descriptor = None

    def was_broken(self) -> bool:
        """Whether this process acquired the lock and force-unlock has removed it since."""
        return self._descriptor is not None and not self.is_mine()

    def is_mine(self) -> bool:
        """Whether the lock file is still the one that this process locked; force-unlock removes it."""
        if self._descriptor is None:
            return False
        try:
            return self._is_in_place(self._descriptor)
        except OSError:
            return False

    def _is_in_place(self, descriptor: int) -> bool:
        return os.path.samestat(os.fstat(descriptor), self._folder.look(self._name))

    def break_it(self) -> Holder | None:
        """Removes the lock file, even while it is locked. Returns its holder, or None if there was no lock file.

        A link is removed, not its target. Raises StateNotSaved when the file cannot be removed.
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
        """Whether a process of this machine holds the lock now."""
        try:
            descriptor = self._folder.open(self._name, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # the file system does not support locks, so none is held
            return False
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> Holder | None:
        """The holder that the lock file names; None without a lock file or with one that cannot be read."""
        found = self._read()
        return None if found is None else found[0]

    def _read(self) -> tuple[Holder, int | None, os.stat_result] | None:
        """The holder, the inode that the lock file had when it was written, and its stat result."""
        try:
            content, facts = self._folder.read(self._name, LARGEST_LOCK_BYTES)
            plain = json.loads(content)
            holder = holder_in(plain)
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
            if not same:  # the file was removed or replaced after it was opened
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
            **asdict(this_process(command, self.clock)),
            "inode": os.fstat(descriptor).st_ino,  # a copy of the file has a different inode
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(plain).encode(), 0)
        os.fsync(descriptor)

    def _locked(self) -> StateLocked:
        found = self._read()
        if found is None:
            return StateLocked("the state is locked by another run", hint=LOCK_HINT)
        holder, inode, facts = found
        what = f"the state is locked by {holder}"
        if holder.host == socket.gethostname() or not _is_copy(holder, inode, facts):
            return StateLocked(what, hint=LOCK_HINT)
        return StateLocked(
            f"{what}; the lock file {self.path} looks like a copy, as a checkout or a backup makes one",
            hint="if that run is surely gone, remove the file from version control (git rm --cached) and break the "
            "lock: scenario-apply force-unlock",
        )

    def _cannot(self, what: str, error: OSError) -> StateNotSaved:
        """The error for a lock file that cannot be used, with a hint."""
        if error.errno in _NO_LOCKS:
            way = "the file system there offers no file locks: keep the state on another one with --state FILE"
        elif error.errno == errno.ENOSPC:
            way = "free some space on the disk"
        else:
            way = "the state's folder and its lock must be writable for you; --state FILE keeps the state elsewhere"
        return StateNotSaved(f"the lock {self.path} cannot be {what}: {error.strerror}", hint=hint_of(error, way))


def _is_copy(holder: Holder, inode: int | None, facts: os.stat_result) -> bool:
    """Whether a lock file looks like a copy of the one that its holder wrote.

    This is an indication, not a proof: some network file systems show different inodes on each machine, and clocks
    differ. It therefore changes the message only, never the decision who holds the lock.
    """
    if inode is not None and inode != facts.st_ino:
        return True
    since = from_iso(holder.since)
    return since is not None and facts.st_mtime - since > COPIED_AFTER_S


def holder_in(plain: Any) -> Holder:
    """The holder that the JSON of a lock names, its texts shortened. Raises as reading wrong JSON does."""
    return Holder(pid=int(plain["pid"]), **{key: _line(plain[key]) for key in _TEXTS})


def _line(value: object) -> str:
    """A text of a lock file, shortened for messages. Raises TypeError for another value."""
    if not isinstance(value, str):
        raise TypeError
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

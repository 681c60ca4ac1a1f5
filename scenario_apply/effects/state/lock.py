"""One run at a time: a lock file that says who holds it, bound to the process by the kernel.

The kernel frees the lock of a process that died, so a local leftover is taken over. One that names another machine
is believed: locks of network folders do not always cross machines.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from scenario_apply.core.times import iso
from scenario_apply.effects.ports import Clock
from scenario_apply.errors import StateLocked, StateNotSaved

RETRY_EVERY_S = 0.2


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

    def __init__(self, path: str, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self._descriptor: int | None = None

    @contextlib.contextmanager
    def held(self, command: str, timeout_s: float = 0) -> Iterator[list[str]]:
        """Hold it; yields notes for the user. Raises StateLocked when somebody else does for timeout_s seconds."""
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
                os.unlink(self.path)
        os.close(self._descriptor)
        self._descriptor = None

    def was_broken(self) -> bool:
        """Whether this process held the lock and somebody took it away."""
        return self._descriptor is not None and not self.is_mine()

    def is_mine(self) -> bool:
        """Whether the file still is the one this process locked: force-unlock takes it away."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self.path))
        except OSError:
            return False

    def break_it(self) -> Holder | None:
        """Take the lock file away, whoever holds it; who that was, None when nobody did."""
        holder = self.holder()
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return None
        return holder or Holder(who="unknown", host="unknown", pid=0, since="unknown", command="unknown")

    def is_alive(self) -> bool:
        """Whether a process of this machine holds it now."""
        try:
            descriptor = os.open(self.path, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> Holder | None:
        """What the lock file says; None when there is none or it says nothing."""
        try:
            with open(self.path, encoding="utf-8") as file:
                plain = json.load(file)
            return Holder(**{key: plain[key] for key in Holder.__dataclass_fields__})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _try(self, command: str) -> list[str]:
        try:
            os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateNotSaved(f"the lock {self.path} cannot be written: {error.strerror}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._locked() from None
            try:
                same = os.path.samestat(os.fstat(descriptor), os.stat(self.path))
            except FileNotFoundError:
                same = False
            if not same:  # its holder let go, or it was broken, between open and lock
                raise self._locked()
            before = self.holder()
            if before is not None and before.host != socket.gethostname():
                raise self._locked()
            self._write(descriptor, command)
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
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(plain).encode(), 0)
        os.fsync(descriptor)

    def _locked(self) -> StateLocked:
        holder = self.holder()
        whom = f"by {holder}" if holder is not None else "by another run"
        return StateLocked(
            f"the state is locked {whom}",
            mend="wait for it with --lock-timeout S; if that run is surely gone, break it: scenario-apply force-unlock",
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

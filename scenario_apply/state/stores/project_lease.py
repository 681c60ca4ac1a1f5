"""Keeps two runs of a fleet apart: a lease of one (endpoint, project) in the folder of its states, for a whole run.

The tasks of a run are different processes, and nothing of it runs while trainings are waited for. So the lease is a
file with an end, which each task renews. It is free again at that end, once it is given up, or when the coordinator
that it names was a process of this machine and is gone. The file is only changed while it is locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping

from msgspec import Struct

from scenario_apply.errors import StateLocked, StateNotSaved
from scenario_apply.model.ports import Clock
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.state.stores.lock import LARGEST_LOCK_BYTES, RETRY_EVERY_S, Holder
from scenario_apply.state.stores.own_files import OwnFolder, hint_of

_WAIT = "wait for it with --lock-timeout S; it is free again when that run ends, or when its lease expires"


class ProjectLease(Struct, frozen=True, kw_only=True):
    """folder: of the states. name: the file in it. run: what tells this run of a fleet from others; holder: who it is.

    holds_s: seconds from a renewal to the end.
    """

    folder: OwnFolder
    name: str
    run: str
    holder: Holder
    clock: Clock
    holds_s: float

    def take(self, timeout_s: float = 0) -> None:
        """Take or renew it. Raises StateLocked, which names the run that holds it, after timeout_s seconds."""
        deadline = self.clock.monotonic() + timeout_s
        while True:
            try:
                return self._try()
            except StateLocked:
                left = deadline - self.clock.monotonic()
                if left <= 0:
                    raise
                self.clock.wait(min(RETRY_EVERY_S, left))

    def give_up(self) -> None:
        """Remove it, if it is this run's."""
        with contextlib.suppress(OSError, StateNotSaved), self._locked() as descriptor:
            if _read(descriptor).get("run") == self.run:
                self.folder.unlink(self.name)

    def _try(self) -> None:
        with self._locked() as descriptor:
            held = _read(descriptor)
            if held and held.get("run") != self.run and not self._is_over(held):
                raise StateLocked(f"another run of a fleet works on this project: {_named(held)}", hint=_WAIT)
            now = self.clock.now()
            plain = {
                "run": self.run,
                "who": self.holder.who,
                "host": self.holder.host,
                "pid": self.holder.pid,
                "since": self.holder.since,
                "command": self.holder.command,
                "until": iso(now + self.holds_s),
            }
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(plain).encode(), 0)
            os.fsync(descriptor)

    def _is_over(self, held: Mapping[str, object]) -> bool:
        until = from_iso(str(held.get("until")))
        if until is None or until <= self.clock.now():
            return True
        pid = held.get("pid")
        return held.get("host") == socket.gethostname() and type(pid) is int and not is_alive(pid)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, made if need be and locked for a moment. Raises StateNotSaved."""
        while True:
            try:
                descriptor = self.folder.open(self.name, os.O_RDWR | os.O_CREAT, create_folder=True)
            except OSError as error:
                raise StateNotSaved(
                    f"the lease {self.name} cannot be written: {error.strerror}", hint=hint_of(error)
                ) from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if self._is_in_place(descriptor):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _is_in_place(self, descriptor: int) -> bool:
        """Whether it was not removed while its lock was waited for."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.folder.look(self.name))
        except FileNotFoundError:
            return False


def _read(descriptor: int) -> dict[str, object]:
    """What the file says; nothing for an empty or a damaged one."""
    try:
        plain = json.loads(os.pread(descriptor, LARGEST_LOCK_BYTES, 0))
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _named(held: Mapping[str, object]) -> str:
    who, host, pid, since, command = (str(held.get(key))[:200] for key in ("who", "host", "pid", "since", "command"))
    return f"{who} on {host} (process {pid}) since {since}: {command}"


def is_alive(pid: int) -> bool:
    """Whether a process of this machine has that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True

"""A disk that dies, tears a write, or is full, at the n-th operation on a folder. Patches the os module."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.fakes.wire import Killed

How = Literal["before", "after", "torn"]
"""torn: half of a write's bytes arrive; for any other operation the same as before."""

OPERATIONS = ("open", "write", "fsync", "replace", "unlink")


class Disk:
    """Strikes at one operation below a folder. lasting: every operation after it is refused, too.

    error: an errno, or None for the death of the process. operations: those that count.
    """

    def __init__(
        self,
        folder: Path,
        *,
        at: int,
        how: How = "before",
        error: int | None = None,
        lasting: bool = True,
        operations: tuple[str, ...] = OPERATIONS,
    ) -> None:
        self.folder = os.path.realpath(folder)
        self.at = at
        self.how = how
        self.error = error
        self.lasting = lasting
        self.operations = operations
        self.count = 0
        self.struck: str | None = None

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name in OPERATIONS:
            patch.setattr(f"os.{name}", self._watched(name, getattr(os, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(target: Any, *args: Any, **named: Any) -> Any:
            if name not in self.operations or not self._is_ours(name, target, args, named):
                # a killed process needs no power: fsync only costs time here
                return None if name == "fsync" else real(target, *args, **named)
            self.count += 1
            if self.struck is not None and self.lasting:
                raise self._refusal()
            if self.count != self.at:
                return None if name == "fsync" else real(target, *args, **named)
            self.struck = f"{name} {target if isinstance(target, str) else ''}"
            if self.how == "after":
                real(target, *args, **named)
            elif self.how == "torn" and name == "write":
                written = real(target, args[0][: len(args[0]) // 2])
                if self.error is not None:
                    return written
            raise self._refusal()

        return operation

    def _is_ours(self, name: str, target: Any, args: tuple[Any, ...], named: dict[str, Any]) -> bool:
        if name == "open" and not args[0] & os.O_CREAT:
            return False
        folder = named.get("dir_fd", named.get("src_dir_fd"))
        within = os.getcwd() if folder is None else os.readlink(f"/proc/self/fd/{folder}")
        path = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else os.path.join(within, target)
        # the lock is the kernel's: it lets go of a dead holder, which cannot be played within one process; what comes
        # with the first one, the folder's .gitignore, may fail
        return path.startswith(self.folder) and not path.endswith((".lock", ".gitignore"))

    def _refusal(self) -> BaseException:
        if self.error is None:
            return Killed()
        return OSError(self.error, os.strerror(self.error))


FULL = errno.ENOSPC
READ_ONLY = errno.EROFS

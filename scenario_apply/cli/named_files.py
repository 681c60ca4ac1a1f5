"""Files that the command line names: --out, --events, --state, init --out.

The command line is trusted, the repository is not. A path that leads out of the repository is followed as the caller
wrote it. On a path inside it no link is followed, since the link may have come with a pull request: below the
manifest's folder, else below the top of the Git checkout, else below the current folder.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, TextIO

from msgspec import Struct

if TYPE_CHECKING:
    from scenario_apply.state.stores.own_files import OwnFolder

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/([0-9]{1,6})")
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}


def untrusted_top(path: str, cwd: str, root: str | None = None) -> str | None:
    """The folder below which links on the way to path are not followed; None for a path outside the repository.

    root: the manifest's folder, where it is known.
    """
    whole = os.path.abspath(os.path.join(cwd, path))
    here = os.path.abspath(cwd)
    for top in (root, None if root is None else checkout_of(root), checkout_of(here), here):
        if top is not None and top != os.sep and whole.startswith(top.rstrip(os.sep) + os.sep):
            return top
    return None


def checkout_of(folder: str) -> str | None:
    """The top of the Git checkout that a folder lies in."""
    here = os.path.abspath(folder)
    while True:
        if os.path.lexists(os.path.join(here, ".git")):
            return here
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


class NamedFile(Struct, frozen=True, kw_only=True):
    """A file to be written, in a folder that is resolved or followed without links."""

    folder: OwnFolder
    name: str

    def read(self, most: int) -> bytes | None:
        """What it holds; None where there is nothing. Raises OSError."""
        try:
            return self.folder.read(self.name, most)[0]
        except FileNotFoundError:
            return None

    def open_new(self) -> TextIO:
        """A file that was not there. Raises OSError."""
        descriptor = self.folder.open(self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        return os.fdopen(descriptor, "w", encoding="utf-8")

    def open_again(self) -> TextIO:
        """The file, emptied, or a new one. Raises OSError."""
        descriptor = self.folder.open(self.name, os.O_WRONLY | os.O_CREAT, 0o666)
        os.ftruncate(descriptor, 0)
        return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")


def named_file(path: str, cwd: str, root: str | None = None) -> NamedFile:
    """The file an option names. A link is followed where the path lies outside the repository. Raises OSError."""
    from scenario_apply.state.stores.own_files import UnsafeFile, own_folder

    whole = os.path.abspath(os.path.join(cwd, path))
    top = untrusted_top(path, cwd, root)
    if top is None and os.path.islink(whole):
        owner = os.lstat(whole).st_uid
        if owner not in (os.geteuid(), 0):
            raise UnsafeFile(whole, f"is a link of user {owner}", "name the file it leads to")
        if not os.path.exists(whole):
            raise UnsafeFile(
                whole, f"is a link to {os.readlink(whole)}, which is not there", f"delete the link {whole}"
            )
        whole = os.path.realpath(whole)
    folder, name = os.path.split(whole)
    return NamedFile(folder=own_folder(folder, within=top), name=name)


def open_stream(path: str, cwd: str, root: str | None = None) -> TextIO | None:
    """A device, a pipe or a stream of this process, ready to write to; None for a place that holds files.

    The same rule for links. A named pipe waits for its reader. Raises OSError.
    """
    whole = os.path.abspath(os.path.join(cwd, path))
    found = _DESCRIPTOR.fullmatch(whole)
    number = int(found[1]) if found else _STREAMS.get(whole)
    if number is not None:
        return _text(os.dup(number))
    is_link = os.path.islink(whole)
    if is_link and untrusted_top(path, cwd, root) is not None:
        return None  # named_file refuses it
    if not is_stream(path, cwd):
        return None
    descriptor = os.open(whole, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC | (0 if is_link else os.O_NOFOLLOW))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):  # changed since it was looked at
        os.close(descriptor)
        return None
    return _text(descriptor)


def is_stream(path: str, cwd: str) -> bool:
    """Whether a path leads to a device, a pipe, a socket or a stream of this process: nothing there is lost."""
    whole = os.path.abspath(os.path.join(cwd, path))
    if whole in _STREAMS or _DESCRIPTOR.fullmatch(whole):
        return True
    try:
        mode = os.stat(whole).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _text(descriptor: int) -> TextIO:
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")

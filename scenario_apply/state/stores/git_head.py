"""The commit checked out around a folder, read from Git's own files: HEAD, refs and packed-refs.

No git program is run. Git takes configuration from the folder it is asked about, and some of that configuration names
programs (core.fsmonitor, filters, hooks): a foreign folder could run one with our environment.
"""

from __future__ import annotations

import os
import re
import stat
from typing import NamedTuple

from scenario_apply.manifest.loader.listing import is_within

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SMALL_BYTES = 4096
_PACKED_BYTES = 16 << 20
_LONGEST_CHAIN = 5  # symbolic references that name one another; Git itself follows as many
_SHOWN_DIGITS = 12


class GitCheckout(NamedTuple):
    """top: of its files. common: the folder with references and objects. commit: its id; None before the first one."""

    top: str
    common: str
    commit: str | None


def commit_of(folder: str) -> str | None:
    """The first twelve digits of the commit that is checked out; None outside a checkout or before its first commit.

    A bare repository is no checkout, and a folder that looks like one is passed over. Never raises.
    """
    checkout = checkout_of(folder)
    return None if checkout is None or checkout.commit is None else checkout.commit[:_SHOWN_DIGITS]


def checkout_of(folder: str) -> GitCheckout | None:
    """The checkout that a folder is in; None where there is none. Never raises."""
    try:
        found = _git_folder(os.path.realpath(folder))
        if found is None:
            return None
        top, git = found
        common = _common_folder(git)
        return GitCheckout(top, common, _resolve(git, common, "HEAD"))
    except (OSError, ValueError):  # ValueError: a NUL byte in a name
        return None


def _git_folder(folder: str) -> tuple[str, str] | None:
    """The top of the checkout that folder is in, and where its HEAD is: in `.git`, or where the file `.git` says."""
    while True:
        inside = os.path.join(folder, ".git")
        if os.path.isfile(inside):  # of a linked worktree or a submodule
            key, _, path = (read_git_file(folder, ".git") or "").partition(":")
            if key != "gitdir" or not path.strip():
                return None
            return folder, os.path.realpath(os.path.join(folder, path.strip()))
        if os.path.isfile(os.path.join(inside, "HEAD")):
            return folder, os.path.realpath(inside)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _common_folder(git: str) -> str:
    """The folder with the shared references; a linked worktree has only its own HEAD."""
    path = read_git_file(git, "commondir")
    return git if not path else os.path.realpath(os.path.join(git, path))


def _resolve(git: str, common: str, name: str) -> str | None:
    """The id that a reference stands for."""
    for _ in range(_LONGEST_CHAIN):
        text = read_git_file(git, name) or read_git_file(common, name) or _packed(common, name)
        if text is None:
            return None
        if not text.startswith("ref:"):
            return text if _ID.fullmatch(text) else None
        name = text.removeprefix("ref:").strip()
        if not _is_reference(name):
            return None
    return None


def _is_reference(name: str) -> bool:
    """Whether it is the name of a reference: such a name cannot lead out of the folder of references."""
    first, *others = name.split("/")
    return first == "refs" and bool(others) and all(part and part[0] != "." and part.isprintable() for part in others)


def _packed(common: str, name: str) -> str | None:
    """The id beside a name in packed-refs."""
    ending = f" {name}"
    for line in (read_git_file(common, "packed-refs", _PACKED_BYTES) or "").splitlines():
        if line.endswith(ending) and _ID.fullmatch(line.removesuffix(ending)):
            return line.removesuffix(ending)
    return None


def read_git_file(folder: str, name: str, most_bytes: int = _SMALL_BYTES) -> str | None:
    """The text of a regular file of one of Git's folders, without blanks around it; None where there is none so small.

    Never one that a link leads to outside of the folder.
    """
    path = os.path.realpath(os.path.join(folder, name))
    if not is_within(path, os.path.realpath(folder)):  # a link to a file of the machine
        return None
    try:
        # without O_NONBLOCK the opening of a named pipe would wait for a writer
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        data = file.read(most_bytes + 1)
    return None if len(data) > most_bytes else data.decode("utf-8", "replace").strip()

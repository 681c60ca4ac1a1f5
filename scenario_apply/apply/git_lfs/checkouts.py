"""Finds the Git checkout around a folder, without running git."""

from __future__ import annotations

import os

from msgspec import Struct

from scenario_apply.manifest.loader.listing import is_within
from scenario_apply.state.stores.git_head import read_git_file


class Checkout(Struct, frozen=True):
    """top: its folder. git: Git's folder with objects and configuration. head: with HEAD; another one in a worktree.

    All are absolute, with links followed.
    """

    top: str
    git: str
    head: str

    def path_of(self, real: str) -> str:
        """A file as git-lfs names it: relative to the top, POSIX."""
        return os.path.relpath(real, self.top).replace(os.sep, "/")


def checkout_around(folder: str) -> Checkout | None:
    """The checkout that a folder is in; None without one, or where `.git` leads to a folder that is not of this one.

    Otherwise a folder unpacked from an archive could name any other repository of this machine.
    """
    here = os.path.realpath(folder)
    while True:
        dot = os.path.join(here, ".git")
        if os.path.lexists(dot):
            return None if os.path.islink(dot) else _of_dot_git(here, dot)
        parent = os.path.dirname(here)
        if parent == here:
            return None
        here = parent


def _of_dot_git(top: str, dot: str) -> Checkout | None:
    if os.path.isdir(dot):
        return Checkout(top, dot, dot)
    key, _, path = (read_git_file(top, ".git") or "").partition(":")
    if key != "gitdir" or not path.strip():
        return None
    head = os.path.realpath(os.path.join(top, path.strip()))
    shared = os.path.realpath(os.path.join(head, read_git_file(head, "commondir") or "."))
    if shared != head:
        # of a linked worktree: the repository itself names it
        back = read_git_file(head, "gitdir")
        is_ours = os.path.dirname(head) == os.path.join(shared, "worktrees") and back is not None
        return (
            Checkout(top, shared, head) if is_ours and os.path.realpath(os.path.join(head, back or "")) == dot else None
        )
    return Checkout(top, head, head) if _is_of_a_parent(top, head) else None


def _is_of_a_parent(top: str, git: str) -> bool:
    """Whether Git's folder lies in that of a checkout around this one: top is a submodule."""
    parent = os.path.dirname(top)
    while True:
        dot = os.path.join(parent, ".git")
        if os.path.isdir(dot) and not os.path.islink(dot) and is_within(git, os.path.join(dot, "modules")):
            return True
        if parent == os.path.dirname(parent):
            return False
        parent = os.path.dirname(parent)

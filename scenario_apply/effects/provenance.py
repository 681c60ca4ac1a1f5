"""Who did it, and from which checkout: for the state's history."""

from __future__ import annotations

import os

from scenario_apply.core.state import Entry, State
from scenario_apply.core.times import iso
from scenario_apply.effects.ports import Clock

GIT_WITHIN_S = 2.0


def noted(
    state: State, clock: Clock, *, command: str, what: str, manifest: str | None = None, root: str | None = None
) -> State:
    """The state with a line of history for the save that comes next. root: folder that may lie in a Git checkout."""
    entry = Entry(
        serial=state.serial + 1,
        at=iso(clock.now()),
        who=whoami(),
        command=command,
        what=what,
        manifest=manifest,
        commit=None if root is None else commit_of(root),
    )
    return state.noting(entry)


def whoami() -> str:
    """user@host."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def commit_of(root: str) -> str | None:
    """The commit checked out around a folder, with a "+" when the folder has uncommitted changes; None without Git."""
    import subprocess

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603  # fixed words; git is found on PATH like everybody's
                ["git", "-C", root, *words],  # noqa: S607
                capture_output=True,
                text=True,
                timeout=GIT_WITHIN_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "--short=12", "HEAD")
    if commit is None:
        return None
    return f"{commit}+" if git("status", "--porcelain", "--", ".") else commit

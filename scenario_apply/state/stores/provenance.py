"""Who did it, and from which checkout: for the state's history."""

from __future__ import annotations

import os

from scenario_apply.model.ports import Clock
from scenario_apply.model.timestamps import iso
from scenario_apply.state.state import HistoryEntry, State
from scenario_apply.state.stores.git_head import commit_of


def noted(
    state: State, clock: Clock, *, command: str, what: str, manifest: str | None = None, root: str | None = None
) -> State:
    """The state with a line of history for the save that comes next. root: folder that may lie in a Git checkout."""
    entry = HistoryEntry(
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

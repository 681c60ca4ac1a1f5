"""The folder of a state: where its journal, lock and backups lie, too."""

from __future__ import annotations

import os

from scenario_apply.state.stores.own_files import STATE_IGNORES, OwnFolder, own_folder


def state_folder(path: str, within: str | None = None) -> OwnFolder:
    """The folder of the state file at path. within: the folder below which no link is followed; None: its own."""
    return own_folder(os.path.dirname(os.path.abspath(path)), within=within, ignores=STATE_IGNORES)

"""The Git checkout around a folder."""

from __future__ import annotations

import os


def checkout_of(folder: str) -> str | None:
    """The Git checkout that a folder belongs to; None outside of any.

    Git lets no repository bring a .git of its own.
    """
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder

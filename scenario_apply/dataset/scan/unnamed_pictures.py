"""Finds pictures whose names do not say that they are pictures: 06.png_large, 07.png?w=1200, 08."""

from __future__ import annotations

import os
from collections.abc import Sequence

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.sniff import is_picture
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_MOST_OPENED = 500
_HEAD_BYTES = 32
_MOST_NAMED = 5


def unnamed_pictures(guard: DataGuard, entries: Sequence[FileEntry]) -> tuple[Finding, ...]:
    """One F14 finding for all files that are pictures by content. entries: files of unknown endings."""
    found = [entry for entry in entries[:_MOST_OPENED] if is_picture(_head(guard, entry.file))]
    if not found:
        return ()
    names = ", ".join(name_of(entry.file) for entry in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    one = len(found) == 1
    look = "1 file looks like a picture and is" if one else f"{len(found)} files look like pictures and are"
    what = f"{look} not part of the dataset: {names}{more}"
    hint = "rename them to names that end in .png, .jpg or .webp, or list them under `exclude:`"
    return (Finding("F14", what, found[0].file, hint=hint),)


def _head(guard: DataGuard, file: str) -> bytes:
    """The first bytes; none of a file that cannot or must not be read, which is then no picture of the dataset."""
    try:
        handle = guard.open(file)
    except (OSError, ValueError):
        return b""
    try:
        return os.read(handle, _HEAD_BYTES)
    except OSError:
        return b""
    finally:
        os.close(handle)

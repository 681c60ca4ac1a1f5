"""Folders of other trainers whose pictures lie one or two folders down: numbered folders, and splits of a dataset.

Looked for only where the folder itself holds no picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from scenario_apply.manifest.loader.listing import Folder, subfolders_of
from scenario_apply.model.file_names import is_image_name
from scenario_apply.model.folder_names import TRAIN_SPLITS, repeats_of

_OF_KOHYA_SS = "img"
"""The folder that kohya_ss makes for numbered folders, beside log, model and reg."""
_MOST_LISTED = 200


class Layout(NamedTuple):
    """folders: below the listed one, with pictures. kind: of Convention; "" where nothing is recognised."""

    kind: str
    folders: tuple[Folder, ...] = ()


def layout_below(top: Folder, list_folder: Callable[[str], Folder]) -> Layout:
    """How the pictures below a folder without pictures are kept. list_folder: lists one folder, by absolute path."""
    if any(is_image_name(row[0]) for row in top.rows):
        return Layout("")
    names = subfolders_of(top)

    def listed(within: Iterable[str]) -> tuple[Folder, ...]:
        found = (list_folder(os.path.join(top.path, name))._replace(within=name) for name in within)
        return tuple(folder for folder in found if any(is_image_name(row[0]) for row in folder.rows))

    numbered = [name for name in names if repeats_of(name)]
    if not numbered and _OF_KOHYA_SS in names:
        inner = subfolders_of(list_folder(os.path.join(top.path, _OF_KOHYA_SS)))
        numbered = [f"{_OF_KOHYA_SS}/{name}" for name in inner if repeats_of(name)]
    if numbered and (folders := listed(numbered[:_MOST_LISTED])):
        return Layout("repeat-folders", folders)
    if folders := listed([name for name in names if name.lower() in TRAIN_SPLITS]):
        return Layout("split-folder", folders)
    return Layout("")

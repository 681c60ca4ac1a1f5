"""Writes the captions and instructions of an exported dataset beside its pictures. Nothing is written over."""

from __future__ import annotations

import os
from collections.abc import Collection

from scenario_apply.dataset.scan.caption_writing import NotWritten, create_caption_file
from scenario_apply.planning.export_layout import ExportedDataset, NotExported
from scenario_apply.state.stores.own_files import own_folder

_MOST_BYTES = 1 << 20


def write_texts(root: str, dataset: ExportedDataset, without: Collection[str]) -> list[NotExported]:
    """What could not be written. root: the folder that the folder of the dataset is in.

    without: paths of pictures that are not there, whose captions would be orphans.
    """
    problems = []
    for stem, text in dataset.texts.items():
        file = f"{dataset.key}/{stem}.txt"
        content = text.replace("\0", "").encode("utf-8", "replace") + b"\n"
        if stem in without or _holds(root, file, content):
            continue
        try:
            create_caption_file(root, file, content)
        except NotWritten as refused:
            why = "it exists with another content, and is not overwritten" if refused.is_taken else str(refused)
            problems.append(NotExported(file, why))
    return problems


def _holds(root: str, file: str, content: bytes) -> bool:
    """Whether an earlier run wrote it."""
    folder, name = os.path.split(os.path.join(root, file))
    try:
        return own_folder(folder, within=root).read(name, _MOST_BYTES)[0] == content
    except OSError:
        return False

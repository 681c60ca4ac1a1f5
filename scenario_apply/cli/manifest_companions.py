"""What init finds and writes beside a first manifest: captions, the schema for editors, and a .gitignore."""

from __future__ import annotations

import os
import stat
from collections import Counter
from importlib.resources import files

from scenario_apply.cli.named_files import named_file
from scenario_apply.model.file_names import CAPTION_TABLE_STEMS, METADATA_FILES, is_table_name
from scenario_apply.model.folder_names import repeats_of
from scenario_apply.review.screen import counted
from scenario_apply.state.stores.own_files import own_folder

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif", ".tiff", ".bmp", ".gif")
NO_CAPTIONS = "no captions, Scenario writes them"
SCHEMA_LINE = "# yaml-language-server: $schema=.scenario/manifest.schema.json"
"""For editors with a YAML language server; the path is relative to the manifest."""

_SIDECARS, _TABLES = (".txt", ".caption", ".json"), (".jsonl", ".csv", ".tsv")
_TABLES_ABOVE = ("metadata.jsonl", "metadata.csv", "metadata.tsv")
_MOST_BYTES = 10 << 20  # of a table that is looked into
_IGNORED = """\
# Written by scenario-apply init. Commit state/: it says what exists.
.scenario/
*.plan.json
"""


def captions_found(folder: str) -> str:
    """In words: '8 captions in .txt files, 2 images without one', 'captions in metadata.jsonl', or NO_CAPTIONS.

    A table counts by its usual name, or if it names captions of pictures: a price list beside them does not.
    """
    names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    stems = {os.path.splitext(name)[0].lower() for name in names if name.lower().endswith(PICTURES)}
    sidecars: Counter[str] = Counter()
    tables = []
    for name in names:
        stem, ending = os.path.splitext(name)
        if ending.lower() in _SIDECARS and (stem.lower() in stems or os.path.splitext(stem)[0].lower() in stems):
            sidecars[ending.lower()] += 1
        elif _may_hold_captions(folder, name):
            tables.append(name)
    parts = [f"{count} caption{'s' if count > 1 else ''} in {ending} files" for ending, count in sidecars.items()]
    parts += [f"captions in {name}" for name in tables]
    lacking = sum(name.lower().endswith(PICTURES) for name in names) - sidecars.total()
    if sidecars and not tables and lacking > 0:
        parts.append(f"{counted(lacking, 'image')} without one")
    if not stems:
        below = [os.path.join(folder, name) for name in names if repeats_of(name) is not None]
        found = map(captions_found, filter(os.path.isdir, below))
        return next((captions for captions in found if captions != NO_CAPTIONS), NO_CAPTIONS)
    if not parts:
        above = os.path.dirname(folder)
        parts = [f"captions in ../{name}" for name in _TABLES_ABOVE if os.path.isfile(os.path.join(above, name))]
    return ", ".join(parts) or NO_CAPTIONS


def _may_hold_captions(folder: str, name: str) -> bool:
    stem, ending = os.path.splitext(name.lower())
    if name.lower() in METADATA_FILES or (stem == "captions" and is_table_name(name)):
        return True
    is_table = ending in _TABLES or (stem in CAPTION_TABLE_STEMS and is_table_name(name))
    return is_table and _is_caption_table(os.path.join(folder, name))


def _is_caption_table(path: str) -> bool:
    """Whether a file has a row with the caption of a picture, as far as it can be read."""
    from scenario_apply.dataset.captions.decode import decode
    from scenario_apply.dataset.captions.tables import caption_rows, read_table

    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            content = file.read(_MOST_BYTES + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except OSError:
        return False
    text = decode(content, file=path, encoding="utf-8") if len(content) <= _MOST_BYTES else ""
    if not isinstance(text, str):
        return False
    rows, _ = caption_rows(read_table(text, file=path), file=path)
    return any(row.key.lower().endswith(PICTURES) and row.text for row in rows)


def write_companions(root: str, cwd: str) -> list[str]:
    """Write the schema for editors into .scenario/, which Git ignores, and a .gitignore unless there is one.

    The paths that were written. Raises OSError, UnsafeFile among them for links.
    """
    folder = own_folder(os.path.join(root, ".scenario"), within=root)
    folder.ignore_all()
    schema = files("scenario_apply").joinpath("manifest", "manifest.schema.json").read_bytes()
    with os.fdopen(folder.open("manifest.schema.json", os.O_WRONLY | os.O_CREAT), "wb") as file:
        file.truncate(0)
        file.write(schema)
    ignored = os.path.join(root, ".gitignore")
    try:
        with named_file(ignored, cwd).open_new() as text:
            text.write(_IGNORED)
    except FileExistsError:
        return []  # of the user's own; .scenario/ ignores itself
    return [ignored]

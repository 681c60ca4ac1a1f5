"""Writes caption files: whole or not at all, never through a link, and nothing over what a person wrote.

A new file takes a name only while nothing has it. A file that is replaced must still be what was read before.
"""

from __future__ import annotations

import errno
import os
import stat

from scenario_apply.state.stores.atomic import create_atomically, write_atomically
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, own_folder


class NotWritten(Exception):
    """A caption file that was left as it is; the text says why and continues "01.txt: ".

    is_taken: only because something has its name; others may be written.
    """

    def __init__(self, why: str, *, is_taken: bool = False) -> None:
        super().__init__(why)
        self.is_taken = is_taken


def check_new_file(root: str, file: str) -> None:
    """Raises NotWritten where a new file could not be made now, before anything is paid for what goes into it."""
    folder, name = _place(root, file)
    try:
        if folder.has(name):
            raise NotWritten("it exists already", is_taken=True)
        with folder.opened() as handle:
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=handle):
                raise NotWritten("its folder may not be written to")
    except OSError as error:
        raise NotWritten(_why(error)) from error


def create_caption_file(root: str, file: str, content: bytes) -> None:
    """A new file. file: relative to the root. Raises NotWritten when anything has that name, or it may not be made."""
    folder, name = _place(root, file)
    try:
        create_atomically(folder, name, content, mode=0o666)
    except FileExistsError as error:
        raise NotWritten("it exists already", is_taken=True) from error
    except OSError as error:
        raise NotWritten(_why(error)) from error


def replace_caption_file(root: str, file: str, content: bytes, *, before: bytes) -> None:
    """Another content for a file, which keeps its mode. before: what it has to hold. Raises NotWritten."""
    folder, name = _place(root, file)
    try:
        held, facts = folder.read(name)
        if held != before:
            raise NotWritten("it was changed meanwhile")
        if facts.st_nlink > 1:
            raise NotWritten("it has another name, too (a hard link)")
        write_atomically(folder, name, content, mode=stat.S_IMODE(facts.st_mode), exact_mode=True)
    except OSError as error:
        raise NotWritten(_why(error)) from error


def read_own_file(root: str, file: str) -> bytes:
    """What a file holds that is to be replaced, read through no link. Raises NotWritten."""
    folder, name = _place(root, file)
    try:
        return folder.read(name)[0]
    except OSError as error:
        raise NotWritten(_why(error)) from error


def _place(root: str, file: str) -> tuple[OwnFolder, str]:
    if file.startswith(("/", "../")) or "/../" in file:
        raise NotWritten("it lies outside the manifest's folder, where nothing is written")
    folder, name = os.path.split(os.path.join(root, file))
    return own_folder(folder, within=root), name


def _why(error: OSError) -> str:
    if isinstance(error, UnsafeFile):
        return str(error.strerror)
    if error.errno == errno.ENOTDIR:
        return "its folder is a file, such as a zip, where nothing is written"
    return f"it cannot be written: {error.strerror or error}"

"""Reads caption files."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from scenario_apply.dataset.captions.gather import Reader
from scenario_apply.dataset.captions.parquet_tables import ENDING
from scenario_apply.dataset.scan.barriers import refusal_finding
from scenario_apply.manifest.loader.data_guard import Barred
from scenario_apply.manifest.loader.open_folders import FileOpener
from scenario_apply.model.git_content import is_pointer
from scenario_apply.model.lint_rules import Finding

_MOST_BYTES = 32 << 20
_PIECE_BYTES = 1 << 20
_BESIDE = "name one table; caption files of single images belong beside their images, where they are found"


def caption_reader(files: FileOpener, refused: Mapping[str, Finding]) -> Reader:
    """A function that reads a caption file, given relative to the root, or returns a finding.

    Of a parquet file it gives the rows as JSON lines.
    refused: files that must not be read, with the finding that says why.
    """

    def read(file: str) -> bytes | Finding:
        if file in refused:
            return refused[file]
        # os.read makes three system calls where open() makes six, which matters for thousands of small files.
        try:
            handle = files.open(file)
        except Barred as error:
            return refusal_finding(error.barrier, file, file)
        except FileNotFoundError:
            is_pattern = any(sign in file for sign in "*?[")
            hint = _BESIDE if is_pattern else "paths are relative to the manifest's folder"
            return Finding("C18", f"{file} does not exist", file, hint=hint)
        except (OSError, ValueError) as error:  # ValueError: a NUL byte
            other = getattr(error, "errno", None) == errno.EINVAL  # a folder, a pipe
            what = f"{file} cannot be read: {getattr(error, 'strerror', error)}"
            return Finding("C18", what, file, hint=_BESIDE if other else None)
        try:
            data = os.read(handle, _PIECE_BYTES)
            while (
                len(data) % _PIECE_BYTES == 0 and (more := os.read(handle, _PIECE_BYTES)) and len(data) <= _MOST_BYTES
            ):
                data += more
        except OSError as error:
            return Finding("C18", f"{file} cannot be read: {error.strerror}", file)
        finally:
            os.close(handle)
        if len(data) > _MOST_BYTES:
            return Finding("C18", f"{file} has more than {_MOST_BYTES >> 20} MB, too much for a caption file", file)
        return _readable(data, file)

    return read


def _readable(data: bytes, file: str) -> bytes | Finding:
    if not file.lower().endswith(ENDING) or is_pointer(data):
        return data
    from scenario_apply.dataset.scan.parquet_process import parquet_rows

    return parquet_rows(data, file=file)

"""Reads captions from parquet files with pyarrow, the extra [parquet]: as JSON lines, which the table readers know.

Texts stay encoded by their dictionary while they are read, so that a small file cannot grow without bounds.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from scenario_apply.dataset.captions.table_entries import MOST_ROWS
from scenario_apply.model.lint_rules import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = ".parquet"
INSTALL = "pip install 'scenario-apply[parquet]' (pipx: pipx inject scenario-apply pyarrow), or export it as CSV"
_MOST_BYTES = 64 << 20  # of the columns, unpacked, and of their texts together
_MOST_COLUMNS = 50
_ROWS_AT_ONCE = 20_000  # each time, pyarrow copies the dictionary of the texts so far


def can_read_parquet() -> bool:
    """Whether pyarrow is installed."""
    return find_spec("pyarrow") is not None


def parquet_lines(data: bytes, *, file: str) -> str | Finding:
    """The rows as JSON lines, with the columns that hold texts and numbers. Row n is line n.

    C18 where pyarrow is missing, for a file that holds the pictures themselves, for a damaged and for a large one.
    """
    if not can_read_parquet():
        return Finding("C18", f"{file} is a parquet file, which is read with pyarrow", file, hint=INSTALL)
    import pyarrow

    try:
        return _lines(data, file)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError, MemoryError) as error:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        return Finding("C18", f"{file} cannot be read as parquet: {why}", file)


def _lines(data: bytes, file: str) -> str | Finding:
    from pyarrow import BufferReader, types
    from pyarrow.parquet import ParquetFile

    with ParquetFile(BufferReader(data)) as opened:
        schema = opened.schema_arrow
        of_pictures = [field.name for field in schema if _holds_bytes(field.type)]
        if of_pictures:
            what = f"{file} holds the pictures themselves, in the column {of_pictures[0]}: they are not read from there"
            return Finding("C18", what, file, hint="export them as files, with a metadata.csv of file_name and text")
        is_text = {field.name: types.is_string(field.type) or types.is_large_string(field.type) for field in schema}
        plain = [f.name for f in schema if is_text[f.name] or _is_number(f.type)][:_MOST_COLUMNS]
        lists = [field.name for field in schema if field.name == "tags" and not is_text[field.name]]
        if lists:
            what = f"{file}: the column tags does not hold text"
            return Finding("C18", what, file, hint='write it as "tag, tag", or export the table as CSV')
        if opened.metadata.num_rows > MOST_ROWS or _unpacked_bytes(opened) > _MOST_BYTES:
            what = f"{file} has more than {MOST_ROWS:,} rows or {_MOST_BYTES >> 20} MB of texts"
            return Finding("C18", what, file, hint="export the columns file_name and text alone")
    texts = [name for name in plain if is_text[name]]
    with ParquetFile(BufferReader(data), read_dictionary=texts) as opened:
        lines, size = [], 0
        for line in _rows(opened, plain):
            size += len(line)
            if size > _MOST_BYTES:
                return Finding("C18", f"{file} has more than {_MOST_BYTES >> 20} MB of texts", file)
            lines.append(line)
    return "\n".join(lines)


def _rows(opened: Any, columns: list[str]) -> Iterator[str]:
    for batch in opened.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns, use_threads=False):
        held = [_values(batch.column(at)) for at in range(batch.num_columns)]
        for row in zip(*held, strict=True):
            yield json.dumps(
                {name: value for name, value in zip(batch.schema.names, row, strict=True) if value is not None}
            )


def _values(column: Any) -> list[Any]:
    """The values of a column. Equal texts are one object."""
    if not hasattr(column, "dictionary"):
        return list(column.to_pylist())
    from pyarrow import array, int64

    indices = column.indices.to_pylist()
    used = list({index for index in indices if index is not None})
    known = dict(zip(used, column.dictionary.take(array(used, int64())).to_pylist(), strict=True))
    return [None if index is None else known[index] for index in indices]


def _unpacked_bytes(opened: Any) -> int:
    """Of all columns. Sizes of single columns are not asked for: pyarrow ends the process where they are damaged."""
    metadata = opened.metadata
    return sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _holds_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(types.is_binary(kind.field(at).type) for at in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind))

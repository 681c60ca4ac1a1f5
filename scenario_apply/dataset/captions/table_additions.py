"""Adds captions to a table or map of them, and leaves every byte that was there: or does not add them at all.

What is added is read again before it counts: the old rows have to be as they were, and the new ones as they are meant.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

from scenario_apply.dataset.captions.csv_tables import header_of
from scenario_apply.dataset.captions.table_entries import FILE_COLUMNS, TEXT_COLUMNS, column_name
from scenario_apply.dataset.captions.tables import caption_rows, read_table
from scenario_apply.model.file_names import suffix_of


def with_captions(text: str, added: Mapping[str, str], *, file: str) -> str | None:
    """The text of a table with these captions, by file name relative to its folder; None where it cannot be extended.

    file: its name, whose ending says how it is written.
    """
    ending = suffix_of(file)
    longer: str | None
    if ending in (".yaml", ".yml"):
        longer = _with_lines(text, [f"{_quoted(key)}: {_quoted(caption)}" for key, caption in added.items()])
    elif ending in (".jsonl", ".ndjson"):
        longer = _with_lines(text, _objects(text, added))
    elif ending == ".json":
        longer = _with_members(text, added)
    elif ending in (".csv", ".tsv"):
        longer = _with_records(text, added, file)
    else:
        return None
    return longer if longer is not None and _holds_both(text, longer, added, file) else None


def _holds_both(text: str, longer: str, added: Mapping[str, str], file: str) -> bool:
    (before, known), (after, found) = (caption_rows(read_table(one, file=file), file=file) for one in (text, longer))
    rows = [*((row.key, row.text) for row in before), *added.items()]
    return longer.startswith(text[: text.rfind("}")] if suffix_of(file) == ".json" else text) and (
        [(row.key, row.text) for row in after] == rows and len(found) == len(known)
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _with_lines(text: str, lines: list[str]) -> str:
    end = _line_end(text)
    return text + ("" if not text or text.endswith("\n") else end) + "".join(line + end for line in lines)


def _objects(text: str, added: Mapping[str, str]) -> list[str]:
    """Lines of JSON with the names that the last line of the table uses."""
    names = (FILE_COLUMNS[0], TEXT_COLUMNS[0])
    for line in reversed(text.splitlines()):
        try:
            held = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(held, dict):
            names = _columns([str(name) for name in held]) or names
            break
    objects = ({names[0]: key, names[1]: caption} for key, caption in added.items())
    return [json.dumps(held, ensure_ascii=False) for held in objects]


def _columns(written: list[str]) -> tuple[str, str] | None:
    """The names of the column of pictures and of captions, as they are written."""
    by_name = {column_name(name): name for name in reversed(written)}
    picture = next((by_name[name] for name in FILE_COLUMNS if name in by_name), None)
    caption = next((by_name[name] for name in TEXT_COLUMNS if name in by_name), None)
    return None if picture is None or caption is None else (picture, caption)


def _with_members(text: str, added: Mapping[str, str]) -> str | None:
    """A JSON object with more members."""
    close = text.rfind("}")
    held = text[:close].rstrip() if close > 0 else ""
    if not held:
        return None
    end = _line_end(text)
    members = f",{end}".join(f"  {_quoted(key)}: {_quoted(caption)}" for key, caption in added.items())
    comma = "" if held.endswith("{") else ","
    return f"{held}{comma}{end}{members}{end}{text[close:]}"


def _with_records(text: str, added: Mapping[str, str], file: str) -> str | None:
    """A CSV table with more rows, in which all other columns are empty."""
    header, delimiter = header_of(text, file)
    names = _columns(header)
    if names is None:
        return None
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=_line_end(text))
    for key, caption in added.items():
        writer.writerow([{names[0]: key, names[1]: caption}.get(name, "") for name in header])
    return _with_lines(text, []) + out.getvalue()

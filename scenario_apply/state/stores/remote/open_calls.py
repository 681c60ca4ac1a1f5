"""The record of one call in a store: the lines of the run's journal that another machine needs to continue from it.

A record holds the lines of its own call, and those of calls that ended since the record before it, each with its number
in the journal. So all records of a run, and the state, together hold the journal up to the last call that was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from scenario_apply.errors import StateDamaged
from scenario_apply.model import codec
from scenario_apply.model.codec import Count, Misfit
from scenario_apply.state.stores.journal_lines import Line, RunLine


class NumberedLine(Struct, frozen=True, kw_only=True):
    """A line of a journal. line: its number, from 1."""

    line: Count
    entry: Line


def call_record(lines: Iterable[NumberedLine]) -> bytes:
    """A record of these lines."""
    return b"".join(codec.line(line) for line in sorted(lines, key=lambda line: line.line))


def lines_of_run(records: Iterable[tuple[str, bytes]], run: str | None, shown: str) -> Mapping[int, Line]:
    """The lines of a run, in order. records: of any runs, with their names. Raises StateDamaged."""
    found: dict[int, Line] = {}
    for name, content in records:
        lines = _read(name, content, shown)
        if run_of_record(lines) == run:
            found |= {line.line: line.entry for line in lines}
    return {number: found[number] for number in sorted(found)}


def names_of_run(records: Iterable[tuple[str, bytes]], run: str | None, shown: str) -> list[str]:
    """The names of the records of a run. Raises StateDamaged."""
    return [name for name, content in records if run_of_record(_read(name, content, shown)) == run]


def run_of_records(records: Iterable[tuple[str, bytes]], shown: str) -> str | None:
    """The run that began last of those that left records; None without any. Raises StateDamaged."""
    heads = [lines[0].entry for name, content in records if (lines := _read(name, content, shown))]
    begun = [head for head in heads if isinstance(head, RunLine)]
    return max(begun, key=lambda head: head.ts).run if begun else None


def run_of_record(lines: list[NumberedLine]) -> str | None:
    first = lines[0].entry if lines else None
    return first.run if isinstance(first, RunLine) else None


def _read(name: str, content: bytes, shown: str) -> list[NumberedLine]:
    try:
        return [codec.decoded(text, NumberedLine) for text in content.split(b"\n") if text]
    except Misfit as misfit:
        raise StateDamaged(
            f"the record {name} of a call, beside the state {shown}, is damaged: {misfit}",
            hint="it holds a request of a run that did not end: restore it from a version that the store keeps; else "
            "keep a copy, delete it, and adopt what that run made with import: blocks",
        ) from misfit

"""Samples for `samples show`: a table for a terminal, and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from scenario_apply.model import codec
from scenario_apply.model.amounts import amount
from scenario_apply.review.image_lines import quoted_caption
from scenario_apply.review.sample_rows import RowStatus, SampleRow
from scenario_apply.review.sample_words import settings_text
from scenario_apply.review.screen import Color, Screen, columns, fit, pad, safe, wrap

STATUS_WORDS: Mapping[RowStatus, str] = {
    "drawn": "drawn",
    "drawing": "being drawn",
    "failed": "failed",
    "missing": "missing",
    "untrained": "not trained yet",
}
_COLORS: Mapping[RowStatus, Color] = {"drawn": "green", "drawing": "cyan", "failed": "red", "missing": "yellow"}
_LEAST_NAME, _LEAST_PROMPT = 6, 24
_FORMAT_VERSION = "1.0"


def sample_rows_text(rows: Sequence[SampleRow], screen: Screen) -> str:
    """By resource and version: each sample with its status, price and prompt. verbose: seeds, bases and files, too."""
    if not rows:
        return "No samples are declared or recorded.\n"
    lines: list[str] = []
    for _, group in groupby(rows, key=lambda row: (row.address, row.version, row.is_current)):
        lines += [*([""] if lines else []), *_version_lines(list(group), screen)]
    return "\n".join([*lines, "", _summary(rows)]) + "\n"


def _version_lines(rows: Sequence[SampleRow], screen: Screen) -> list[str]:
    first = rows[0]
    title = str(first.address) if first.version is None else f"{first.address} version {first.version}"
    about = [f"epoch {first.epoch}"] if first.is_current and first.epoch is not None else []
    about += [] if first.is_current else ["earlier"]
    title = f"{title} ({', '.join(about)})" if about else title
    name_width = min(max(_LEAST_NAME, *(columns(safe(row.name)) for row in rows)), max(12, screen.width // 4))
    status_width = max(columns(_status(row)) for row in rows)
    cost_width = max(columns(_cost(row)) for row in rows)
    lines = [screen.paint(safe(title), "bold")]
    for row in sorted(rows, key=lambda one: not one.declared):
        lines += _row_lines(row, (name_width, status_width, cost_width), screen)
    return lines


def _row_lines(row: SampleRow, widths: tuple[int, int, int], screen: Screen) -> list[str]:
    name_width, status_width, cost_width = widths
    status = screen.paint(_status(row), _COLORS.get(row.status)) + " " * (status_width - columns(_status(row)))
    cost = " " * (cost_width - columns(_cost(row))) + _cost(row)
    start = f"  {pad(fit(safe(row.name), name_width), name_width)}  {status}  {cost}  "
    used = 2 + name_width + 2 + status_width + 2 + cost_width + 2
    room = max(_LEAST_PROMPT, screen.width - used)
    texts = quoted_caption(row.prompt, room, screen)
    below: list[str] = []
    if row.status == "failed" and row.reason:
        below += wrap(safe(row.reason), screen.width - 6)
    if screen.verbose:
        below += wrap(safe(_details(row)), screen.width - 6)
        below += [safe(picture.file or f"{picture.asset_id}: no small copy here") for picture in row.pictures]
    return [start + texts[0], *(" " * used + text for text in texts[1:]), *(f"      {text}" for text in below)]


def _status(row: SampleRow) -> str:
    return STATUS_WORDS[row.status] + ("" if row.declared else ", not declared")


def _cost(row: SampleRow) -> str:
    if row.cu is None:
        return "? CU" if row.status in ("missing", "failed") else ""
    about = "about " if row.cost_source in ("history", "estimate") else ""
    return f"{about}{amount(row.cu)} CU"


def _details(row: SampleRow) -> str:
    parts = [settings_text(row.seed, row.settings), *([row.base] if row.base else []), *([row.at] if row.at else [])]
    return ", ".join(parts)


def _summary(rows: Iterable[SampleRow]) -> str:
    """'3 drawn, 1 missing. 32.25 CU were charged; drawing the others costs 10.75 CU.'"""
    rows = list(rows)
    counts = Counter(row.status for row in rows)
    told = ", ".join(f"{counts[status]:,} {word}" for status, word in STATUS_WORDS.items() if counts[status])
    charged = sum(row.cu or 0 for row in rows if row.cost_source == "charged")
    sentences = [f"{told}."]
    if charged:
        sentences.append(f"{amount(charged)} CU charged.")
    return " ".join(sentences)


def sample_rows_json(rows: Sequence[SampleRow]) -> str:
    """Readers must ignore fields they do not know."""
    counts = Counter(row.status for row in rows)
    document = {
        "format_version": _FORMAT_VERSION,
        "summary": {status: counts[status] for status in STATUS_WORDS},
        "samples": [_values(row) for row in rows],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _values(row: SampleRow) -> dict[str, object]:
    values: dict[str, object] = codec.plain(row)
    return {**values, "settings": codec.plain(row.settings), "address": str(row.address)}

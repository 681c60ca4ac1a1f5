"""A comparison for a terminal or a log: how many pictures there are of each prompt, and how far apart they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from scenario_apply.review.comparison_view import NOTES, CellView, ColumnHead, Comparison
from scenario_apply.review.screen import Screen, columns, counted, fit, safe, wrap

_LONGEST_NOTE = 100
_LABEL, _GAP = 26, 2
_LEAST, _MOST = 13, 30  # columns of a terminal for each column of the table
_PROMPT = 400  # columns of a prompt, unless everything is asked for

_Cells = Sequence[Sequence[str]]
"""One line of the table: of each column, its texts one below the other."""


def comparison_text(view: Comparison, screen: Screen) -> str:
    """As many tables as the width needs, then what the numbers are and what failed."""
    if not view.rows:
        return f"{safe(view.title)}: no samples\n"
    room = screen.width - _LABEL
    longest = max((columns(word) for head in view.columns for word in safe(head.title).split()), default=0)
    least = min(max(_LEAST, longest), _MOST)
    most = max(1, room // (least + _GAP))
    count = -(-len(view.columns) // -(-len(view.columns) // most))  # tables of about the same width
    counts = f"{counted(len(view.columns), 'column')}, {counted(len(view.rows), 'sample')}"
    lines = _sentence(f"{safe(view.title)}: {counts}", screen)
    labels = row_labels([safe(row.name) for row in view.rows])
    for start in range(0, len(view.columns), count):
        lines += ["", *_table(view, range(start, min(start + count, len(view.columns))), screen, labels)]
    return "\n".join([*lines, *_below(view, screen, labels)]) + "\n"


def row_labels(names: Sequence[str]) -> list[str]:
    """The names of rows, with a number where a prompt was changed and an earlier row has the name."""
    seen: Counter[str] = Counter()
    labels = []
    for name in names:
        seen[name] += 1
        labels.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return labels


def _table(view: Comparison, shown: range, screen: Screen, labels: Sequence[str]) -> Iterator[str]:
    heads = [view.columns[at] for at in shown]
    wide = min(_MOST, (screen.width - _LABEL) // len(heads) - _GAP)
    yield from _line("", [[safe(head.title)] for head in heads], wide, screen, bold=True)
    if any(head.place for head in heads):
        yield from _line("", [[head.place] for head in heads], wide, screen)
    for name in dict.fromkeys(name for head in heads for name, _ in head.facts):
        yield from _line(safe(name), [[safe(dict(head.facts).get(name, ""))] for head in heads], wide, screen)
    for label in NOTES:
        if any(label in head.notes for head in heads):
            yield from _line(
                label, [[fit(safe(head.notes.get(label, "")), _LONGEST_NOTE)] for head in heads], wide, screen
            )
    for row, name in zip(view.rows, labels, strict=True):
        cells = [row.cells[at] for at in shown]
        yield from _line(name, [_count(cell) for cell in cells], wide, screen, bold_label=True)
        yield from _distances("from the one before", [_from_previous(cell) for cell in cells], wide, screen)
        yield from _distances("from the dataset", [_from_dataset(cell) for cell in cells], wide, screen)


def _line(
    label: str,
    cells: Sequence[Sequence[str]],
    wide: int,
    screen: Screen,
    *,
    bold: bool = False,
    bold_label: bool = False,
) -> Iterator[str]:
    wrapped = [[line for text in cell for line in wrap(text, wide)] for cell in cells]
    labels = [fit(label, _LABEL - _GAP)]
    for name, *parts in zip_longest(labels, *wrapped, fillvalue=""):
        shown = screen.paint(name, "bold") if bold_label else name
        texts = "".join(
            " " * _GAP + screen.paint(part, "bold" if bold else None) + " " * (wide - columns(part)) for part in parts
        )
        yield f"{shown}{' ' * (_LABEL - _GAP - columns(name))}{texts}".rstrip()


def _distances(label: str, numbers: Sequence[str], wide: int, screen: Screen) -> Iterator[str]:
    if any(numbers):
        yield from _line(f"  {label}", [[number] for number in numbers], wide, screen)


def _count(cell: CellView) -> list[str]:
    if cell.missing:
        return [cell.missing.partition(":")[0]]  # why is below the table
    if not cell.pictures:
        return [""]
    return [counted(len(cell.pictures), "picture"), *([safe(cell.note)] if cell.note else [])]


def _from_previous(cell: CellView) -> str:
    return _numbers([picture.from_previous for picture in cell.pictures])


def _from_dataset(cell: CellView) -> str:
    return _numbers([picture.from_dataset for picture in cell.pictures])


def _numbers(found: Sequence[int | None]) -> str:
    if all(number is None for number in found):
        return ""
    return ", ".join("?" if number is None else str(number) for number in found)


def _below(view: Comparison, screen: Screen, labels: Sequence[str]) -> Iterator[str]:
    """The prompts, what the numbers are, and why pictures are missing."""
    yield ""
    for row, name in zip(view.rows, labels, strict=True):
        text = safe(f"{row.prompt} ({row.words})")
        yield from _sentence(f"{name}: {text if screen.verbose else fit(text, _PROMPT)}", screen)
    if view.bits:
        yield ""
        yield from _sentence(f"The numbers are bits of the {view.distance_words}: 0 for the same shapes.", screen)
    failed = [
        (head, name, cell)
        for row, name in zip(view.rows, labels, strict=True)
        for head, cell in zip(view.columns, row.cells, strict=True)
        if ":" in cell.missing
    ]
    yield from [""] if failed else []
    for head, name, cell in failed:
        yield from _sentence(safe(f"{_named(head, view)}, sample {name}: {cell.missing}"), screen)


def _sentence(text: str, screen: Screen) -> list[str]:
    """A safe text: wrapped on a terminal, whole elsewhere."""
    return wrap(text, screen.width) if screen.terminal else [text]


def _named(head: ColumnHead, view: Comparison) -> str:
    return head.title if len({one.address for one in view.columns}) > 1 else f"{head.address} {head.title}"

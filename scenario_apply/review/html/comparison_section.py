"""Sample pictures side by side on a page: a table, and two columns laid over each other where scripts run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scenario_apply.review.comparison_view import CellView, ColumnHead, Comparison, DrawnView
from scenario_apply.review.html.album import Album, PageImage
from scenario_apply.review.html.page import Section
from scenario_apply.review.screen import counted

TITLE = "Samples side by side"
_NO_PICTURE = PageImage(why="it was not looked for")


class ShownPicture(NamedTuple):
    """image: as the album has it. alt: for those who do not see it. distances: in words, "" where none is known."""

    image: PageImage
    alt: str
    distances: str


class ShownCell(NamedTuple):
    """A cell of the table, as in CellView."""

    pictures: tuple[ShownPicture, ...]
    missing: str
    note: str


class ShownRow(NamedTuple):
    name: str
    prompt: str
    words: str
    cells: tuple[ShownCell, ...]


class ShownColumn(NamedTuple):
    title: str
    place: str
    facts: tuple[tuple[str, str], ...]


class ComparisonTable(NamedTuple):
    """key: for ids. distance_words: what the numbers are, "" where there are none."""

    key: str
    title: str
    columns: tuple[ShownColumn, ...]
    rows: tuple[ShownRow, ...]
    distance_words: str


def comparison_section(views: Sequence[Comparison], album: Album, *, note: str = "", title: str = TITLE) -> Section:
    """album: by asset id. note: what is left out, in a sentence."""
    tables = tuple(_table(view, f"compared{number}", album) for number, view in enumerate(views, 1))
    pictures = sum(len(cell.pictures) for view in views for row in view.rows for cell in row.cells)
    view = {"tables": tables, "note": note}
    return Section("samples", title, "comparison.html.jinja", view, counted(pictures, "picture"))


def _table(view: Comparison, key: str, album: Album) -> ComparisonTable:
    heads = view.columns
    rows = tuple(
        ShownRow(
            row.name,
            row.prompt,
            row.words,
            tuple(_cell(cell, f"{row.name}, {head.title}", album) for cell, head in zip(row.cells, heads, strict=True)),
        )
        for row in view.rows
    )
    return ComparisonTable(key, view.title, tuple(map(_column, heads)), rows, view.distance_words)


def _column(head: ColumnHead) -> ShownColumn:
    return ShownColumn(head.title, head.place, (*head.facts, *head.notes.items()))


def _cell(cell: CellView, name: str, album: Album) -> ShownCell:
    several = len(cell.pictures) > 1
    shown = tuple(
        ShownPicture(
            album.get(picture.asset_id, _NO_PICTURE),
            f"{name}, {number} of {len(cell.pictures)}" if several else name,
            _distances(picture),
        )
        for number, picture in enumerate(cell.pictures, 1)
    )
    return ShownCell(shown, cell.missing, cell.note)


def _distances(picture: DrawnView) -> str:
    parts = [] if picture.from_previous is None else [f"{picture.from_previous} from {picture.previous}"]
    if picture.from_dataset is not None:
        parts.append(f"{picture.from_dataset} from {picture.nearest}")
    return ", ".join(parts)

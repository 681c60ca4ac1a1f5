"""Samples side by side as Markdown: small copies where a host can show them, else how many there are of each.

Nothing is uploaded anywhere: a copy is linked where the commit under review has it, or below an address that the user
gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from msgspec import Struct, field

from scenario_apply.review.comparison_view import NOTES, CellView, ColumnHead, Comparison, DrawnView, PromptRow
from scenario_apply.review.markdown.fitting import Lines, Part, fitted, length_of
from scenario_apply.review.markdown.inline import code, table, words
from scenario_apply.review.markdown.picture_links import PictureLinks
from scenario_apply.review.markdown.plan_markdown import MarkdownOptions, marker
from scenario_apply.review.screen import counted, fit, safe

_DIGEST = re.compile(r"[0-9a-f]{64}")
_WIDE = 110  # pixels of a picture
_FOLDER = ".scenario/samples"


class SampleLinks(Struct, frozen=True, kw_only=True):
    """Where small copies are. in_git: digests of those in the commit under review. url: of a folder that has all."""

    links: PictureLinks = field(default_factory=PictureLinks)
    in_git: frozenset[str] = frozenset()
    url: str | None = None

    def addresses(self, digest: str | None) -> tuple[str, str] | None:
        """Of the picture itself, and of a page that shows it."""
        if digest is None or not _DIGEST.fullmatch(digest):
            return None
        if self.url is not None:
            folder, sign, query = self.url.partition("?")
            address = f"{folder.rstrip('/')}/{digest}.webp{sign}{query}"
            return address, address
        file = f"{_FOLDER}/{digest}.webp"
        image, page = self.links.image(file, "head"), self.links.page(file, "head")
        return (image or page, page) if digest in self.in_git and page is not None else None

    @property
    def shows_images(self) -> bool:
        """Whether the host shows pictures in the width that is asked for."""
        return self.links.shows_images


class _Detail(NamedTuple):
    """images: whether pictures are shown or linked. prompt: characters of it, 0 for none. columns: 0 for all."""

    images: bool
    prompt: int
    columns: int = 0


_DETAILS = (
    _Detail(True, 400),
    _Detail(True, 80),
    _Detail(True, 80, columns=12),
    _Detail(True, 80, columns=6),
    _Detail(True, 80, columns=3),
    _Detail(False, 80),
    _Detail(False, 0),
)


def comparison_markdown(view: Comparison, options: MarkdownOptions, samples: SampleLinks, command: str) -> str:
    """The whole comment. command: what makes a page of it."""
    head = f"{marker(options.key, options.flavour)}\n\n### Samples of {code(fit(safe(view.title), 200))}\n\n"
    report = f"[the report](<{options.report_url}>)" if options.report_url else code(fit(safe(command), 400))
    tail = f"All pictures: {report}.\n"
    room = options.room - length_of(head) - length_of(tail)
    (body,) = fitted([Part(comparison_levels(view, samples))], room)
    return f"{head}{body.text}{tail}"


def comparison_levels(view: Comparison, samples: SampleLinks) -> list[Lines]:
    """The table from its richest form down to a sentence that counts."""

    def at(detail: _Detail) -> Lines:
        return lambda: _table(view, samples, detail)

    def count() -> Iterator[str]:
        yield f"{counted(len(view.rows), 'sample')} in {counted(len(view.columns), 'column')}."

    if not view.rows:
        return [lambda: ["No samples were drawn yet."]]
    return [*(at(detail) for detail in _DETAILS if detail.columns < len(view.columns)), count]


def _table(view: Comparison, samples: SampleLinks, detail: _Detail) -> Iterator[str]:
    if detail.columns:
        yield f"The last {detail.columns} of {len(view.columns)} columns."
        yield ""
        rows = tuple(row._replace(cells=row.cells[-detail.columns :]) for row in view.rows)
        view = view._replace(columns=view.columns[-detail.columns :], rows=rows)
    header = ["sample", *(f"{words(head.title)}{f' ({head.place})' if head.place else ''}" for head in view.columns)]
    yield from table(header, [*_facts(view.columns), *(_row(row, samples, detail) for row in view.rows)])
    if view.bits:
        yield ""
        yield f"Numbers count bits of the {view.distance_words}: 0 for the same shapes."


def _facts(heads: Sequence[ColumnHead]) -> Iterator[list[str]]:
    for name in dict.fromkeys(name for head in heads for name, _ in head.facts):
        yield [code(name), *(code(fit(safe(dict(head.facts).get(name, "")), 200)) for head in heads)]
    for title in NOTES:
        if any(title in head.notes for head in heads):
            notes = [head.notes.get(title, "") for head in heads]
            yield [title, *(code(fit(safe(note), 200)) if note and title == "best" else note for note in notes)]


def _row(row: PromptRow, samples: SampleLinks, detail: _Detail) -> list[str]:
    prompt = f" {code(fit(safe(row.prompt), detail.prompt))}, {words(row.words)}" if detail.prompt else ""
    return [f"**{code(fit(safe(row.name), 80))}**{prompt}", *(_cell(cell, samples, detail) for cell in row.cells)]


def _cell(cell: CellView, samples: SampleLinks, detail: _Detail) -> str:
    if cell.missing:
        what, sign, reason = cell.missing.partition(": ")
        return f"{words(what)}: {code(fit(safe(reason), 200))}" if sign else words(what)
    if not cell.pictures:
        return ""
    shown = [_picture(one, number, samples) for number, one in enumerate(cell.pictures, 1)] if detail.images else []
    parts = [" ".join(shown)] if shown and all(shown) else [counted(len(cell.pictures), "picture")]
    parts += _distances(cell.pictures)
    return " · ".join([*parts, code(cell.note)] if cell.note else parts)


def _picture(one: DrawnView, number: int, samples: SampleLinks) -> str:
    addresses = samples.addresses(one.thumbnail)
    if addresses is None:
        return ""
    image, page = addresses
    if samples.shows_images:
        return f'<a href="{escape(page)}"><img src="{escape(image)}" width="{_WIDE}" alt="picture {number}"></a>'
    return f"[picture {number}]({page})"


def _distances(pictures: Sequence[DrawnView]) -> Iterator[str]:
    before = [one.from_previous for one in pictures]
    if any(number is not None for number in before):
        previous = next(one.previous for one in pictures if one.previous)
        yield f"{_numbers(before)} from {words(previous)}"
    nearest = [one.from_dataset for one in pictures]
    if any(number is not None for number in nearest):
        yield f"{_numbers(nearest)} from the dataset"


def _numbers(found: Sequence[int | None]) -> str:
    return ", ".join("?" if number is None else str(number) for number in found)

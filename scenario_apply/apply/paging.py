"""Reads a list of the service page by page, with an end even where the service gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from scenario_apply.errors import BadAnswer

MOST_PAGES = 200
"""Pages of one list: 100,000 models."""


class Page(Protocol):
    """One page of a list."""

    @property
    def next_token(self) -> str | None: ...


AnyPage = TypeVar("AnyPage", bound=Page)


def pages_of(read: Callable[[str | None], AnyPage], what: str) -> Iterator[AnyPage]:
    """Every page of a list. read: one page by its token. A token given twice in a row ends the list.

    Raises BadAnswer when the tokens go round in a circle, and after MOST_PAGES pages.
    """
    token: str | None = None
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        page = read(token)
        yield page
        if not page.next_token or page.next_token == token:
            return
        token = page.next_token
        if token in seen:
            raise BadAnswer(f"{what}: the pages go round in a circle: {len(seen)} pages, then one of them again")
        seen.add(token)
    raise BadAnswer(f"{what}: the list does not end: {MOST_PAGES} pages, and more are announced")

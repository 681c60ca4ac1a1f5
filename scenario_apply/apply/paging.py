"""The tokens of a list that the service gives page by page: the list ends, even where the service gives no end."""

from __future__ import annotations

from scenario_apply.errors import BadAnswer

MOST_PAGES = 200
"""Pages of one list: 100,000 models."""


class PageTokens:
    """The tokens of one list so far. what: the list, for errors."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: list[str] = []

    def following(self, token: str | None) -> str | None:
        """The token to ask for the next page with, given the one that a page names; None when the list has ended.

        A token given twice in a row ends the list. Raises BadAnswer when the tokens go round in a circle, and after
        MOST_PAGES pages.
        """
        if not token or (self._seen and token == self._seen[-1]):
            return None
        if token in self._seen:
            raise BadAnswer(f"{self._what}: its pages go round in a circle, from page {len(self._seen) + 1} on")
        self._seen.append(token)
        if len(self._seen) >= MOST_PAGES:
            raise BadAnswer(f"{self._what}: the list has no end: {MOST_PAGES} pages, and another one is announced")
        return token

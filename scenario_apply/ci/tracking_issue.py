"""One issue about a lasting matter, such as drift: opened once, kept current, closed when the matter is over.

It is found as a comment is: by its hidden marker and by its author, among the open issues.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from scenario_apply.ci.comment_body import has_marker
from scenario_apply.ci.host_requests import TRIES, HostAnswerLost


class HostIssue(Struct, frozen=True, kw_only=True):
    """key: its number in the project."""

    key: str
    body: str
    url: str
    is_own: bool


class IssuePlace(Protocol):
    """The issues of one project. All methods raise HostError."""

    def open_issues(self) -> list[HostIssue]: ...
    def create_issue(self, title: str, body: str, labels: Sequence[str]) -> HostIssue: ...
    def update_issue(self, issue: HostIssue, body: str) -> None: ...
    def close_issue(self, issue: HostIssue) -> None: ...


class Tracked(Struct, frozen=True):
    """url: of the issue; empty where there is none."""

    action: Literal["opened", "updated", "unchanged", "closed", "none"]
    url: str


def track(place: IssuePlace, title: str, body: str, marker: str, labels: Sequence[str]) -> Tracked:
    """Open the issue, or bring it to that text. Raises HostError."""
    found = _found(place, marker)
    if found is None:
        return Tracked("opened", _opened(place, title, body, marker, labels).url)
    if found.body.replace("\r\n", "\n").strip() == body.strip():
        return Tracked("unchanged", found.url)
    place.update_issue(found, body)
    return Tracked("updated", found.url)


def resolve(place: IssuePlace, marker: str) -> Tracked:
    """Close the issue, if it is open. Raises HostError."""
    found = _found(place, marker)
    if found is None:
        return Tracked("none", "")
    place.close_issue(found)
    return Tracked("closed", found.url)


def _found(place: IssuePlace, marker: str) -> HostIssue | None:
    return next((one for one in place.open_issues() if one.is_own and has_marker(one.body, marker)), None)


def _opened(place: IssuePlace, title: str, body: str, marker: str, labels: Sequence[str]) -> HostIssue:
    for attempt in range(1, TRIES + 1):
        try:
            return place.create_issue(title, body, labels)
        except HostAnswerLost:
            found = _found(place, marker)
            if found is not None:
                return found
            if attempt == TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")

"""One comment on a pull request, kept current: found by its hidden marker and its author, then updated or replaced.

A comment of another author is never touched, whatever it holds: anyone can copy a marker. The new comment is written
before old ones are hidden or deleted, so that a failure in between leaves one too many and never none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from scenario_apply.ci.comment_body import has_marker
from scenario_apply.ci.host_requests import TRIES, HostAnswerLost, HostRefused
from scenario_apply.errors import UsageError

Behaviour = Literal["update", "new", "hide-and-new", "delete-and-new"]


class HostComment(Struct, frozen=True, kw_only=True):
    """key: of the host's REST API; node: of its GraphQL. is_own: whether the token's account wrote it."""

    key: str
    node: str
    body: str
    url: str
    is_own: bool


class CommentPlace(Protocol):
    """The comments of one pull or merge request. All methods raise HostError."""

    can_hide: bool

    def comments(self) -> list[HostComment]:
        """All of them, the oldest first."""
        ...

    def create(self, body: str) -> HostComment: ...
    def update(self, comment: HostComment, body: str) -> HostComment: ...
    def delete(self, comment: HostComment) -> None: ...
    def hide(self, comments: Sequence[HostComment]) -> None: ...


class Posted(Struct, frozen=True):
    """action: what was done. replaced: how many older comments were hidden or deleted."""

    action: Literal["created", "updated", "unchanged"]
    url: str
    replaced: int = 0


def post(place: CommentPlace, body: str, marker: str, behaviour: Behaviour) -> Posted:
    """Bring the comment with that marker to that text. Raises HostError, and UsageError where nothing can be hidden."""
    if behaviour == "hide-and-new" and not place.can_hide:
        raise UsageError("comments cannot be hidden here", hint="use --behaviour update, new or delete-and-new")
    before = [one for one in place.comments() if one.is_own and has_marker(one.body, marker)]
    if behaviour == "update" and before:
        updated = _updated(place, before[-1], body)
        if updated is not None:
            return updated
    created = _created(place, body, {one.key for one in before})
    if behaviour == "hide-and-new" and before:
        place.hide(before)
    elif behaviour == "delete-and-new":
        for one in before:
            place.delete(one)
    return Posted("created", created.url, len(before) if behaviour in ("hide-and-new", "delete-and-new") else 0)


def _updated(place: CommentPlace, comment: HostComment, body: str) -> Posted | None:
    """None when the comment was deleted meanwhile."""
    if comment.body.replace("\r\n", "\n").strip() == body.strip():
        return Posted("unchanged", comment.url)
    try:
        return Posted("updated", place.update(comment, body).url)
    except HostRefused as error:
        if error.status != 404:
            raise
        return None


def _created(place: CommentPlace, body: str, known: set[str]) -> HostComment:
    """A new comment. After a lost answer the comments are read first, and one that has this text is taken for it."""
    for attempt in range(1, TRIES + 1):
        try:
            return place.create(body)
        except HostAnswerLost:
            for one in reversed(place.comments()):
                if one.is_own and one.key not in known and one.body.replace("\r\n", "\n").strip() == body.strip():
                    return one
            if attempt == TRIES:
                raise
    raise AssertionError("the last attempt returns or raises")

"""One exchange with the service as values: the request, the reply, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

from msgspec import Struct

Method = Literal["GET", "POST", "PUT", "DELETE"]
"""Of the Scenario API."""


class Safety(Enum):
    """Whether a call may be repeated when it is unknown whether it was carried out."""

    READ = "read"
    REPEATABLE = "repeatable"  # a write that does no harm twice
    ONCE = "once"  # creates or spends


class Body(Protocol):
    """The bytes of a request: a length, and the same bytes in pieces at each iteration."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes | memoryview]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call. path starts with / below the base URL, its ids percent-encoded; query holds decoded text.

    doing says in words what it is for ("read model m1"); messages begin with it.
    expect: the one 2xx status that is an answer; None for any. signed_url: where a part of an upload goes instead of
    path, without credentials.
    may_be_empty: a success needs no body. is_advisory: its answer is good to know, so it is given up soon.
    about: ids that the body names. headers: beside those that every request has.
    """

    method: str
    path: str
    safety: Safety
    doing: str
    query: tuple[tuple[str, str], ...] = ()
    body: Body | None = None
    expect: int | None = None
    signed_url: str | None = field(default=None, repr=False)
    may_be_empty: bool = False
    is_advisory: bool = False
    about: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class Reply(Struct, frozen=True, kw_only=True):
    """A whole answer. headers have lower-case names; content is decoded from its transfer and content encodings."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class NoAnswer(Struct, frozen=True, kw_only=True):
    """No complete reply arrived. what: the reason, without secrets.

    sent: the request may have reached the service whole. timed_out: it may still be worked on.
    hopeless: another try would end the same way (an untrusted certificate, a malformed address).
    """

    what: str
    sent: bool
    timed_out: bool = False
    hopeless: bool = False
    hint: str | None = None


Outcome = Reply | NoAnswer

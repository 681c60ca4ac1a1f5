"""The document that an HTTP state server keeps: the state, and beside its keys the calls that have no end yet.

The protocol knows one document and no list. So the records of open calls lie inside it, under a key that readers of
states pass over. Every document that is sent takes a higher serial: GitLab refuses one that it has already, and gives
out the document with the highest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from scenario_apply.errors import StateDamaged
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit

OPEN_CALLS = "open_calls"
MOST_CALLS = 10_000
_NAME = re.compile(r"[A-Za-z0-9.-]{1,200}")
_ONLY_CALLS = {OPEN_CALLS, "serial"}
_LARGEST_SERIAL = 2**53


class HttpDocument(NamedTuple):
    """state: the bytes of the state in it, None for a document that holds calls only. serial: of the document, 0 where
    it has none. calls: name -> record."""

    state: bytes | None
    serial: int
    calls: Mapping[str, str]


NO_DOCUMENT = HttpDocument(None, 0, {})


def opened(content: bytes, source: str) -> HttpDocument:
    """What a document holds. Bytes that are no JSON object are left for the reader of states to judge.

    source: for messages. Raises StateDamaged for calls that cannot be read.
    """
    try:
        plain = codec.parsed(content)
    except Misfit:
        return HttpDocument(content, 0, {})
    if not isinstance(plain, dict):
        return HttpDocument(content, 0, {})
    serial = _serial_of(plain)
    if OPEN_CALLS not in plain:
        return HttpDocument(content, serial, {})
    calls = _checked(plain[OPEN_CALLS], source)
    if plain.keys() <= _ONLY_CALLS:
        return HttpDocument(None, serial, calls)
    if _written(plain) != content:  # by another hand: the reader of states looks for keys that stand twice
        return HttpDocument(content, serial, calls)
    return HttpDocument(codec.document({key: plain[key] for key in plain if key != OPEN_CALLS}), serial, calls)


def closed(state: bytes | None, calls: Mapping[str, str], *, above: int) -> tuple[bytes, int]:
    """A document of a state and calls, and its serial: the state's own, or the next above the one that is there.

    A state without calls and with a serial of its own is sent as it is. Raises Misfit for one that is no JSON object.
    """
    plain: object = {} if state is None else codec.parsed(state)
    if not isinstance(plain, dict):
        raise Misfit("a state is a JSON object")
    plain.pop(OPEN_CALLS, None)  # of a document that was written by another hand
    serial = _serial_of(plain)
    if state is not None and serial > above and not calls and _written(plain) == state:
        return state, serial
    serial = max(serial, above + 1)
    plain["serial"] = serial
    if calls:
        plain[OPEN_CALLS] = dict(calls)
    return codec.document(plain), serial


def digest_of(content: bytes | None) -> str:
    """What tells two documents apart: the same for JSON that a server formatted again. "" for no document."""
    if content is None:
        return ""
    with suppress(Misfit, OverflowError, RecursionError):  # no JSON, or more than can be written again
        content = codec.compact(codec.parsed(content))
    return hashlib.sha256(content).hexdigest()


def _written(plain: object) -> bytes | None:
    try:
        return codec.document(plain)
    except (OverflowError, RecursionError):
        return None


def _serial_of(plain: Mapping[str, object]) -> int:
    serial = plain.get("serial")
    return serial if type(serial) is int and 0 <= serial < _LARGEST_SERIAL else 0


def _checked(found: object, source: str) -> dict[str, str]:
    if not isinstance(found, dict) or len(found) > MOST_CALLS:
        raise _damaged(source)
    calls = {name: record for name, record in found.items() if _NAME.fullmatch(name) and isinstance(record, str)}
    if len(calls) != len(found):
        raise _damaged(source)
    return calls


def _damaged(source: str) -> StateDamaged:
    return StateDamaged(
        f"{source} is damaged: {OPEN_CALLS} is not a map of records of calls",
        hint="nothing was changed; go back to an earlier version of the state on its server",
    )

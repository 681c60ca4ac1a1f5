"""The lock of an HTTP state server: LOCK and UNLOCK with an id and a note of who holds it. It has no end by time.

The id names process and host, because GitLab keeps nothing of the note but the id: it adds its own user and time.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from scenario_apply.errors import StateLocked
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.model.timestamps import iso
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.provenance import whoami
from scenario_apply.state.stores.remote.backend import LeaseLost, StoreUnavailable
from scenario_apply.state.stores.remote.http_address import HttpAddress
from scenario_apply.state.stores.remote.http_requests import LOCKED, HttpStateRequests
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.api.exchange import Reply
    from scenario_apply.model.ports import Clock

_OURS = re.compile(r"[0-9a-f-]{36}\.([0-9]{1,10})\.(.{1,120})")
_NO_LOCKS = (404, 405, 501)
_LONGEST = 200
_WAIT = (
    "wait for it with --lock-timeout S; this lock does not expire: if that run is surely gone, break it: "
    "scenario-apply force-unlock"
)
_OTHER_LOCK = (
    "if it locks at another address, set TF_HTTP_LOCK_ADDRESS and TF_HTTP_UNLOCK_ADDRESS (and TF_HTTP_LOCK_METHOD, "
    "TF_HTTP_UNLOCK_METHOD); else use a store that locks, such as GitLab's, or s3://"
)


class HeldLock(NamedTuple):
    """What a server says of a lock: its id ("" where it does not say), its note, and who holds it."""

    id: str
    note: Mapping[str, object]
    holder: Holder


class HttpLock:
    """The lock of one state. id: of the lock that this process holds; None without one."""

    def __init__(self, address: HttpAddress, requests: HttpStateRequests, *, shown: str, clock: Clock) -> None:
        self.id: str | None = None
        self._address = address
        self._requests = requests
        self._shown = shown
        self._clock = clock
        self._note: dict[str, object] = {}
        self._is_known_to_lock = address.is_gitlab

    def acquire(self, holder: Holder) -> str:
        """Its id. Raises StateLocked, which names the holder, and StoreUnavailable, also for servers that have no
        locks."""
        note = _note_of(holder, self._shown)
        held = self._asked(note)
        if held is not None and held.id != note["ID"]:  # else an answer was lost, and the lock is ours
            raise StateLocked(f"the state {self._shown} is locked by {held.holder}", hint=_WAIT)
        self.id, self._note = str(note["ID"]), note
        self._refuse_server_without_locks(holder)
        return self.id

    def _refuse_server_without_locks(self, holder: Holder) -> None:
        """Some servers answer 200 to any method, and would give a lock to everybody. Raises StoreUnavailable."""
        if self._is_known_to_lock:
            return
        second = _note_of(holder, self._shown)
        try:
            is_given_twice = self._asked(second) is None
        except StoreUnavailable:
            self.release()
            raise
        if is_given_twice:
            self.release()
            raise StoreUnavailable(
                f"the server of the state {self._shown} does not lock: it gave the same lock twice. Without a lock, "
                "two runs at once would pay for everything twice",
                hint=_OTHER_LOCK,
            )
        self._is_known_to_lock = True

    def is_ours(self) -> bool | None:
        """Whether the lock is still that of this process; None where the server's answer does not say.

        It is asked for once more, with the same id. Raises LeaseLost for the lock of another, and where it was free,
        because another user broke it: then it is given back.
        """
        if self.id is None:
            raise self._lost("it was given back")
        held = self._asked(self._note)
        if held is None:  # this server gives a lock twice to the same id, or it was free
            held = self._asked(self._note)
            if held is None:
                return None
            if held.id == self.id:
                self.release()
                raise self._lost("force-unlock removed it")
        if not held.id:
            return None
        if held.id != self.id:
            self.id = None
            raise self._lost(f"it is held by {held.holder}")
        return True

    def release(self) -> None:
        """Give it back. The lock of another, which the server then names, stays."""
        if self.id is None:
            return
        self.id = None
        try:
            reply = self._unlocked(self._note)
            if reply.status >= 400 and reply.status not in (404, *LOCKED):
                raise self._requests.refusal(reply, "be unlocked")
        except StoreUnavailable as error:
            hint = "the lock stays and does not expire; remove it: scenario-apply force-unlock"
            raise StoreUnavailable(error.message, hint=hint) from error

    def break_it(self) -> Holder | None:
        """Remove the lock of any run; whose it was. None when there was none.

        Raises StateLocked where another took it in between.
        """
        held = self._other()
        if held is None:
            return None
        reply = self._unlocked(held.note if held.id else None)
        if reply.status in LOCKED:
            raise StateLocked(f"the state {self._shown} was locked by another run meanwhile", hint=_WAIT)
        if reply.status >= 400:
            raise self._requests.refusal(reply, "be unlocked")
        if held.id == self.id:
            self.id = None
        return held.holder

    def holder(self) -> Holder | None:
        """Who holds it; None when it is free."""
        held = self._other()
        return None if held is None else held.holder

    def _other(self) -> HeldLock | None:
        """The lock that there is. The protocol cannot look: a lock is asked for, and given back if it was free."""
        since = iso(self._clock.now())
        looking = Holder(who=whoami(), host="", pid=os.getpid(), since=since, command="who holds the lock?")
        note = _note_of(looking, self._shown)
        held = self._asked(note)
        if held is None:
            self._unlocked(note)
        return held

    def _asked(self, note: Mapping[str, object]) -> HeldLock | None:
        """Ask for the lock. None when the server gives it; else the lock that there is, which may be this very one."""
        address = self._address
        reply = self._requests.repeated(address.lock_method, address.lock_path, "be locked", codec.line(note))
        if reply.status in LOCKED:
            return self._held(reply)
        if not reply.is_success:
            raise self._refusal(reply)
        answer = self._held(self._requests.checked(reply, "be locked"))
        return answer if answer.id not in ("", note["ID"]) else None

    def _held(self, reply: Reply) -> HeldLock:
        plain: object = None
        with suppress(Misfit):
            plain = codec.parsed(reply.content)
        note = plain if isinstance(plain, dict) else {}
        id = note.get("ID")
        id = id if isinstance(id, str) and len(id) < 256 else ""
        return HeldLock(id, note, _holder_of(id, note, knows_command=not self._address.is_gitlab))

    def _unlocked(self, note: Mapping[str, object] | None) -> Reply:
        """note: None for the lock of any run."""
        address = self._address
        path = address.unlock_path
        if note is not None and address.unlock_method == "DELETE":  # its body may be dropped, and then any lock ends
            path = with_lock_id(path, str(note["ID"]))
        return self._requests.repeated(
            address.unlock_method, path, "be unlocked", None if note is None else codec.line(note)
        )

    def _refusal(self, reply: Reply) -> StoreUnavailable:
        if reply.status not in _NO_LOCKS or self._address.has_lock_below:
            return self._requests.refusal(reply, "be locked")
        what = f"the server of the state {self._shown} cannot lock: it answered {self._address.lock_method} with "
        return StoreUnavailable(
            f"{what}{reply.status}. Without a lock, two runs at once would pay for everything twice",
            hint=_OTHER_LOCK,
        )

    def _lost(self, why: str) -> LeaseLost:
        return LeaseLost(f"the lock of the state {self._shown} is not this run's any more: {why}")


def with_lock_id(path: str, id: str) -> str:
    """A path whose query names a lock."""
    return f"{path}{'&' if '?' in path else '?'}ID={quote(id, safe='')}"


def _note_of(holder: Holder, shown: str) -> dict[str, object]:
    """The lock info of Terraform's protocol. GitLab wants every field."""
    place = re.sub(r"[^A-Za-z0-9_-]+", "-", holder.host)[:60] or "unknown"
    return {
        "ID": f"{uuid.uuid4()}.{holder.pid}.{place}",
        "Operation": "scenario-apply",
        "Info": holder.command[:_LONGEST],
        "Who": f"{holder.who}@{holder.host}" if holder.host else holder.who,
        "Version": VERSION,
        "Created": holder.since,
        "Path": shown,
    }


def _holder_of(id: str, note: Mapping[str, object], *, knows_command: bool) -> Holder:
    """knows_command: GitLab answers with the note of the one who asks, except for id, user and time."""
    ours = _OURS.fullmatch(id)
    who, _, host = _text(note, "Who").partition("@")
    if ours is not None:
        host = host or ours[2]
    command = (_text(note, "Info") or _text(note, "Operation")) if knows_command else ""
    return Holder(
        who=who or "another run",
        host=host,
        pid=0 if ours is None else int(ours[1]),
        since=_text(note, "Created"),
        command=command,
    )


def _text(note: Mapping[str, object], key: str) -> str:
    value = note.get(key)
    return value[:_LONGEST] if isinstance(value, str) else ""

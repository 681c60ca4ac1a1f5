"""The lease of a state in an object store: one object that names its holder, and is renewed while the run lives.

It expires 60 seconds after it was last written, by the store's clock: the time at which the store says that an object
was written. What time it is there, a contender learns by writing a small object of its own and looking at its time,
because obstore does not show the Date of an answer. Between machine and store no clock has to agree.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import NamedTuple

from scenario_apply.errors import StateLocked
from scenario_apply.model.ports import Clock
from scenario_apply.model.timestamps import iso
from scenario_apply.state.stores.lock import LARGEST_LOCK_BYTES, Holder, holder_in
from scenario_apply.state.stores.remote.backend import Lease, LeaseLost, StoreUnavailable
from scenario_apply.state.stores.remote.object_requests import FoundObject, ObjectChanged, ObjectRequests

LEASE_S = 60.0
"""Seconds. A lease that is not renewed for so long may be taken over."""
RENEW_EVERY_S = 20.0

_ATTEMPTS = 3
_UNKNOWN = Holder(who="unknown", host="unknown", pid=0, since="unknown", command="unknown")
_SKEW_S = 2.0
_WAIT = (
    "wait for it with --lock-timeout S; the lease of a run that is gone ends within 60 seconds, or break it: "
    "scenario-apply force-unlock"
)


class LeaseText(NamedTuple):
    """What a lease object says. id: of this lease, for as long as it is held; "" in one that cannot be read."""

    id: str
    holder: Holder


class _StoreTime(NamedTuple):
    """What time the store had at least when this machine's clock, which only grows, stood at `at`."""

    store: float
    at: float


class LeaseObject:
    """The lease beside one state. stem: the state's key without .json. Methods may be called from any thread."""

    def __init__(self, requests: ObjectRequests, stem: str, clock: Clock, *, check_conditions: bool) -> None:
        """check_conditions: the store may be one that ignores conditions; the first lease finds out."""
        self.key = f"{stem}.lock"
        self._stem = stem
        self._requests = requests
        self._clock = clock
        self._check_conditions = check_conditions
        self._may_delete = False
        self._time: _StoreTime | None = None
        self._holders: dict[str, Holder] = {}

    def acquire(self, holder: Holder) -> Lease:
        """One attempt. Raises StateLocked, which names the holder."""
        self._refuse_without_permission_to_delete()
        lease_id = uuid.uuid4().hex
        for _ in range(_ATTEMPTS):
            begun = self._clock.monotonic()
            content = self._written(lease_id, holder)
            taken_from: Holder | None = None
            try:
                version = self._requests.put(self.key, content, replacing=None)
            except ObjectChanged as changed:
                if changed.found is None:
                    continue  # given up between the two requests
                taken_from = lease_text(changed.found.content).holder
                if not self._has_expired(changed.found):
                    raise self._locked(taken_from) from None
                try:
                    version = self._requests.put(self.key, content, replacing=changed.found.version)
                except ObjectChanged:
                    continue  # another run took it over, or its holder renewed it
            self._holders[lease_id] = holder
            lease = Lease(token=f"{lease_id} {version}", valid_s=LEASE_S, taken_from=taken_from)
            try:
                self._refuse_store_without_conditions(content)
                return self._with_right_end(lease, begun)
            except BaseException:
                with contextlib.suppress(StoreUnavailable):  # it ends by itself, too
                    self.release(lease)
                raise
        found = self._requests.get(self.key, LARGEST_LOCK_BYTES)
        raise self._locked(_UNKNOWN if found is None else lease_text(found.content).holder)

    def renew(self, lease: Lease) -> Lease:
        """Raises LeaseLost when another run has it, or it was broken."""
        lease_id, _, version = lease.token.partition(" ")
        content = self._written(lease_id, self._holders[lease_id])
        try:
            renewed = self._requests.put(
                self.key,
                content,
                replacing=version,
                is_ours=lambda held: lease_text(held).id == lease_id,  # a renewal whose answer was lost
            )
        except ObjectChanged as changed:
            what = "was removed" if changed.found is None else f"is held by {lease_text(changed.found.content).holder}"
            raise LeaseLost(f"the lease of this run, {self._requests.url}/{self.key}, {what}") from None
        return lease._replace(token=f"{lease_id} {renewed}")

    def release(self, lease: Lease) -> None:
        """Renewed once more, so that no other run can take it over before it is deleted, which has no condition."""
        with contextlib.suppress(LeaseLost):
            lease_id = self.renew(lease).token.partition(" ")[0]
            self._requests.delete_ours(self.key, lambda held: lease_text(held).id == lease_id, LARGEST_LOCK_BYTES)

    def break_it(self) -> Holder | None:
        """Remove it, also that of another run; whose it was."""
        found = self._requests.get(self.key, LARGEST_LOCK_BYTES)
        if found is None:
            return None
        self._requests.delete((self.key,))
        return lease_text(found.content).holder

    def holder(self) -> Holder | None:
        """Who holds it now; None when it is free or has expired."""
        found = self._requests.get(self.key, LARGEST_LOCK_BYTES)
        if found is None or self._has_expired(found):
            return None
        return lease_text(found.content).holder

    def _locked(self, holder: Holder) -> StateLocked:
        return StateLocked(f"the state {self._requests.url}/{self._stem}.json is locked by {holder}", hint=_WAIT)

    def _has_expired(self, found: FoundObject) -> bool:
        """By the store's clock. Its times are whole seconds, so that one more is waited."""
        ends = found.modified + LEASE_S + 1
        if self._time is not None:
            if found.modified > self._store_time():  # its renewal shows the time, too
                self._time = _StoreTime(found.modified, self._clock.monotonic())
            if self._store_time() < ends:
                return False
        return self._asked_time() >= ends

    def _asked_time(self) -> float:
        """The store's time now."""
        key = f"{self._stem}.clock-{uuid.uuid4().hex}"
        self._requests.overwrite(key, b"{}")
        at = self._clock.monotonic()
        now = self._requests.modified(key)
        self._requests.delete((key,))
        if now is None:
            raise StoreUnavailable(f"{self._requests.url}/{key} was removed right after it was written")
        self._time = _StoreTime(now, at)
        return now

    def _store_time(self) -> float:
        """The store's time, at least; before any was seen this machine's."""
        if self._time is None:
            return self._clock.now()
        return self._time.store + self._clock.monotonic() - self._time.at

    def _with_right_end(self, lease: Lease, begun: float) -> Lease:
        """The lease, with the store's time in its `until` where this machine's differs."""
        guessed = self._store_time()
        modified = self._requests.modified(self.key)
        if modified is None:
            raise LeaseLost(f"the lease of this run, {self._requests.url}/{self.key}, was removed")
        self._time = _StoreTime(modified, begun)
        return self.renew(lease) if abs(guessed - self._store_time()) > _SKEW_S else lease

    def _refuse_store_without_conditions(self, content: bytes) -> None:
        """Raises StoreUnavailable for a store that would let two runs hold one lease."""
        if not self._check_conditions:
            return
        if not self._requests.is_conditional(self.key, content):
            raise StoreUnavailable(
                f"{self._requests.url} cannot keep two runs apart: its store ignores If-Match and If-None-Match",
                hint="use a store with conditional writes, such as S3, MinIO, R2, Google Cloud Storage or Azure",
            )
        self._check_conditions = False

    def _refuse_without_permission_to_delete(self) -> None:
        """Raises StoreUnavailable before anything is paid for: no lease could be given up, and no call settled."""
        if not self._may_delete:
            self._requests.delete((f"{self._stem}.clock-{uuid.uuid4().hex}",))
            self._may_delete = True

    def _written(self, lease_id: str, holder: Holder) -> bytes:
        plain = {
            "who": holder.who,
            "host": holder.host,
            "pid": holder.pid,
            "since": holder.since,
            "command": holder.command,
            "until": iso(self._store_time() + LEASE_S),
            "id": lease_id,
        }
        return (json.dumps(plain, indent=2) + "\n").encode()


def lease_text(content: bytes) -> LeaseText:
    """What a lease object says; of one that cannot be read, an unknown holder."""
    try:
        plain = json.loads(content)
        return LeaseText(str(plain["id"]), holder_in(plain))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return LeaseText("", _UNKNOWN)

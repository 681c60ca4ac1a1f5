"""A state behind the HTTP state protocol, which GitLab's managed states and servers for Terraform's http backend speak.

GET gives the document, POST replaces it, LOCK and UNLOCK guard it. The protocol has no conditional write: the document
is read before each write, while the lock is held, and must be the one that was read or written last. GitLab compares
the lock's id itself, so that there it is read once while a lock is held. The protocol has no list: open calls lie
inside the document (http_document.py). Threads that record calls at the same time share one request.

Backups are the versions that the server keeps: GitLab keeps all of them, other servers may keep none.

A GitLab user needs the role Maintainer to lock and write, Developer to read; a job's CI_JOB_TOKEN has the role of the
user who started the pipeline.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from msgspec import Struct

from scenario_apply.api.exchange import NoAnswer, Outcome, Reply
from scenario_apply.errors import ScenarioApplyError, StateDamaged, StateLocked
from scenario_apply.model.codec import Misfit
from scenario_apply.model.ports import Clock
from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.backend import (
    Lease,
    LeaseLost,
    StaleWrite,
    StoredState,
    StoreUnavailable,
)
from scenario_apply.state.stores.remote.http_address import http_address
from scenario_apply.state.stores.remote.http_document import NO_DOCUMENT, HttpDocument, closed, digest_of, opened
from scenario_apply.state.stores.remote.http_lock import HttpLock, with_lock_id
from scenario_apply.state.stores.remote.http_requests import LOCKED, HttpStateRequests

RENEW_EVERY_S = 20.0
_VERSIONS_SHOWN = 10


class _CallChange(Struct, kw_only=True):
    """A record of a call that is to be kept, or deleted (content None), and what became of that."""

    name: str
    content: str | None
    is_new: bool = False
    is_done: bool = False
    error: ScenarioApplyError | None = None


class _Stored:
    """The document as the server has it: content None for none."""

    def __init__(self, content: bytes | None, source: str) -> None:
        self.content = content
        self.digest = digest_of(content)
        self.document: HttpDocument = NO_DOCUMENT if content is None else opened(content, source)


class HttpBackend:
    """One state at one address. For any thread."""

    def __init__(self, url: StateUrl, *, clock: Clock, allow_http: bool) -> None:
        """Sends nothing. allow_http: the caller permits unencrypted requests; open_backend.py refuses them else."""
        self.shown = url.shown
        self.renew_every_s = RENEW_EVERY_S
        self.written_serial = 0
        self._clock = clock
        self._address = http_address(url, os.environ)
        self._requests = HttpStateRequests(self._address, shown=url.shown, clock=clock)
        self._lock = HttpLock(self._address, self._requests, shown=url.shown, clock=clock)
        self._document_lock = threading.Lock()  # one thread reads and writes the document at a time
        self._seen: str | None = None  # the digest of the document that was read or written last
        self._is_leased = False
        self._version = "none"  # what the caller calls the state in it: calls that are recorded leave that as it is
        self._under: tuple[str | None, _Stored] | None = None  # what was there last, and the lock that was held then
        self._unanswered: set[str] = set()  # digests of documents that may have been written
        self._queue: list[_CallChange] = []
        self._queue_lock = threading.Lock()

    # -- the state

    def read(self) -> StoredState | None:
        with self._document_lock:
            stored = self._get("be read")
            if stored.digest not in (self._seen, *self._unanswered):
                self._version = stored.digest
            self._seen = stored.digest
            state = stored.document.state
            return None if state is None else StoredState(state, self._version)

    def write(self, content: bytes, *, replacing: str | None) -> str:
        with self._document_lock:
            stored = self._replaced()
            if replacing is None:
                fits = stored.document.state is None
            else:
                fits = stored.digest in (self._seen if replacing == self._version else replacing, *self._unanswered)
            if not fits:
                raise self._stale()
            self._version = self._post(content, stored.document.calls, stored)
            return self._version

    def keep_backup(self, serial: int, content: bytes) -> None:
        """Nothing: the server keeps versions, or it does not."""

    def backups(self) -> Iterator[tuple[str, bytes]]:
        """The last versions, where the server is GitLab."""
        if not self._address.is_gitlab:
            return
        serial = self._get("be read").document.serial
        for version in range(serial - 1, max(serial - 1 - _VERSIONS_SHOWN, 0), -1):
            path = f"{self._address.path}/versions/{version}"
            reply = self._requests.repeated("GET", path, "be read")
            if reply.status == 200:
                state = opened(self._requests.checked(reply, "be read").content, self.shown).state
                if state is not None:
                    yield f"{self.shown}/versions/{version}", state

    # -- open calls

    def put_call(self, name: str, content: bytes, *, is_new: bool) -> None:
        self._change_calls([_CallChange(name=name, content=content.decode(), is_new=is_new)])

    def delete_calls(self, names: Collection[str]) -> None:
        self._change_calls([_CallChange(name=name, content=None) for name in names])

    def calls(self) -> list[tuple[str, bytes]]:
        with self._document_lock:
            found = self._get("be read").document.calls
        return [(name, found[name].encode()) for name in sorted(found)]

    def _change_calls(self, changes: list[_CallChange]) -> None:
        """Changes that threads ask for while a request is under way go with the next one, all together."""
        with self._queue_lock:
            self._queue += changes
        with self._document_lock:
            if not all(change.is_done for change in changes):
                self._post_queue(changes)
        for change in changes:
            if change.error is not None:
                raise change.error

    def _post_queue(self, own: list[_CallChange]) -> None:
        """own: those of this thread, whose replies are not waited for when it is interrupted."""
        with self._queue_lock:
            batch, self._queue = self._queue, []
        try:
            self._post_calls(batch)
        except ScenarioApplyError as error:
            for change in batch:
                change.error = change.error or error
        except BaseException:
            with self._queue_lock:
                self._queue = [change for change in batch if change not in own] + self._queue
            raise
        for change in batch:
            change.is_done = True

    def _post_calls(self, batch: list[_CallChange]) -> None:
        stored = self._replaced()
        if self._seen is not None and stored.digest not in (self._seen, *self._unanswered):
            raise self._stale()
        calls = dict(stored.document.calls)
        for change in batch:
            if change.content is None:
                calls.pop(change.name, None)
            elif change.is_new and calls.get(change.name, change.content) != change.content:
                change.error = self._stale()
            else:
                calls[change.name] = change.content
        if calls != stored.document.calls:
            self._post(stored.document.state, calls, stored)

    # -- the lease

    def acquire(self, holder: Holder) -> Lease:
        lease = Lease(token=self._lock.acquire(holder), valid_s=None)
        self._is_leased = True
        return lease

    def renew(self, lease: Lease) -> Lease:
        if self._lock.id != lease.token:
            raise self._lost()
        if self._lock.is_ours() is None:  # the server does not say: then at least the document must be as it was
            with self._document_lock:
                digest = self._get("be read").digest
                if self._seen is not None and digest not in (self._seen, *self._unanswered):
                    raise LeaseLost(f"the state {self.shown} was written by another run")
        return lease

    def release(self, lease: Lease) -> None:
        self._is_leased = False
        if self._lock.id == lease.token:
            self._lock.release()

    def break_lock(self) -> Holder | None:
        return self._lock.break_it()

    def holder(self) -> Holder | None:
        return self._lock.holder()

    def close(self) -> None:
        self._requests.close()

    # -- the document

    def _replaced(self) -> _Stored:
        """The document that a write will replace: read now, or as it was, where the server refuses other locks."""
        if self._address.is_gitlab and self._under is not None and None is not self._under[0] == self._lock.id:
            return self._under[1]
        stored = self._get("be written")
        self._under = self._lock.id, stored
        return stored

    def _get(self, what: str) -> _Stored:
        """what: it is read for. Raises StoreUnavailable."""
        reply = self._requests.repeated("GET", self._address.path, what)
        is_elsewhere = reply.status == 404 and self._address.is_gitlab and b"Project" in reply.content
        if reply.status in (204, 404) and not is_elsewhere:  # GitLab says so of a project that may not be seen
            return _Stored(None, self.shown)
        if reply.status != 200:
            raise self._requests.refusal(reply, what)
        content = self._requests.checked(reply, what).content
        return _Stored(content or None, self.shown)

    def _post(self, state: bytes | None, calls: Mapping[str, str], stored: _Stored) -> str:
        """Write a document in place of the stored one; its digest.

        Raises StaleWrite, LeaseLost, StateLocked, StoreUnavailable.
        """
        if self._is_leased and self._lock.id is None:  # another thread noticed; a server that is free now would take it
            raise self._lost()
        above = max(stored.document.serial, self.written_serial)
        try:
            content, serial = closed(state, calls, above=above)
        except Misfit as misfit:
            raise StateDamaged(f"{self.shown} is damaged: {misfit}", hint="nothing was changed") from misfit
        self.written_serial = max(self.written_serial, serial)
        digest, self._under = digest_of(content), None
        attempt, since = 0, self._clock.monotonic()
        while True:
            attempt += 1
            started_at = self._clock.monotonic()
            lock = self._lock.id
            path = self._address.path if lock is None else with_lock_id(self._address.path, lock)
            outcome = self._requests.once(self._address.update_method, path, content)
            if isinstance(outcome, Reply) and outcome.is_success:
                self._requests.checked(outcome, "be written")
                break
            self._refuse_locked(outcome)
            wait_s = self._requests.wait_s(outcome, attempt, since=since, started_at=started_at)
            if _may_be_done(outcome):
                self._unanswered.add(digest)
                self._clock.wait(wait_s or 0)
                now = self._get("be written").digest
                if now == digest:
                    break
                if now != stored.digest and now not in self._unanswered:
                    raise self._stale()
            elif wait_s is not None:
                self._clock.wait(wait_s)
            if wait_s is None:
                raise self._requests.refusal(outcome, "be written")
        self._seen, self._under = digest, (lock, _Stored(content, self.shown))
        return digest

    def _refuse_locked(self, outcome: Outcome) -> None:
        """Raises LeaseLost or StateLocked where the lock is why a write was refused. GitLab answers 500 then."""
        if isinstance(outcome, NoAnswer):
            return
        if outcome.status in LOCKED or outcome.status >= 500:
            if self._lock.id is not None:
                with suppress(StoreUnavailable):
                    self._lock.is_ours()
            elif outcome.status in LOCKED:
                raise StateLocked(f"the state {self.shown} is locked by another run", hint="let it end, then try again")

    def _lost(self) -> LeaseLost:
        return LeaseLost(f"the lock of the state {self.shown} is not this run's any more")

    def _stale(self) -> StaleWrite:
        return StaleWrite(
            f"{self.shown} was written by another process during this run",
            hint="nothing was overwritten; do this again",
        )


def _may_be_done(outcome: Outcome) -> bool:
    """Whether a write may have been carried out, although its answer is no success.

    422: GitLab has the serial already, perhaps from an attempt whose answer was lost. Others may say so by 409 or 412.
    """
    if isinstance(outcome, NoAnswer):
        return outcome.sent
    return outcome.status >= 500 or outcome.status in (408, 409, 412, 422)

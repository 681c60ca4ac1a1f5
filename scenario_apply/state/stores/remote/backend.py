"""What a remote store does for one state: keeps its bytes, its backups, its open calls and its lease.

A backend knows nothing of states and journals: remote_store.py gives it bytes and names. Each method is one or a few
requests and may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol

from scenario_apply.errors import StateError, StateForeign
from scenario_apply.state.stores.lock import Holder


class StoreUnavailable(StateError):
    """The store cannot be reached, or refuses: no answer, no credentials, no such bucket, no permission."""

    code = "store-unavailable"


class StaleWrite(StateForeign):
    """Another process wrote the state since it was read; nothing was overwritten."""

    code = "state-foreign"


class LeaseLost(StateError):
    """The lease of this run is another run's, or was broken. No paid call may start any more."""

    code = "lease-lost"


class StoredState(NamedTuple):
    """A state's bytes, and the store's own name for this version of them (an ETag, a row's version)."""

    content: bytes
    version: str


class Lease(NamedTuple):
    """A lease that this process holds.

    token: what the store needs to renew or give up this lease; valid_s: seconds from the moment the request that took
    or renewed it was begun, None where the lock ends only by release (HTTP) or with the connection (PostgreSQL);
    taken_from: the holder of the expired lease that was taken over.
    """

    token: str
    valid_s: float | None
    taken_from: Holder | None = None


class StateBackend(Protocol):
    """One state in one store. Methods raise StoreUnavailable; its message names `shown` and never a secret.

    shown: the state's URL without user names, passwords, tokens and queries, for messages.
    renew_every_s: seconds between renewals of a lease, or between looks whether the connection still holds the lock.
    written_serial: the highest serial that this backend itself gave the stored document (the HTTP protocol keeps the
    open calls inside it); 0 where it writes none. A state that is saved next takes a higher one.
    """

    shown: str
    renew_every_s: float
    written_serial: int

    def read(self) -> StoredState | None:
        """The state; None when there is none yet. One request."""
        ...

    def write(self, content: bytes, *, replacing: str | None) -> str:
        """Write the state if its version is still `replacing` (None: if there is none); the new version.

        Raises StaleWrite when it is another. After a lost answer the object is read: bytes that are these are ours.
        """
        ...

    def keep_backup(self, serial: int, content: bytes) -> None:
        """Keep the bytes of a state; the newest ten stay. Nothing to do where the store keeps versions by itself."""
        ...

    def backups(self) -> Iterator[tuple[str, bytes]]:
        """Backups that can be read, newest first, each with the name to show."""
        ...

    def put_call(self, name: str, content: bytes, *, is_new: bool) -> None:
        """Keep the record of a call that is about to be sent; it is in the store on return.

        name: letters, digits, `-` and `.`, unique in this state. is_new: create-if-absent (after a lost answer an
        object with the same bytes counts as made); else the object is overwritten.
        """
        ...

    def delete_calls(self, names: Collection[str]) -> None:
        """Delete these records; those that are not there are passed over. As few requests as the store allows."""
        ...

    def calls(self) -> list[tuple[str, bytes]]:
        """Every record of a call that is there, by name."""
        ...

    def acquire(self, holder: Holder) -> Lease:
        """Take the lease if it is free or has expired by the store's clock. Raises StateLocked, which names the holder.

        One attempt: waiting is the caller's.
        """
        ...

    def renew(self, lease: Lease) -> Lease:
        """Renew a lease (PostgreSQL, HTTP: look whether the lock is still held). Raises LeaseLost when it is not ours.

        StoreUnavailable says nothing on whose it is: the caller tries again until valid_s is over.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease up if it is still ours."""
        ...

    def break_lock(self) -> Holder | None:
        """Remove the lease of any run (force-unlock); whose it was. None when there was none."""
        ...

    def holder(self) -> Holder | None:
        """Who holds the lease now; None when it is free or has expired."""
        ...

    def close(self) -> None:
        """Close connections. A lock that lives in a connection ends."""
        ...

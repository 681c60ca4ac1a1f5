"""A state in S3 and what speaks its language, in Google Cloud Storage or in Azure.

Beside `team/kael.json` lie the lease `team/kael.lock`, backups `team/backups/kael.SERIAL.json`, open calls
`team/kael.journal/NAME.json`, and, while a contender asks for the store's time, `team/kael.clock-ID`.

Permissions, on the objects of the folder `team/`; a plan needs the first line of each:

S3      s3:GetObject on team/*, s3:ListBucket on the bucket (without it S3 does not say that an object is missing)
        s3:PutObject and s3:DeleteObject on team/*
GCS     storage.objects.get, storage.objects.list (roles/storage.objectViewer)
        storage.objects.create, storage.objects.delete, which overwriting needs, too (roles/storage.objectUser)
Azure   Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read (Storage Blob Data Reader)
        .../blobs/write, .../blobs/add/action, .../blobs/delete (Storage Blob Data Contributor); of a shared access
        signature: r, l; w, c, d

Requests: a plan of nothing 1 GET; a write 1 PUT. A lease: DELETE of nothing, which tells whether it may be deleted, PUT
and HEAD, at an endpoint that a variable names two PUTs more, which are refused; 1 PUT each 20 s; PUT and DELETE at its
end. For a lease that is found: GET, and PUT, HEAD and DELETE for the store's time. A backup: 1 PUT; the first and each
tenth of a run 1 list. A call: 1 PUT, and 1 DELETE for up to 1,000 (Azure: 256, Google Cloud Storage: 1).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from scenario_apply.errors import StateDamaged, StateError
from scenario_apply.model.ports import Clock
from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.backups import BACKUPS, BACKUPS_KEPT
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.own_files import LARGEST_BYTES
from scenario_apply.state.stores.remote.backend import Lease, StaleWrite, StoredState
from scenario_apply.state.stores.remote.lease_object import RENEW_EVERY_S, LeaseObject
from scenario_apply.state.stores.remote.object_access import endpoint_of
from scenario_apply.state.stores.remote.object_requests import ListedObject, ObjectChanged, ObjectRequests

_LARGEST_CALL_BYTES = 1 << 20
_MOST_CALLS = 20_000
_PRUNED_EVERY = 10
"""Backups between two looks at which are too old."""
_FETCHERS = 8


class ObjectBackend:
    """The StateBackend of object stores."""

    renew_every_s = RENEW_EVERY_S
    written_serial = 0

    def __init__(self, url: StateUrl, *, clock: Clock, allow_http: bool) -> None:
        self.shown = url.shown
        self._key = url.path
        stem = url.path.removesuffix(".json")
        folder, slash, self._name = stem.rpartition("/")
        self._backups = f"{folder}{slash}{BACKUPS}"
        self._calls = f"{stem}.journal"
        self._requests = ObjectRequests(f"{url.scheme}://{url.host}", clock=clock, allow_http=allow_http)
        is_other_store = url.scheme == "s3" and endpoint_of("s3:") is not None
        self._lease = LeaseObject(self._requests, stem, clock, check_conditions=is_other_store)
        self._unsure: set[bytes] = set()
        """Digests of states that were sent and whose answer was lost: found in the store, they are ours."""
        self._kept = 0

    def read(self) -> StoredState | None:
        found = self._requests.get(self._key, LARGEST_BYTES)
        return None if found is None else StoredState(found.content, found.version)

    def write(self, content: bytes, *, replacing: str | None) -> str:
        digest = sha256(content).digest()
        self._unsure.add(digest)
        try:
            version = self._requests.put(
                self._key,
                content,
                replacing=replacing,
                is_ours=lambda held: sha256(held).digest() in self._unsure,
            )
        except ObjectChanged as changed:
            self._unsure.discard(digest)
            what = "was removed" if changed.found is None else "was written by another process"
            raise StaleWrite(
                f"{self.shown} {what} since it was read", hint="nothing was overwritten; do this again"
            ) from None
        self._unsure.clear()
        return version

    def keep_backup(self, serial: int, content: bytes) -> None:
        self._requests.overwrite(f"{self._backups}/{self._name}.{serial}.json", content)
        if self._kept % _PRUNED_EVERY == 0:
            self._requests.delete([old.key for old in self._listed_backups()[BACKUPS_KEPT:]])
        self._kept += 1

    def backups(self) -> Iterator[tuple[str, bytes]]:
        for listed in self._listed_backups():
            with contextlib.suppress(StateError):  # the next one may be readable
                found = self._requests.get(listed.key, LARGEST_BYTES)
                if found is not None:
                    yield f"{self._requests.url}/{listed.key}", found.content

    def put_call(self, name: str, content: bytes, *, is_new: bool) -> None:
        key = self._call_key(name)
        if not is_new:
            return self._requests.overwrite(key, content)
        try:
            self._requests.put(key, content, replacing=None)
        except ObjectChanged:
            raise StaleWrite(
                f"{self._requests.url}/{key} exists already", hint="another run uses this state; apply again"
            ) from None
        return None

    def delete_calls(self, names: Collection[str]) -> None:
        self._requests.delete([self._call_key(name) for name in names])

    def calls(self) -> list[tuple[str, bytes]]:
        keys = sorted(listed.key for listed in self._requests.listed(self._calls))
        if len(keys) > _MOST_CALLS:
            raise StateDamaged(f"{self._requests.url}/{self._calls}/ holds more than {_MOST_CALLS:,} objects")
        with ThreadPoolExecutor(_FETCHERS) as pool:
            found = pool.map(lambda key: (key, self._requests.get(key, _LARGEST_CALL_BYTES)), keys)
            held = [(key, each.content) for key, each in found if each is not None]
        return [(key.removeprefix(f"{self._calls}/").removesuffix(".json"), content) for key, content in held]

    def acquire(self, holder: Holder) -> Lease:
        return self._lease.acquire(holder)

    def renew(self, lease: Lease) -> Lease:
        return self._lease.renew(lease)

    def release(self, lease: Lease) -> None:
        self._lease.release(lease)

    def break_lock(self) -> Holder | None:
        return self._lease.break_it()

    def holder(self) -> Holder | None:
        return self._lease.holder()

    def close(self) -> None:
        """Nothing to close: obstore ends its connections by itself."""

    def _call_key(self, name: str) -> str:
        return f"{self._calls}/{name}.json"

    def _listed_backups(self) -> list[ListedObject]:
        """Newest first. By time: a state that was begun again counts its serials from 1 again."""
        pattern = re.compile(rf"{re.escape(self._backups)}/{re.escape(self._name)}\.([0-9]{{1,18}})\.json")
        found: list[tuple[float, int, ListedObject]] = []
        for listed in self._requests.listed(self._backups, after=f"{self._backups}/{self._name}."):
            if (match := pattern.fullmatch(listed.key)) is not None:
                found.append((listed.modified, int(match[1]), listed))
        return [listed for _, _, listed in sorted(found, reverse=True)]

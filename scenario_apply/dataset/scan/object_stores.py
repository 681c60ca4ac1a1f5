"""Reads the objects of one bucket: listing, facts, bytes.

A manifest names a bucket and a path, and nothing else: endpoint, region and credentials are the environment's
(object_access.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import ENOENT
from typing import Any

from scenario_apply.dataset.scan.remote_objects import (
    TAGGED_NS,
    RemoteChanged,
    RemoteFailed,
    RemoteObject,
    Sink,
    tag_number,
)
from scenario_apply.model.remote_urls import RemoteAccess
from scenario_apply.state.stores.remote.object_access import NotOpened, hint, open_bucket, reason

_INSTALL = "pip install 'scenario-apply[remote]' (pipx: pipx inject scenario-apply obstore)"


class BucketReader:
    """One bucket or container. url: such as s3://bucket."""

    def __init__(self, url: str, access: RemoteAccess) -> None:
        """Raises RemoteFailed: the extra is not installed, the endpoint is not encrypted, or a setting is wrong."""
        self._url = url
        try:
            self._store = open_bucket(url, allow_http=access.allow_http, timeout_s=120, connect_timeout_s=10, retries=3)
        except ImportError as error:
            raise RemoteFailed(f"{url} cannot be read: obstore is not installed", _INSTALL) from error
        except NotOpened as error:
            raise RemoteFailed(f"{url} cannot be opened: {error.why}", error.hint) from None

    def below(self, prefix: str) -> Iterator[RemoteObject]:
        """Everything below a folder, page by page. Raises RemoteFailed."""
        try:
            for page in self._store.list(prefix or None, chunk_size=1000):
                yield from (_object(meta) for meta in page)
        except Exception as error:
            raise RemoteFailed(f"{self._url} cannot be listed: {reason(error)}", hint(self._url, error)) from None

    def stat(self, key: str) -> RemoteObject | None:
        """One object; None when there is none. Raises RemoteFailed."""
        try:
            return _object(self._store.head(key))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise RemoteFailed(f"{self._url}/{key} cannot be read: {reason(error)}", hint(self._url, error)) from None

    def fetch(self, key: str, tag: str, out: Sink, most: int) -> None:
        """Writes the bytes of an object. tag: its ETag when it was listed; "": whatever it holds now.

        Raises RemoteChanged, RemoteFailed, and without a tag FileNotFoundError.
        """
        from obstore.exceptions import PreconditionError

        try:
            found = self._store.get(key, options={"if_match": tag} if tag else {})
            if found.meta["size"] > most:
                raise RemoteFailed(f"{self._url}/{key} has more than {most >> 20} MB")
            for piece in found.stream(min_chunk_size=1 << 20):
                out.write(piece)
        except RemoteFailed:
            raise
        except (FileNotFoundError, PreconditionError) as error:
            if not tag and isinstance(error, FileNotFoundError):
                raise FileNotFoundError(ENOENT, os.strerror(ENOENT)) from None
            raise RemoteChanged(f"{self._url}/{key} changed while it was read") from None
        except Exception as error:
            raise RemoteFailed(f"{self._url}/{key} cannot be read: {reason(error)}", hint(self._url, error)) from None


def _object(meta: Any) -> RemoteObject:
    tag = meta["e_tag"] or ""
    mtime_ns = int(meta["last_modified"].timestamp() * 1_000_000_000)
    number = tag_number(tag, meta["version"] or "", str(mtime_ns))
    return RemoteObject(meta["path"], meta["size"], TAGGED_NS if tag else mtime_ns, tag, number)

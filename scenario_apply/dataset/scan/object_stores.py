"""Reads object stores through obstore: S3 and what speaks its language, Google Cloud Storage, Azure.

Endpoint, region and credentials come from the caller's environment, as the stores' own programs read them: a manifest
names a bucket and a path, and nothing else. Of what a store answers only a status and a code are shown, because its
texts may repeat signatures.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from errno import ENOENT
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scenario_apply.dataset.scan.remote_objects import (
    TAGGED_NS,
    RemoteChanged,
    RemoteFailed,
    RemoteObject,
    Sink,
    tag_number,
)
from scenario_apply.model.remote_urls import RemoteAccess

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_INSTALL = "pip install 'scenario-apply[remote]' (pipx: pipx inject scenario-apply obstore)"


class BucketReader:
    """One bucket or container. url: such as s3://bucket."""

    def __init__(self, url: str, access: RemoteAccess) -> None:
        """Raises RemoteFailed: the extra is not installed, the endpoint is not encrypted, or a setting is wrong."""
        try:
            from obstore.store import from_url
        except ImportError as error:
            raise RemoteFailed(f"{url} cannot be read: obstore is not installed", _INSTALL) from error
        options: dict[str, Any] = {"timeout": timedelta(seconds=120), "connect_timeout": timedelta(seconds=10)}
        endpoint = s3_endpoint() if url.startswith("s3:") else None
        settings = {"endpoint": endpoint} if endpoint else {}
        if endpoint and endpoint.startswith("http:"):
            if not _may_be_unencrypted(endpoint, access):
                raise RemoteFailed(f"{url} cannot be opened: its endpoint is not encrypted", "--allow-http permits it")
            options["allow_http"] = True
        retries: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
        self._url = url
        try:
            # obstore types the settings of each kind of store apart
            opened = from_url(url, client_options=options, retry_config=retries, **settings)  # type: ignore[call-overload]
            self._store: ObjectStore = opened
        except Exception as error:  # obstore's errors have no common base with its ValueErrors
            raise RemoteFailed(f"{url} cannot be opened: {_reason(error)}", _hint(url)) from None

    def below(self, prefix: str) -> Iterator[RemoteObject]:
        """Everything below a folder, page by page. Raises RemoteFailed."""
        try:
            for page in self._store.list(prefix or None, chunk_size=1000):
                yield from (_object(meta) for meta in page)
        except Exception as error:
            raise RemoteFailed(f"{self._url} cannot be listed: {_reason(error)}", _hint(self._url)) from None

    def stat(self, key: str) -> RemoteObject | None:
        """One object; None when there is none. Raises RemoteFailed."""
        try:
            return _object(self._store.head(key))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise RemoteFailed(f"{self._url}/{key} cannot be read: {_reason(error)}", _hint(self._url)) from None

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
            raise RemoteFailed(f"{self._url}/{key} cannot be read: {_reason(error)}", _hint(self._url)) from None


def _object(meta: Any) -> RemoteObject:
    tag = meta["e_tag"] or ""
    mtime_ns = int(meta["last_modified"].timestamp() * 1_000_000_000)
    number = tag_number(tag, meta["version"] or "", str(mtime_ns))
    return RemoteObject(meta["path"], meta["size"], TAGGED_NS if tag else mtime_ns, tag, number)


def s3_endpoint() -> str | None:
    """The endpoint of S3 in the environment; None for that of AWS."""
    return next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), None)


def _may_be_unencrypted(endpoint: str, access: RemoteAccess) -> bool:
    """On this machine, or with consent: the manifest does not choose the endpoint."""
    host = urlsplit(endpoint).hostname or ""
    is_local = host == "localhost" or host.startswith("127.") or host == "::1"
    return is_local or access.allow_http or os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"


def _reason(error: Exception) -> str:
    """The status and the code of a store's answer, without its text."""
    said = str(error)
    status, code = _STATUS.search(said), _CODE.search(said)
    if status or code:
        return " ".join(filter(None, (code and code[1], status and f"(status {status[1]})")))
    if "must be specified" in said or "MissingAccount" in said:
        return "its account is not set"
    if "169.254.169.254" in said or "metadata" in said or "credential" in said.lower():
        return "there are no credentials for it"
    return "it does not answer" if "error sending request" in said else type(error).__name__


def _hint(url: str) -> str:
    names = {
        "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL; "
        "for a public bucket AWS_SKIP_SIGNATURE=true",
        "gs": "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS",
        "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or another of its variables",
    }
    return f"check the name and the store's variables: {names[url.partition(':')[0]]}"

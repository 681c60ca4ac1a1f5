"""What a store or a web server says about one of its files, and the errors of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple, Protocol

from scenario_apply.errors import ManifestError
from scenario_apply.manifest.spec import DatasetSpec

TAGGED_NS = 1
"""The time of a file with an ETag, which tells every change, however soon after another."""


class RemoteObject(NamedTuple):
    """key: the path in its bucket, or the URL. tag: its ETag, "" where there is none. identity: changes with it."""

    key: str
    size: int
    mtime_ns: int
    tag: str
    identity: int


class Sink(Protocol):
    """What takes the bytes of a file, piece by piece."""

    def write(self, piece: bytes, /) -> object: ...


class RemoteFailed(ManifestError):
    """A store or server refused, did not answer, or cannot be used."""

    code = "remote"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)


@contextmanager
def located(spec: DatasetSpec, key: str) -> Iterator[None]:
    """Puts the errors of remote files at the value of the manifest that names these."""
    try:
        yield
    except RemoteFailed as error:
        hint = error.problems[0].hint
        raise ManifestError(error.message, location=spec.place_of(key), hint=hint, code=error.code) from error


class RemoteChanged(RemoteFailed):
    """A file is no longer what was listed."""

    code = "dataset-changed"

    def __init__(self, message: str) -> None:
        super().__init__(message, "run the command again")


def tag_number(*parts: str) -> int:
    """A number for the fingerprint of a listing: other for another ETag or version."""
    return int.from_bytes(sha256("\n".join(parts).encode()).digest()[:7]) + 1

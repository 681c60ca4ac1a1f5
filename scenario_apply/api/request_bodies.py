"""Request bodies: JSON, pictures as base64 inside JSON, and plain bytes.

A picture is encoded while it is sent, piece by piece, so that an upload in flight holds the file's bytes and one piece
rather than three copies. A body can be gone through again for another attempt.
"""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.model.secret import Secret

PIECE_SIZE = 3 * 32 * 1024
"""Bytes of a picture encoded at a time; a multiple of 3, so that pieces join into one base64 text."""

SEND_SIZE = 128 * 1024
"""Bytes of a plain body handed to the socket at a time: a send's time limit is for one piece, not for all of it."""


class PlainBody:
    """Bytes as they are."""

    __slots__ = ("_view",)

    def __init__(self, content: bytes | memoryview) -> None:
        self._view = memoryview(content).cast("B")

    def __len__(self) -> int:
        return len(self._view)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for start in range(0, len(self._view), SEND_SIZE):
            yield self._view[start : start + SEND_SIZE]


class PictureBody:
    """before, then a picture as base64, then after."""

    __slots__ = ("_after", "_before", "_picture")

    def __init__(self, *, before: bytes, picture: bytes | memoryview, after: bytes) -> None:
        self._before = before
        self._picture = memoryview(picture).cast("B")
        self._after = after

    def __len__(self) -> int:
        return len(self._before) + (len(self._picture) + 2) // 3 * 4 + len(self._after)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        from pybase64 import b64encode

        head = self._before
        for start in range(0, len(self._picture), PIECE_SIZE):
            piece = b64encode(self._picture[start : start + PIECE_SIZE])
            yield head + piece if head else piece
            head = b""
        yield head + self._after


def json_body(value: object) -> PlainBody:
    """value as JSON. Raises TypeError for what JSON cannot hold."""
    return PlainBody(_dumped(value))


def data_url_body(*, name: str, mime: str, picture: bytes | memoryview) -> PictureBody:
    """{"name": ..., "data": "data:<mime>;base64,..."}: a training image. Source: the contract, section 10."""
    before = b'{"name":' + _dumped(name) + b',"data":' + _dumped(f"data:{mime};base64,")[:-1]
    return PictureBody(before=before, picture=picture, after=b'"}')


def bare_base64_body(*, name: str, picture: bytes | memoryview) -> PictureBody:
    """{"name": ..., "image": "<bare base64>"}: an asset. Source: the contract, section 10."""
    return PictureBody(before=b'{"name":' + _dumped(name) + b',"image":"', picture=picture, after=b'"}')


def _dumped(value: object) -> bytes:
    import msgspec

    return msgspec.json.encode(value, enc_hook=_as_sent)


def _as_sent(value: object) -> str:
    """A secret goes to the service as it is, and nowhere else."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} has no form in JSON")

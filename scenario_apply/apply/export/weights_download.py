"""The bytes of one exported file, continued where a broken connection or a killed run left off.

Nothing is joined that does not belong together: a server is asked to continue only the file whose ETag or size it
stated before, and whatever it answers is checked. Addresses are signed and secret: no message names more than the host.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from scenario_apply.apply.export.weights_record import WeightsError
from scenario_apply.dataset.scan.remote_objects import RemoteFailed
from scenario_apply.state.stores.own_files import OwnFolder

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

    from scenario_apply.model.ports import Clock
    from scenario_apply.model.secret import Secret

MOST_BYTES = 32 << 30
"""Of one file: far above what a LoRA of any known base takes."""
SPARE_BYTES = 64 << 20
"""Of the disk, which are left free."""

_PIECE = 1 << 20
_PAUSES_S = (1.0, 2.0, 5.0, 10.0)
"""After attempts in a row that brought nothing."""
_MOST_ADDRESSES = 3
"""That were refused in a row."""
_GONE = (401, 403, 404, 410)
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]{0,200}"')
"""Only such a tag may be sent as If-Range. Source: RFC 9110, section 13.1.5."""


class Stated(NamedTuple):
    """What a server said of a file. etag "": no strong one. size None: not said."""

    etag: str = ""
    size: int | None = None


class WholeFile(NamedTuple):
    """A downloaded file. resumed: bytes that were there before."""

    size: int
    sha256: str
    resumed: int


class AddressesGone(WeightsError):
    """The service gives no address that works any more."""


class FileSource(Protocol):
    """Where the bytes come from: WebReader."""

    def opened(self, url: str, headers: Mapping[str, str]) -> AbstractContextManager[BaseHTTPResponse]: ...


class PartFile:
    """The beginning of a file, with its size and digest. Bytes are appended; what does not fit is dropped."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0
        self.digest = sha256()
        while piece := file.read(_PIECE):
            self._take(piece)

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._take(piece)

    def restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.size, self.digest = 0, sha256()

    def flush(self, *, to_disk: bool = False) -> None:
        self._file.flush()
        if to_disk:
            os.fsync(self._file.fileno())

    def _take(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.size += len(piece)


@contextmanager
def part_file(folder: OwnFolder, name: str) -> Iterator[PartFile]:
    """The .part file of that name, made where there is none. Raises OSError."""
    with os.fdopen(folder.open(name, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
        yield PartFile(file)


class FileDownload(Struct, kw_only=True):
    """One file on its way to the disk.

    address: asks the service where the file is, before each request. may_ask: whether a host may be asked.
    note: keeps what the server states of the file. told: called with bytes that are there, and of how many.
    """

    source: FileSource
    clock: Clock
    folder: OwnFolder
    part: str
    address: Callable[[], Secret]
    may_ask: Callable[[str], bool]
    stated: Stated
    note: Callable[[Stated], None]
    told: Callable[[int, int | None], None]

    def run(self) -> WholeFile:
        """The whole file, in its .part. Raises WeightsError, AddressesGone, OSError, and what address raises."""
        with part_file(self.folder, self.part) as part:
            resumed = self._beginning(part)
            self._fill(part)
            part.flush(to_disk=True)
            return WholeFile(part.size, part.digest.hexdigest(), resumed)

    def _beginning(self, part: PartFile) -> int:
        """How much an earlier run left that can be continued: nothing where it is unknown of which file it is."""
        if not self.stated.etag and self.stated.size is None:
            part.restart()
        return part.size

    def _fill(self, part: PartFile) -> None:
        furthest, idle, refused = part.size, 0, 0
        address = self._allowed_address()
        while True:
            why: WeightsError | None = None
            try:
                if self._attempt(address, part):
                    return
                why = WeightsError(f"the download from {_host(address)} ended early")
            except _Gone as gone:
                refused += 1
                if refused >= _MOST_ADDRESSES:
                    what = f"{_host(address)} refuses every address of the file (HTTP {gone.status})"
                    raise AddressesGone(what, hint="run the command again later") from None
            except RemoteFailed as error:
                why = WeightsError(error.message, hint=error.problems[0].hint)
            finally:
                part.flush()
            if part.size > furthest:
                furthest, idle, refused = part.size, 0, 0
            elif why is not None:
                idle += 1
                if idle > len(_PAUSES_S):
                    raise why
                self.clock.wait(_PAUSES_S[idle - 1])
            address = self._allowed_address()

    def _allowed_address(self) -> Secret:
        address = self.address()
        if not self.may_ask(address.reveal()):
            host = _host(address)
            raise WeightsError(
                f"the file lies on {host}, which is no host of the service",
                hint=f"if that is meant: SCENARIO_APPLY_ALLOW_REMOTE=https://{host}/; the export is not begun again",
            )
        return address

    def _attempt(self, address: Secret, part: PartFile) -> bool:
        """Reads on. Whether the file is whole. Raises RemoteFailed where the connection breaks, _Gone."""
        import urllib3

        headers: dict[str, str] = {}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
            if self.stated.etag:
                headers["If-Range"] = self.stated.etag
        with self.source.opened(address.reveal(), headers) as answer:
            if answer.status in _GONE:
                raise _Gone(answer.status)
            if answer.status == 416:
                if part.size and part.size == self.stated.size:
                    return True
                part.restart()
                return False
            total = self._agreed(answer, part)
            if total is not None:
                self._check_room(total, part.size)
            try:
                # not stream(): it reads a chunk of any length that a server states, and waits for all of a piece
                while piece := answer.read1(_PIECE):
                    if part.size + len(piece) > MOST_BYTES:
                        raise WeightsError(f"the file has more than {MOST_BYTES >> 30} GB")
                    part.write(piece)
                    self.told(part.size, total)
            except (urllib3.exceptions.HTTPError, TimeoutError, ConnectionError) as error:
                raise RemoteFailed(f"the download from {_host(address)} ended early") from error
        return total is None or part.size == total

    def _agreed(self, answer: BaseHTTPResponse, part: PartFile) -> int | None:
        """The size of the whole file, once the answer continues the part or the part was emptied for it."""
        tag = answer.headers.get("ETag", "")
        found = Stated(tag if _STRONG_TAG.fullmatch(tag) else "")
        if answer.status == 206:
            start, total = _range_of(answer.headers.get("Content-Range", ""))
            found = found._replace(size=total)
            same_tag = not (found.etag and self.stated.etag) or found.etag == self.stated.etag
            same_size = total == self.stated.size or (total is None and bool(self.stated.etag))
            if start != part.size or not (same_tag and (same_size or self.stated.size is None)):
                part.restart()
                raise RemoteFailed("the server continues another file than it began")
            return self.stated.size if total is None else total
        if answer.status != 200:
            raise RemoteFailed(f"the server answers with status {answer.status}")
        part.restart()  # it sends the whole file, because it is another one or because it knows no ranges
        length = answer.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and len(length) < 19:
            found = found._replace(size=int(length))
        if found != self.stated:
            self.stated = found
            self.note(found)
        return found.size

    def _check_room(self, total: int, there: int) -> None:
        if total > MOST_BYTES:
            raise WeightsError(f"the file has {total / 1e9:.1f} GB; at most {MOST_BYTES >> 30} GB are downloaded")
        free = shutil.disk_usage(self.folder.path).free
        needed = total - there + SPARE_BYTES
        if needed > free:
            raise WeightsError(
                f"it needs {needed:,} bytes of room, and {self.folder.path} has {free:,} bytes free",
                hint="make room, or name a folder on another disk; the export is not begun again in this one",
            )


class _Gone(Exception):
    """An address that does not work any more."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


def _range_of(text: str) -> tuple[int | None, int | None]:
    """Where the bytes of an answer begin, and how many the file has."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        return None, None
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _host(address: Secret) -> str:
    return urlsplit(address.reveal()).hostname or "its server"

"""Parts of multipart uploads: signed addresses that take a PUT without credentials and stream it to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.messages import Request, Response, bad_request, not_found
from scenario_apply.emulator.store import load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World


class PartFile:
    """A part that is being written: it appears under its name only when it is complete."""

    def __init__(self, target: Path, limit: int) -> None:
        self._target = target
        self._temporary = target.with_name(f"{target.name}.{new_id('')}.tmp")
        self._out = self._temporary.open("wb", buffering=0)
        self._left = limit

    def write(self, data: bytes) -> None:
        """The next piece; what exceeds the announced size is not kept."""
        self._left -= len(data)
        if self._left >= 0:
            self._out.write(data)

    def abandon(self) -> None:
        """The part will not be kept; after `keep` this does nothing."""
        if self._out.closed:
            return
        self._out.close()
        self._temporary.unlink(missing_ok=True)

    def keep(self) -> bool:
        """Put the part in its place, over an earlier one; False when it was larger than announced."""
        if self._left < 0:
            self.abandon()
            return False
        self._out.close()
        self._temporary.replace(self._target)
        return True


def open_part(world: World, request: Request) -> None:
    """Prepare to receive a body. Raises 404 or 400 for an address that accepts none."""
    target, limit = _place(world, *request.params)
    request.sink = PartFile(target, limit)


def put(world: World, request: Request) -> Response:
    """PUT /parts/{uploadId}/{number}"""
    part = request.sink
    assert isinstance(part, PartFile)
    _place(world, *request.params)  # the upload may have been closed while the body came in
    if not part.keep():
        raise bad_request("body: is larger than the fileSize the upload was opened with")
    return Response(b"", headers={"ETag": f'"{request.id}"'}, content_type="text/plain")


def _place(world: World, upload: str, number: str) -> tuple[Path, int]:
    row = world.db.one("SELECT * FROM uploads WHERE id = ?", (upload,))
    if row is None:
        raise not_found("Upload", upload)
    doc = load(row["doc"])
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= doc["parts"]):
        raise not_found("Part", number)
    if row["status"] != "pending":
        raise bad_request("The upload is closed")
    return world.blobs.part(upload, int(number)), int(doc["fileSize"])

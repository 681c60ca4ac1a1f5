"""What an exported file is, by its bytes: safetensors of the size that its head says, an archive, or something else.

Source of the format: the safetensors project, "Format": eight bytes with the length of a JSON head, the head, the data.
"""

from __future__ import annotations

from typing import BinaryIO

from scenario_apply.apply.export.weights_record import WeightsError
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit

_LONGEST_HEAD = 100_000_000
"""That the format's own readers take."""
_BEGINS = 1024


def ending_of_weights(file: BinaryIO, size: int) -> str:
    """.safetensors, .zip, or .bin for bytes of another kind. Raises WeightsError for a web page and for a cut file."""
    start = file.read(_BEGINS)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ".zip"
    if not start or start.lstrip()[:1] in (b"<", b"{"):
        what = "an empty file" if not start else "a page or a message"
        raise WeightsError(f"what the service sent is {what} in place of weights", hint="export again")
    length = int.from_bytes(start[:8], "little")
    if len(start) < 9 or start[8:9] != b"{" or length > min(_LONGEST_HEAD, max(size, _BEGINS)):
        return ".bin"
    file.seek(8)
    expected = _size_of(file.read(length))
    if expected is None:
        return ".bin"
    if 8 + length + expected != size:
        raise WeightsError(
            f"the file has {size:,} bytes, and its head promises {8 + length + expected:,}", hint="export again"
        )
    return ".safetensors"


def _size_of(head: bytes) -> int | None:
    """The bytes of data that a head describes; None where it is no head."""
    try:
        found = codec.decoded(head, dict[str, object])
    except Misfit:
        return None
    ends = [0]
    for name, tensor in found.items():
        if name == "__metadata__":
            continue
        offsets = tensor.get("data_offsets") if isinstance(tensor, dict) else None
        if not (isinstance(offsets, list) and len(offsets) == 2 and all(isinstance(one, int) for one in offsets)):
            return None
        ends.append(offsets[1])
    return max(ends)

"""Pictures of the golden cases: real PNGs, made at test start, the same bytes on every machine.

The pixels are stored, not deflated: compressors differ, and the digests of these files stand in committed states.
"""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

SIDE = 1024
_STORED_AT_MOST = 65_535


@lru_cache(maxsize=64)
def png(seed: int, padding_bytes: int = 0) -> bytes:
    """A black and white picture of SIDE x SIDE: a pattern of its seed. padding_bytes: of metadata, to make it large."""
    stripe = sha256(str(seed).encode()).digest() * (SIDE // 8 // 32)
    rows = b"".join(b"\x00" + stripe[y // 64 :] + stripe[: y // 64] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header)]
    if padding_bytes:
        chunks.append(_chunk(b"paDd", bytes(padding_bytes)))
    chunks += [_chunk(b"IDAT", _stored(rows)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    """A zlib stream of blocks that are not compressed."""
    starts = range(0, len(data), _STORED_AT_MOST)
    blocks = [
        struct.pack("<BHH", start == starts[-1], len(block), len(block) ^ 0xFFFF) + block
        for start in starts
        for block in [data[start : start + _STORED_AT_MOST]]
    ]
    return b"\x78\x01" + b"".join(blocks) + struct.pack(">I", zlib.adler32(data))


def write_pictures(folder: Path, wanted: dict[str, int | list[int]]) -> None:
    """Write them: path -> seed; path -> [seed, bytes of padding]; a folder ending in / -> seeds of 01.png, 02.png."""
    for path, seeds in wanted.items():
        if path.endswith("/"):
            assert isinstance(seeds, list)
            for number, seed in enumerate(seeds, start=1):
                _write(folder / path / f"{number:02}.png", png(seed))
        else:
            _write(folder / path, png(*(seeds if isinstance(seeds, list) else [seeds])))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)

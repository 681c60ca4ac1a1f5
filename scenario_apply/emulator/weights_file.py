"""The file of a weights export: valid safetensors with a few small tensors, which say that they are simulated."""

from __future__ import annotations

import random
import sys
from array import array
from functools import lru_cache

from scenario_apply.emulator.learning import share_of
from scenario_apply.emulator.messages import Json
from scenario_apply.emulator.store import Row, dump, load

_SIDE = 64
_BLOCKS = 2
_RANK, _MOST_RANK = 16, 128
_ALIGNED = 8


def weights_of(row: Row, epoch: str | None) -> Json:
    """What the weights of a trained model are at an epoch, else at the one in use: to be stored with an export."""
    doc = load(row["doc"])
    epoch = epoch or doc.get("epoch")
    metadata = {
        "format": "pt",
        "simulated": "true",
        "by": "scenario-apply emulator",
        "modelId": row["id"],
        "modelName": row["name"] or "",
        "modelType": row["type"],
        **({"epoch": epoch} if epoch else {}),
    }
    return {
        "metadata": metadata,
        "key": "/".join(entry["key"] for entry in doc.get("learned", ())) or row["id"],
        "rank": min(_MOST_RANK, int(doc.get("parameters", {}).get("rank", _RANK))),
        "learned": share_of(doc, epoch),
    }


def weights_file(weights: Json) -> bytes:
    """Their file, of some 30 KB for a rank of 16: always the same for the same weights."""
    return _file(dump(weights["metadata"]), weights["key"], weights["rank"], weights["learned"])


@lru_cache(maxsize=8)
def _file(metadata: bytes, key: str, rank: int, learned: float) -> bytes:
    """Eight bytes of length, the header as JSON, the tensors: the format of safetensors, little-endian."""
    header: Json = {"__metadata__": load(metadata)}
    data = bytearray()
    for block in range(_BLOCKS):
        for part, shape in (("lora_A", [rank, _SIDE]), ("lora_B", [_SIDE, rank])):
            name = f"transformer.blocks.{block}.{part}.weight"
            dice = random.Random(f"{key}/{name}")  # noqa: S311 -- repeatable numbers, not secrets
            values = array("f", [learned * dice.uniform(-0.05, 0.05) for _ in range(rank * _SIDE)])
            if sys.byteorder == "big":
                values.byteswap()
            start = len(data)
            data += values.tobytes()
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    head = dump(header)
    head += b" " * (-len(head) % _ALIGNED)
    return len(head).to_bytes(8, "little") + head + bytes(data)

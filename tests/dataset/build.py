"""Pictures and specs for dataset tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from scenario_apply.errors import Location
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec, PairSpec

PLACE = Location(file="scenario.yaml", line=3)
_KINDS = ("auto", "sidecar", "filename")


def picture(*, seed: int = 0, size: tuple[int, int] = (1024, 1024), kind: str = "PNG", **options: Any) -> bytes:
    """A picture like no other of another seed, also to a difference hash: coarse coloured blocks, enlarged."""
    blocks = Image.frombytes("RGB", (4, 4), bytes((seed * 37 + at * (seed % 11 + 3) * 29) % 256 for at in range(48)))
    out = io.BytesIO()
    blocks.resize(size, Image.Resampling.NEAREST).save(out, kind, **options)
    return out.getvalue()


def make_picture(path: Path, *, seed: int = 0, size: tuple[int, int] = (1024, 1024), **options: Any) -> None:
    formats = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".gif": "GIF", ".bmp": "BMP"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(seed=seed, size=size, kind=formats.get(path.suffix, "TIFF"), **options))


def spec_from(told: Any) -> DatasetSpec:
    """A dataset as a manifest words it, in the few forms tests use."""
    held = dict(told)
    captions = held.pop("captions", None)
    if isinstance(captions, dict):
        held["captions"] = CaptionSource(kind="map", entries=captions)
    elif captions in _KINDS:
        held["captions"] = CaptionSource(kind=captions)
    elif captions is not None:
        held["captions"] = CaptionSource(kind="file", path=captions)
    if "pairs" in held:
        held["pairs"] = PairSpec(**held["pairs"])
    for name in ("images", "exclude"):
        if name in held:
            held[name] = tuple(held[name])
    return DatasetSpec(name="set", place=PLACE, **held)

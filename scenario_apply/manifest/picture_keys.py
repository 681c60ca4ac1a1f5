"""The keys of a dataset that make its pictures fit: orient, metadata, icc, background, max_side, convert."""

from __future__ import annotations

from scenario_apply.manifest.fields import text, whole
from scenario_apply.manifest.positions import Map
from scenario_apply.model.picture_options import PictureOptions


def picture_options(fields: Map) -> PictureOptions:
    """Values that the schema refuses, which it reports, count as left out."""
    background, convert, side = text(fields, "background"), text(fields, "convert"), whole(fields, "max_side")
    return PictureOptions(
        orient="keep" if text(fields, "orient") == "keep" else "apply",
        metadata="keep" if text(fields, "metadata") == "keep" else "strip",
        icc="srgb" if text(fields, "icc") == "srgb" else "keep",
        background=None if background is None else background.lower(),
        max_side=side,
        convert="png" if convert == "png" else "jpeg" if convert == "jpeg" else None,
    )

"""How pictures are made fit for a training: the options of a dataset, and what a picture is known by once altered."""

from __future__ import annotations

from typing import Literal, NamedTuple

UNKNOWN_RECIPE = "?"
"""The recipe of a Git LFS pointer: only the picture itself shows which alterations apply to it."""


class PictureOptions(NamedTuple):
    """The keys of a dataset with these names. background: "#rrggbb"; None in the last three: left as it is."""

    orient: Literal["apply", "keep"] = "apply"
    metadata: Literal["strip", "keep"] = "strip"
    icc: Literal["srgb", "keep"] = "keep"
    background: str | None = None
    max_side: int | None = None
    convert: Literal["png", "jpeg"] | None = None

    @property
    def text(self) -> str:
        """The same as one short text, as states record it; "" for the defaults."""
        pairs = zip(self._fields, self, PictureOptions(), strict=True)
        return ";".join(f"{key}={value}" for key, value, default in pairs if value != default)


def content_id(sha256: str, recipe: str) -> str:
    """What a picture is compared by: the digest of its file, and the recipe where it is altered.

    So neither a plan nor a new release of Pillow has to alter a picture to know whether it is the recorded one.
    """
    return f"{sha256};{recipe}" if recipe else sha256


def only_defaults(recipe: str) -> bool:
    """Whether the recipe has no more than what is done without being asked for."""
    return bool(recipe) and {"orient", "strip"}.issuperset(recipe.split(";"))

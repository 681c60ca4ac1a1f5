"""The pictures of a page: each by the digest of its file, in as many bytes as the page has room for. Values only."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple

PICTURE_BYTES = 2_900_000
"""Of all pictures of a page together. In base64, and with a megabyte of text, the page stays below 5 MB."""
_ALONE_BYTES = 3_500_000  # of all samples on a page that shows nothing else: in base64 it stays below 5 MB
_TEXT_BYTES = 1_500  # of a page for each other picture: its caption, findings and settings
_MOST_BYTES = 48_000  # of one picture, on a page with few
_LEAST_BYTES = 2_000  # with less it shows nothing, so that a page has at most 1,450 pictures


class PageImage(NamedTuple):
    """src: a data URI; "" for a picture that is not shown, with why, which continues "not shown: ".

    width, height: of what is shown, in pixels.
    """

    src: str = ""
    width: int = 0
    height: int = 0
    why: str = ""


Album = Mapping[str, PageImage]
"""By digest of the file: SHA-256 in hex."""

UNKNOWN = PageImage(why="its file is neither here nor in a commit at hand")


def inline_image(data: bytes, mime: str, width: int, height: int) -> PageImage:
    """An image that is a part of the page."""
    return PageImage(f"data:{mime};base64,{b64encode(data).decode()}", width, height)


class Room(NamedTuple):
    """How many pictures a page shows, and in how many bytes each."""

    pictures: int
    bytes_each: int


def room_for(pictures: int) -> Room:
    """The more pictures, the fewer bytes for each, so that together they have PICTURE_BYTES at most."""
    most = min(pictures, PICTURE_BYTES // _LEAST_BYTES)
    return Room(most, min(_MOST_BYTES, PICTURE_BYTES // max(most, 1)))


def room_of_samples(samples: int, others: int) -> int:
    """Bytes of all samples together: what the other pictures leave of the page, and at least an equal share.

    Copies that fit are shown as they are: making them smaller takes more time than the whole page.
    """
    share = PICTURE_BYTES * samples // max(samples + others, 1)
    return max(share, _ALONE_BYTES - others * (room_for(samples + others).bytes_each + _TEXT_BYTES))

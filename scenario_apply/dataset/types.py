"""A dataset as it will be sent: images with their final captions, pairs, and a digest of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic
from scenario_apply.model.picture_options import PictureOptions, content_id


class Image(Struct, frozen=True, kw_only=True):
    """One picture. path: within the dataset, POSIX, NFC: its name in plans and on the service.

    sha256, size_bytes: of the file. mime, width, height: of what is sent, which the recipe makes of the file; see
    dataset.recipes. most_bytes: what is sent hardly has more. caption: as sent, with trigger, prefix, suffix and
    template applied; None: Scenario writes it. hashes: as in Facts, "" where the pixels were not decoded.
    """

    path: str
    file: str  # relative to the manifest's root, POSIX
    sha256: str  # lower-case hex
    size_bytes: int
    mime: str  # by content, e.g. image/png
    width: int
    height: int
    caption: str | None
    is_lfs_pointer: bool = False  # digest and size come from the pointer; the picture itself is not present
    recipe: str = ""
    most_bytes: int = 0
    hashes: str = ""

    @property
    def content(self) -> str:
        """What it is compared by: see content_id."""
        return content_id(self.sha256, self.recipe)

    @property
    def bytes_to_send(self) -> int:
        """What is sent hardly has more."""
        return self.most_bytes or self.size_bytes


class Pair(Struct, frozen=True, kw_only=True):
    """One edit pair: paths of two images of the dataset."""

    before: str
    after: str
    instruction: str


class Convention(NamedTuple):
    """A source of captions, or a layout of folders, in which a dataset keeps its files.

    kind: a stable name. number: of the pictures or pairs it holds for. file: of a table, relative to the root; for
    files beside pictures their ending; for layouts the folder or prefix that is read. is_declared: the manifest names
    it; otherwise it was recognised.
    """

    kind: str
    number: int
    file: str | None = None
    is_declared: bool = False


class Contents(Struct, frozen=True, kw_only=True):
    """The images and pairs of a dataset, in natural order of paths."""

    images: tuple[Image, ...]
    pairs: tuple[Pair, ...] = ()


class Dataset(Struct, frozen=True, kw_only=True, dict=True):
    """A scanned dataset. The digest is known at once; contents are loaded on first access.

    digest: "sha256:<hex>" over the sorted (content, caption) of the images and the pairs by content:
    file names and their order do not change it. source_digest: the same over the files as they are, whatever is done
    to them before they are sent. references: pictures outside of it that samples of its models start from, by their
    paths as written. altered: images with a recipe; unknown: Git LFS pointers, whose recipe is not known.
    """

    name: str
    digest: str
    source_digest: str
    image_count: int
    pair_count: int
    problems: tuple[Diagnostic, ...]  # lint findings of every severity; the caller decides what stops it
    load: Callable[[], Contents]
    altered: int = 0
    unknown: int = 0
    options: PictureOptions = PictureOptions()
    conventions: tuple[Convention, ...] = ()  # how its pictures and captions were found
    references: Mapping[str, Image] = field(default_factory=dict)

    @cached_property
    def contents(self) -> Contents:
        return self.load()

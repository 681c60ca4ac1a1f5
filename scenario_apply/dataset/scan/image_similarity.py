"""The deep scan: decodes each picture once to find near-duplicates, transparency and damaged pixel data."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.lint.duplicate_rules import ColourDifference, ColourGap
from scenario_apply.dataset.scan import pillow_images
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.parallel import TaskRunner
from scenario_apply.dataset.scan.pillow_images import DamagedPicture, NotDecoded, PixelSummary, colour_difference
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.model.file_names import name_of

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_THUMBNAILS = 2_000  # of 3 kB each, and twice what a dataset may have
_MOST_GAPS = 100_000  # comparisons that are kept, of about 300 bytes each


class SeenPixels:
    """What was decoded in this run, by SHA-256, so that a picture of several datasets is decoded once.

    hashed: facts with hashes. thumbnails: colours for comparisons; the oldest are dropped beyond _MOST_THUMBNAILS.
    gaps: results of comparisons, by both digests and whether the first was mirrored.
    """

    def __init__(self) -> None:
        self.hashed: dict[str, Facts] = {}
        self.thumbnails: dict[str, Image] = {}
        self.gaps: dict[tuple[str, str, bool], ColourGap] = {}
        self._lock = threading.Lock()

    def look_at(self, data: bytes, facts: Facts, allowance: DecodingAllowance) -> None:
        """Decodes a file that was just read, so that it is not read again.

        What cannot be decoded is left to add_pixel_facts, which reports it.
        """
        if not (facts.fault or facts.is_lfs_pointer or facts.sha256 in self.hashed):
            with suppress(NotDecoded, DamagedPicture):
                self.add(facts, pillow_images.read_pixels(data, allowance))

    def add(self, facts: Facts, summary: PixelSummary) -> Facts:
        """The facts with what the pixels show, which is kept for every file with the same bytes."""
        found = facts._replace(hashes=summary.hashes, transparent=summary.transparent, statistics=summary.statistics)
        self.hashed[facts.sha256] = found
        self.keep(facts.sha256, summary.colours)
        return found

    def keep(self, digest: str, colours: Image) -> None:
        """Adds a thumbnail."""
        with self._lock:
            self.thumbnails[digest] = colours
            if len(self.thumbnails) > _MOST_THUMBNAILS:
                del self.thumbnails[next(iter(self.thumbnails))]


class PixelFacts(NamedTuple):
    """facts: by file, with hashes. not_decoded: how many have none because the decoding allowance was spent."""

    facts: dict[str, Facts]
    difference: ColourDifference
    not_decoded: int


def add_pixel_facts(
    guard: DataGuard,
    facts: dict[str, Facts],
    run: TaskRunner,
    allowance: DecodingAllowance,
    seen: SeenPixels,
) -> PixelFacts:
    """Facts with hashes, and a function that compares colours. A picture with hashes is only decoded to compare it."""
    reader = _PixelReader(guard, allowance, seen, {fact.file: fact.sha256 for fact in facts.values()})
    without = [f for f in facts.values() if not (f.hashes or f.fault or f.is_lfs_pointer)]
    seen_now = {f.file: f.with_pixels_of(seen.hashed[f.sha256]) for f in without if f.sha256 in seen.hashed}
    others = [f for f in without if f.file not in seen_now]
    updated = facts | seen_now | {fact.file: fact for fact in run(reader.add_hashes, others)}
    not_decoded = sum(not (updated[f.file].hashes or updated[f.file].fault) for f in others)
    return PixelFacts(updated, reader.difference, not_decoded)


class _PixelReader:
    """Decodes the pictures of one dataset. digests: the SHA-256 of each file."""

    def __init__(
        self, guard: DataGuard, allowance: DecodingAllowance, seen: SeenPixels, digests: dict[str, str]
    ) -> None:
        self._guard = guard
        self._allowance = allowance
        self._seen = seen
        self._digests = digests
        self._unreadable: set[str] = set()  # files that could not be decoded for a comparison

    def add_hashes(self, facts: Facts) -> Facts:
        """The facts with hashes, or with the fault that decoding found; unchanged when the allowance is spent."""
        known = self._seen.hashed.get(facts.sha256)
        if known is not None:
            return facts.with_pixels_of(known)
        try:
            summary = self._decode(facts.file)
        except NotDecoded:
            return facts
        except OSError as error:
            return facts._replace(fault="F01", fault_text=f"cannot be read: {error.strerror}")
        except DamagedPicture as error:
            text = f"{name_of(facts.file)} is damaged: {error}; export or download it again"
            return facts._replace(fault="F02", fault_text=text)
        return self._seen.add(facts, summary)

    def difference(self, one: str, other: str, *, mirrored: bool = False) -> ColourGap | None:
        """How far two files' thumbnails are apart, the first mirrored if so said; None when one is not decoded."""
        key = (self._digests[one], self._digests[other], mirrored)
        known = self._seen.gaps.get(key)
        if known is not None:
            return known
        first, second = self._thumbnail(one), self._thumbnail(other)
        if first is None or second is None or not self._allowance.take_comparison():
            return None
        gap = colour_difference(first, second, mirrored=mirrored)
        if len(self._seen.gaps) < _MOST_GAPS:
            self._seen.gaps[key] = gap
        return gap

    def _thumbnail(self, file: str) -> Image | None:
        colours = self._seen.thumbnails.get(self._digests[file])
        if colours is None and file not in self._unreadable:
            try:
                colours = self._decode(file).colours
            except (NotDecoded, DamagedPicture, OSError):  # it changed since: the next scan reads it again
                self._unreadable.add(file)
            else:
                self._seen.keep(self._digests[file], colours)
        return colours

    def _decode(self, file: str) -> PixelSummary:
        with self._guard.opened(file) as source:
            data = source.read()
        return pillow_images.read_pixels(data, self._allowance)

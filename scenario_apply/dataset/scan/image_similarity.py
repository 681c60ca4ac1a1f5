"""The deep scan: decodes each picture once to find near-duplicates, transparency and damaged pixel data."""

from __future__ import annotations

from typing import NamedTuple

from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.lint.duplicate_rules import ColourDifference
from scenario_apply.dataset.scan import pillow_images
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.parallel import TaskRunner
from scenario_apply.dataset.scan.pillow_images import DamagedPicture, NotDecoded, PixelSummary
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.model.file_names import name_of


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
    by_digest: dict[str, Facts],
) -> PixelFacts:
    """Facts with hashes, and a function that compares colours. A picture with hashes is only decoded to compare it.

    by_digest: facts with hashes of this run, to which new ones are added.
    """
    reader = _PixelReader(guard, allowance, by_digest)
    without = [f for f in facts.values() if not (f.hashes or f.fault or f.is_lfs_pointer)]
    updated = facts | {fact.file: fact for fact in run(reader.add_hashes, without)}
    not_decoded = sum(not (updated[f.file].hashes or updated[f.file].fault) for f in without)
    return PixelFacts(updated, reader.difference, not_decoded)


class _PixelReader:
    """Decodes the pictures of one dataset and keeps their thumbnails."""

    def __init__(self, guard: DataGuard, allowance: DecodingAllowance, by_digest: dict[str, Facts]) -> None:
        self._guard = guard
        self._allowance = allowance
        self._by_digest = by_digest
        self._thumbnails: dict[str, bytes | None] = {}  # by file; None: it could not be decoded

    def add_hashes(self, facts: Facts) -> Facts:
        """The facts with hashes, or with the fault that decoding found; unchanged when the allowance is spent."""
        known = self._by_digest.get(facts.sha256)
        if known is not None:
            return facts._replace(hashes=known.hashes, transparent=known.transparent)
        try:
            summary = self._decode(facts.file)
        except NotDecoded:
            return facts
        except OSError as error:
            return facts._replace(fault="F01", fault_text=f"cannot be read: {error.strerror}")
        except DamagedPicture as error:
            text = f"{name_of(facts.file)} is damaged: {error}; export or download it again"
            return facts._replace(fault="F02", fault_text=text)
        self._thumbnails[facts.file] = summary.colours
        found = facts._replace(hashes=summary.hashes, transparent=summary.transparent)
        self._by_digest[facts.sha256] = found
        return found

    def difference(self, one: str, other: str) -> float | None:
        """The mean difference per channel of two files' thumbnails; None when one cannot be decoded."""
        first, second = self._thumbnail(one), self._thumbnail(other)
        if first is None or second is None or not self._allowance.take_comparison():
            return None
        return pillow_images.colour_difference(first, second)

    def _thumbnail(self, file: str) -> bytes | None:
        if file not in self._thumbnails:
            try:
                self._thumbnails[file] = self._decode(file).colours
            except (NotDecoded, DamagedPicture, OSError):  # it changed since: the next scan reads it again
                self._thumbnails[file] = None
        return self._thumbnails[file]

    def _decode(self, file: str) -> PixelSummary:
        with self._guard.opened(file) as source:
            data = source.read()
        return pillow_images.read_pixels(data, self._allowance)

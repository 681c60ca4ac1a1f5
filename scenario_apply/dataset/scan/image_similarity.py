"""The deep pass: pixels decoded once, for near duplicates, transparency, and damage that no header shows."""

from __future__ import annotations

from typing import NamedTuple

from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.lint.duplicate_rules import ColourDifference
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.parallel import TaskRunner
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.model.file_names import name_of


class Closer(NamedTuple):
    """facts: with looks, by file. not_decoded: how many have none because too much was decoded already."""

    facts: dict[str, Facts]
    difference: ColourDifference
    not_decoded: int


def look_closer(
    guard: DataGuard,
    facts: dict[str, Facts],
    run: TaskRunner,
    allowance: DecodingAllowance,
    looked_at: dict[str, Facts],
) -> Closer:
    """Facts with looks, and a way to compare colours; a known look is decoded again only for a comparison.

    looked_at: facts with looks of this run by digest, which this adds to.
    """
    from scenario_apply.dataset.scan.pillow_images import DamagedPicture, NotDecoded, colour_difference, look_at

    colours: dict[str, bytes | None] = {}

    def read(file: str) -> bytes:
        with guard.opened(file) as source:
            return source.read()

    def look(known: Facts) -> Facts:
        twin = looked_at.get(known.sha256)
        if twin is not None:
            return known._replace(look=twin.look, transparent=twin.transparent)
        try:
            seen = look_at(read(known.file), allowance)
        except NotDecoded:
            return known
        except OSError as error:
            text = f"cannot be read: {error.strerror}"
            return known._replace(fault="F01", fault_text=text)
        except DamagedPicture as error:
            text = f"{name_of(known.file)} is damaged: {error}; export or download it again"
            return known._replace(fault="F02", fault_text=text)
        colours[known.file] = seen.colours
        looked_at[known.sha256] = known._replace(look=seen.hashes, transparent=seen.transparent)
        return looked_at[known.sha256]

    unseen = [f for f in facts.values() if not (f.look or f.fault or f.is_lfs_pointer)]
    updated = dict(facts)
    not_decoded = 0
    for fact in run(look, unseen):
        updated[fact.file] = fact
        not_decoded += not (fact.look or fact.fault)

    def difference(one: str, other: str) -> float | None:
        first, second = (_thumbnail(file) for file in (one, other))
        if first is None or second is None or not allowance.take_comparison():
            return None
        return colour_difference(first, second)

    def _thumbnail(file: str) -> bytes | None:
        if file not in colours:
            try:
                colours[file] = look_at(read(file), allowance).colours
            except (
                NotDecoded,
                DamagedPicture,
                OSError,
            ):  # changed meanwhile: the next scan reads it again
                colours[file] = None
        return colours[file]

    return Closer(updated, difference, not_decoded)

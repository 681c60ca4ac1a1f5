"""The deep pass: pixels decoded once, for near duplicates, transparency, and damage that no header shows."""

from __future__ import annotations

from scenario_apply.core.dataset.facts import Facts
from scenario_apply.core.dataset.lint_duplicates import ColourDifference
from scenario_apply.core.dataset.names import name_of
from scenario_apply.effects.files.workers import Run


def look_closer(root: str, facts: dict[str, Facts], run: Run) -> tuple[dict[str, Facts], ColourDifference]:
    """Facts with looks, and a way to compare colours; a known look is decoded again only for a comparison."""
    from scenario_apply.effects.files.pictures import DamagedPicture, look_at

    colours: dict[str, bytes] = {}

    def look(known: Facts) -> Facts:
        try:
            seen, thumbnail, transparent = look_at(f"{root}/{known.file}")
        except DamagedPicture as error:
            text = f"{name_of(known.file)} is damaged: {error}; export or download it again"
            return known._replace(fault="F02", fault_text=text)
        colours[known.file] = thumbnail
        return known._replace(look=seen, transparent=transparent)

    unseen = [f for f in facts.values() if not (f.look or f.fault or f.is_lfs_pointer)]
    updated = dict(facts)
    for fact in run(look, unseen):
        updated[fact.file] = fact

    def difference(one: str, other: str) -> float:
        first, second = (_thumbnail(file) for file in (one, other))
        return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)

    def _thumbnail(file: str) -> bytes:
        if file not in colours:
            colours[file] = look_at(f"{root}/{file}")[1]
        return colours[file]

    return updated, difference

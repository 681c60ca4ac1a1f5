"""The deep pass: pixels decoded once, for near duplicates, transparency, and damage that no header shows."""

from __future__ import annotations

from scenario_apply.core.dataset.facts import Facts
from scenario_apply.core.dataset.lint_duplicates import ColourDifference
from scenario_apply.core.dataset.names import name_of
from scenario_apply.effects.files.data_guard import DataGuard
from scenario_apply.effects.files.workers import Run


def look_closer(guard: DataGuard, facts: dict[str, Facts], run: Run) -> tuple[dict[str, Facts], ColourDifference]:
    """Facts with looks, and a way to compare colours; a known look is decoded again only for a comparison."""
    from scenario_apply.effects.files.pictures import DamagedPicture, look_at

    colours: dict[str, bytes] = {}

    def look(known: Facts) -> Facts:
        try:
            with guard.opened(known.file) as file:
                seen, thumbnail, transparent = look_at(file)
        except OSError as error:
            text = f"cannot be read: {error.strerror}"
            return known._replace(fault="F01", fault_text=text)
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
            with guard.opened(file) as source:
                colours[file] = look_at(source)[1]
        return colours[file]

    return updated, difference

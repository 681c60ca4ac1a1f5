"""What is done to pictures before they are sent, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from scenario_apply.dataset.recipes import value_of
from scenario_apply.model.picture_options import UNKNOWN_RECIPE
from scenario_apply.review.screen import Screen, counted, hanging, prose, safe

_WORDS = {
    "orient": "turned upright",
    "strip": "metadata removed",
    "icc": "colours converted to sRGB",
    "background": "flattened on {}",
    "max_side": "scaled down to {} pixels",
    "convert": "converted to {}",
}


def recipe_words(recipe: str) -> list[str]:
    """One phrase for each alteration; none for a picture that is sent as it is, or whose recipe is not known yet."""
    if recipe in ("", UNKNOWN_RECIPE):
        return []
    found = {key: value_of(recipe, key) for key in _WORDS}
    return [_WORDS[key].format(_shown(key, value)) for key, value in found.items() if value is not None]


def _shown(key: str, value: str) -> str:
    return value.upper() if key == "convert" else safe(value)


def altered_lines(recipes: Sequence[tuple[str, str]], screen: Screen, indent: int) -> list[str]:
    """How many of these pictures are altered, and how; with -v, each of them. recipes: path and recipe."""
    altered = [(path, words) for path, recipe in recipes if (words := recipe_words(recipe))]
    if not altered:
        return []
    blank = " " * indent
    share = f"{len(altered)} of {counted(len(recipes), 'image')} altered before sending: {_counts(altered)}"
    lines = [blank + line for line in prose(share, screen.width - indent, screen)]
    if screen.verbose:
        for path, words in altered:
            lines += hanging(f"{blank}  ", f"{safe(path)}: {', '.join(words)}", screen)
    return lines


def _counts(altered: Iterable[tuple[str, list[str]]]) -> str:
    counts = Counter(word for _, words in altered for word in words)
    return ", ".join(f"{count} {word}" for word, count in counts.items())

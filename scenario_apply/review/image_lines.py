"""Lines about images and captions that are added, removed or changed; bounded unless -v is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from scenario_apply.planning.changes import CaptionChange, Change, ImageChange
from scenario_apply.review.recipe_words import altered_lines, recipe_words
from scenario_apply.review.screen import LISTED, Color, Screen, columns, counted, fit, fit_path, pad, safe, wrap
from scenario_apply.review.word_diff import drawn_diff

T = TypeVar("T")
_INDENT = "      "


def image_lines(change: Change, screen: Screen) -> list[str]:
    """Images that come, go or have other bytes, without those of the pairs that the change lists."""
    diff = change.images
    rows: list[tuple[str, Color, ImageChange]] = [
        *(("+", "green", image) for image in diff.add),
        *(("~", "yellow", image) for image in diff.change),
        *(("-", "red", image) for image in diff.remove),
    ]
    paired = paths_in_pairs(change)
    shown, left = listed([row for row in rows if row[2].path not in paired], screen)
    wide = _path_width([image.path for _, _, image in shown], screen)
    lines: list[str] = []
    for sign, color, image in shown:
        path = pad(fit_path(safe(image.path), wide), wide)
        start = f"{_INDENT}{screen.paint(sign, color)} {path}  "
        room = screen.width - len(_INDENT) - 2 - wide - 2
        texts = quoted_caption(image.caption, room, screen) if sign != "~" else wrap(_replaced(image), room)
        lines.append((start + screen.paint(texts[0], "dim" if sign == "-" else None)).rstrip())
        lines += [" " * (screen.width - room) + text for text in texts[1:]]
    sent = [(image.path, image.recipe) for image in (*diff.add, *diff.change)]
    return lines + more(left, "image", screen) + altered_lines(sent, screen, len(_INDENT))


def _replaced(image: ImageChange) -> str:
    if not image.same_file:
        return "(picture replaced)"
    words = recipe_words(image.recipe)
    return f"(same file, now sent altered: {', '.join(words)})" if words else "(same file, now sent as it is)"


def paths_in_pairs(change: Change) -> frozenset[str]:
    diff = change.pairs
    return frozenset(path for pair in (*diff.add, *diff.change, *diff.remove) for path in (pair.before, pair.after))


def quoted_caption(caption: str | None, room: int, screen: Screen) -> list[str]:
    if caption is None:
        return ["(captioned by Scenario)"]
    text = f'"{safe(caption)}"'
    if screen.verbose:
        return wrap(text, room)
    return [text if columns(text) <= room else f'"{fit(safe(caption), room - 2)}"']


def caption_lines(change: Change, screen: Screen) -> list[str]:
    diff = change.captions
    rows: list[tuple[str, Color, CaptionChange]] = [
        *(("~", "yellow", caption) for caption in diff.change),
        *(("+", "green", caption) for caption in diff.add),
        *(("-", "red", caption) for caption in diff.remove),
    ]
    shown, left = listed(rows, screen)
    wide = _path_width([caption.path for _, _, caption in shown], screen)
    lines: list[str] = []
    for sign, color, caption in shown:
        path = pad(fit_path(safe(caption.path), wide), wide)
        start = f"{_INDENT}{screen.paint(sign, color)} {path} caption  "
        used = len(_INDENT) + 2 + wide + len(" caption  ")
        room = screen.width - used
        if caption.before is not None and caption.after is not None:
            texts = drawn_diff(caption.before, caption.after, room, screen)
        elif caption.after is not None:
            texts = quoted_caption(caption.after, room, screen)
        else:
            texts = wrap("captioned by Scenario again", room)
        lines.append(start + texts[0])
        lines += [" " * used + text for text in texts[1:]]
    return lines + more(left, "caption", screen)


def _path_width(paths: Sequence[str], screen: Screen) -> int:
    return min(max((columns(safe(path)) for path in paths), default=0), max(16, screen.width * 3 // 8))


def listed(rows: list[T], screen: Screen) -> tuple[list[T], int]:
    """The rows to list, and how many are left out; a single row beyond the bound is listed rather than counted."""
    if screen.verbose or len(rows) <= LISTED + 1:
        return rows, 0
    return rows[:LISTED], len(rows) - LISTED


def more(left: int, noun: str, screen: Screen) -> list[str]:
    """The line that replaces the rows left out."""
    if not left:
        return []
    return [screen.paint(f"{_INDENT}… and {counted(left, 'more ' + noun)}; -v lists all", "dim")]

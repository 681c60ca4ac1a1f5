"""Lines about images and captions that are added, removed or changed; bounded unless -v is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from scenario_apply.review.change_view import ChangeView, PictureKind, PictureView, TextKind
from scenario_apply.review.recipe_words import altered_lines
from scenario_apply.review.screen import LISTED, Color, Screen, columns, counted, fit, fit_path, pad, safe, wrap
from scenario_apply.review.word_diff import drawn_diff

T = TypeVar("T")
_INDENT = "      "


_PICTURE_SIGNS: dict[PictureKind, tuple[str, Color]] = {
    "added": ("+", "green"),
    "replaced": ("~", "yellow"),
    "removed": ("-", "red"),
}
TEXT_SIGNS: dict[TextKind, tuple[str, Color]] = {
    "changed": ("~", "yellow"),
    "added": ("+", "green"),
    "removed": ("-", "red"),
}


def image_lines(change: ChangeView, screen: Screen) -> list[str]:
    """Images that come, go or have other bytes, without those of the pairs that the change lists."""
    paired = paths_in_pairs(change)
    shown, left = listed([picture for picture in change.pictures if picture.path not in paired], screen)
    wide = _path_width([picture.path for picture in shown], screen)
    lines: list[str] = []
    for picture in shown:
        sign, color = _PICTURE_SIGNS[picture.kind]
        path = pad(fit_path(safe(picture.path), wide), wide)
        start = f"{_INDENT}{screen.paint(sign, color)} {path}  "
        room = screen.width - len(_INDENT) - 2 - wide - 2
        is_replaced = picture.kind == "replaced"
        texts = wrap(replaced_text(picture), room) if is_replaced else quoted_caption(picture.caption, room, screen)
        lines.append((start + screen.paint(texts[0], "dim" if sign == "-" else None)).rstrip())
        lines += [" " * (screen.width - room) + text for text in texts[1:]]
    sent = [(picture.path, picture.recipe) for picture in change.pictures if picture.kind != "removed"]
    return lines + more(left, "image", screen) + altered_lines(sent, screen, len(_INDENT))


def replaced_text(picture: PictureView) -> str:
    """What happens to a replaced picture, in brackets."""
    if not picture.resent:
        return "(picture replaced)"
    words = ", ".join(picture.alterations)
    return f"(same file, now sent altered: {words})" if words else "(same file, now sent as it is)"


def paths_in_pairs(change: ChangeView) -> frozenset[str]:
    """The pictures of its pairs that come, change or go."""
    return frozenset(path for pair in change.pairs for path in (pair.before, pair.after))


def quoted_caption(caption: str | None, room: int, screen: Screen) -> list[str]:
    if caption is None:
        return ["(captioned by Scenario)"]
    text = f'"{safe(caption)}"'
    if screen.verbose:
        return wrap(text, room)
    return [text if columns(text) <= room else f'"{fit(safe(caption), room - 2)}"']


def caption_lines(change: ChangeView, screen: Screen) -> list[str]:
    shown, left = listed(change.captions, screen)
    wide = _path_width([caption.path for caption in shown], screen)
    lines: list[str] = []
    for caption in shown:
        sign, color = TEXT_SIGNS[caption.kind]
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


def listed(rows: Sequence[T], screen: Screen) -> tuple[Sequence[T], int]:
    """The rows to list, and how many are left out; a single row beyond the bound is listed rather than counted."""
    if screen.verbose or len(rows) <= LISTED + 1:
        return rows, 0
    return rows[:LISTED], len(rows) - LISTED


def more(left: int, noun: str, screen: Screen) -> list[str]:
    """The line that replaces the rows left out."""
    if not left:
        return []
    return [screen.paint(f"{_INDENT}… and {counted(left, 'more ' + noun)}; -v lists all", "dim")]

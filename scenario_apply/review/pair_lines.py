"""Edit pairs as text and JSON: before, after and instruction together."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.dataset.types import Contents, Image
from scenario_apply.review.change_view import ChangeView, PairView
from scenario_apply.review.image_lines import TEXT_SIGNS, listed, more, quoted_caption
from scenario_apply.review.screen import Screen, columns, fit_path, hanging, safe
from scenario_apply.review.word_diff import drawn_diff

_INDENT = "      "
_LEAST_TEXT = 30  # columns beside the paths; with less, the instruction has a line of its own


def pair_lines(change: ChangeView, screen: Screen) -> list[str]:
    """Pairs that come, change or go, each with its instruction; a changed one word by word."""
    shown, left = listed(change.pairs, screen)
    most = max(16, screen.width * 3 // 8)
    lines: list[str] = []
    for pair in shown:
        sign, color = TEXT_SIGNS[pair.kind]
        names = " -> ".join(fit_path(safe(path), most) for path in (pair.before, pair.after))
        replaced = f"  ({' and '.join(pair.replaced)} picture replaced)" if pair.replaced else ""
        start = f"{_INDENT}{screen.paint(sign, color)} {names}{replaced}  "
        used = len(_INDENT) + 2 + columns(names) + columns(replaced) + 2
        if screen.width - used < _LEAST_TEXT:
            lines.append(start.rstrip())
            start, used = f"{_INDENT}    ", len(_INDENT) + 4
        texts = _instruction(pair, screen.width - used, screen)
        lines.append(start + screen.paint(texts[0], "dim" if sign == "-" else None))
        lines += [" " * used + text for text in texts[1:]]
    return lines + more(left, "pair", screen)


def _instruction(pair: PairView, room: int, screen: Screen) -> list[str]:
    if pair.previous_instruction is not None:
        return drawn_diff(pair.previous_instruction, pair.instruction, room, screen)
    return quoted_caption(pair.instruction, room, screen)


def pairs_shown(contents: Contents, codes: Mapping[str, str], screen: Screen) -> list[str]:
    """The pairs of a dataset: both pictures with their sizes, and the instruction as it will be sent below them.

    codes: of the findings of each image, by path.
    """
    by_path = {image.path: image for image in contents.images}
    lines: list[str] = []
    for pair in contents.pairs:
        sides = [_side(by_path[path], codes.get(path, "")) for path in (pair.before, pair.after)]
        together = " -> ".join(sides)
        lines += [together] if columns(together) <= screen.width else [f"{sides[0]} ->", f"  {sides[1]}"]
        lines += hanging("  ", f'"{safe(pair.instruction)}"', screen)
    return lines


def pairs_as_json(contents: Contents) -> list[dict[str, object]]:
    """before, after and instruction of each pair, with file, width, height and size_bytes of each side."""
    by_path = {image.path: image for image in contents.images}
    return [
        {
            "before": pair.before,
            "after": pair.after,
            "instruction": pair.instruction,
            "before_image": _measures(by_path[pair.before]),
            "after_image": _measures(by_path[pair.after]),
        }
        for pair in contents.pairs
    ]


def _measures(image: Image) -> dict[str, object]:
    width, height = image.width or None, image.height or None  # of a Git LFS pointer neither is known
    return {"file": image.file, "width": width, "height": height, "size_bytes": image.size_bytes}


def _side(image: Image, codes: str) -> str:
    found = f", {codes}" if codes else ""
    return safe(f"{image.path} ({pixels_text(image)}, {bytes_text(image.size_bytes)}{found})")


def pixels_text(image: Image) -> str:
    return "not pulled" if image.is_lfs_pointer else f"{image.width}x{image.height}"


def bytes_text(size: int) -> str:
    """A number of bytes in B, kB or MB."""
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB" if size >= 1000 else f"{size} B"
    return f"{size / 1_000_000:.1f} MB"

"""Captions that were written into files, and captions beside those of the service, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict

from scenario_apply.planning.caption_comparison import CaptionStatus, ComparedCaption
from scenario_apply.review.image_lines import listed, more
from scenario_apply.review.screen import Color, Screen, columns, counted, fit_path, hanging, pad, safe, wrap
from scenario_apply.review.word_diff import drawn_diff

_INDENT = "  "
_WORDS: Mapping[CaptionStatus, str] = {
    "same": "equal",
    "changed-here": "changed here since it was sent",
    "changed-on-scenario": "changed on Scenario",
    "changed-on-both": "changed here and on Scenario",
    "not-sent": "not sent yet",
    "not-attached": "no longer attached on Scenario",
}


def written_text(
    dataset: str, written: Sequence[tuple[str, str]], left: Mapping[str, str], notes: Sequence[str], screen: Screen
) -> str:
    """A block for one dataset. written: (file, caption); left: image -> why it got none."""
    done = f"{counted(len(written), 'caption')} written" if written or left or notes else "every image has a caption"
    lines = [f"{screen.paint(safe(dataset), 'bold')}: {done}"]
    for file, caption in written:  # all of them: these files are new
        lines += _row("+", "green", file, f'"{safe(caption)}"', screen)
    skipped, rest = listed([*left.items()], screen)
    for image, why in skipped:
        lines += _row("·", "yellow", image, f"nothing written: {safe(why)}", screen)
    lines += more(rest, "image", screen)
    for note in notes:
        lines += hanging(f"{_INDENT}note: ", safe(note), screen)
    return "\n".join(lines) + "\n"


def _row(sign: str, color: Color, name: str, text: str, screen: Screen) -> list[str]:
    wide = min(columns(safe(name)), max(16, screen.width // 3))
    start = f"{_INDENT}{sign} {pad(fit_path(safe(name), wide), wide)}  "
    room = screen.width - columns(start)
    first, *others = wrap(text, room) if screen.terminal else [text]
    painted = f"{_INDENT}{screen.paint(sign, color)}{start[len(_INDENT) + 1 :]}"
    return [painted + first, *(" " * columns(start) + line for line in others)]


def compared_text(model: str, compared: Sequence[ComparedCaption], screen: Screen) -> str:
    """A block for one model: what differs, word by word."""
    apart = [one for one in compared if one.status != "same"]
    own = sum(one.is_own for one in compared)
    by_service = f", {own} of them Scenario's own" if own else ""
    head = f"{screen.paint(safe(model), 'bold')}: {counted(len(compared), 'caption')}{by_service}; "
    lines = [head + (f"{len(apart):,} {'differs' if len(apart) == 1 else 'differ'}" if apart else "all equal")]
    shown, rest = listed(apart, screen)
    for one in shown:
        lines += hanging(f"{_INDENT}{screen.paint('~', 'yellow')} ", f"{safe(one.path)}: {_WORDS[one.status]}", screen)
        lines += [f"{_INDENT * 3}{line}" for line in _difference(one, screen)]
    lines += more(rest, "caption", screen)
    return "\n".join(lines) + "\n"


def _difference(one: ComparedCaption, screen: Screen) -> list[str]:
    """From what the service holds to what would be sent."""
    room = screen.width - 3 * len(_INDENT)
    if one.status in ("not-sent", "not-attached"):
        return [] if one.here is None else wrap(f'"{safe(one.here)}"', room)
    if one.here is None:
        return wrap(f'"{safe(one.scenario or "")}" on Scenario; none here, so Scenario would caption it', room)
    if one.scenario is None:
        return wrap(f'"{safe(one.here)}"', room)
    return drawn_diff(one.scenario, one.here, room, screen)


def captions_json(datasets: Sequence[Mapping[str, object]]) -> str:
    """format_version and datasets, for programs."""
    return json.dumps({"format_version": "1.0", "datasets": list(datasets)}, indent=2, ensure_ascii=False) + "\n"


def compared_json(compared: Sequence[ComparedCaption]) -> list[dict[str, Any]]:
    """Each caption: path, status, here, scenario, recorded, is_own."""
    return [asdict(one) for one in compared]

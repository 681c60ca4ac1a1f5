"""Lines about the samples that a change draws: their sum, then each with its prompt, seed and what is new about it."""

from __future__ import annotations

from scenario_apply.planning.changes import SampleNews
from scenario_apply.review.change_view import ChangeView
from scenario_apply.review.image_lines import listed, more, quoted_caption
from scenario_apply.review.sample_words import SampleView
from scenario_apply.review.screen import Color, Screen, columns, fit, hanging, pad, safe, wrap
from scenario_apply.review.step_words import once
from scenario_apply.review.word_diff import drawn_diff

_INDENT = "      "
_LABEL = "sample "
_COLORS: dict[SampleNews, Color] = {"new": "green", "changed": "yellow", "again": "yellow"}
_LEAST = 28
"""Columns that a prompt needs before its seed and settings go below it."""


def sample_lines(change: ChangeView, screen: Screen) -> list[str]:
    """Nothing where no sample is drawn."""
    if not change.samples:
        return []
    shown, left = listed(change.samples.draw, screen)
    widest = max(columns(safe(sample.name)) for sample in shown)
    wide = min(widest, max(12, screen.width // 4))
    lines = hanging(_INDENT, safe(change.samples.line), screen)
    for sample in shown:
        lines += _lines(sample, wide, screen)
    return lines + more(left, "sample", screen)


def _lines(sample: SampleView, wide: int, screen: Screen) -> list[str]:
    name = pad(fit(safe(sample.name), wide), wide)
    start = f"{_INDENT}{screen.paint(sample.sign, _COLORS[sample.news])} {_LABEL}{name}  "
    used = len(_INDENT) + 2 + len(_LABEL) + wide + 2
    room, settings = screen.width - used, safe(sample.settings)
    beside = room - columns(settings) - 2
    if sample.previous is None and not screen.verbose and beside >= _LEAST:
        prompt = quoted_caption(sample.prompt, beside, screen)[0]
        texts = [f"{prompt}  {screen.paint(settings, 'dim')}"]
    else:
        changed = sample.previous is not None
        prompts = drawn_diff(sample.previous or "", sample.prompt, room, screen) if changed else None
        texts = prompts or quoted_caption(sample.prompt, room, screen)
        texts = [*texts, *(screen.paint(text, "dim") for text in wrap(settings, room))]
    if sample.failed is not None:
        texts += wrap(f"failed before: {safe(once(sample.failed))}", room)
    return [start + texts[0], *(" " * used + text for text in texts[1:])]

"""What was changed outside of the tool, as text."""

from __future__ import annotations

from collections.abc import Iterable

from scenario_apply.planning.changes import Drift
from scenario_apply.review.image_lines import listed, more
from scenario_apply.review.plan_view import DriftView
from scenario_apply.review.screen import Screen, columns, hanging, safe
from scenario_apply.review.values import value_text
from scenario_apply.review.word_diff import drawn_diff


def drift_text(drift: Iterable[DriftView], screen: Screen) -> str:
    """A block per resource; empty when nothing drifted."""
    found = list(drift)
    if not found:
        return ""
    lines = [screen.paint("Changed outside of scenario-apply:", "bold")]
    for one in found:
        lines.append(f"  {screen.paint(safe(str(one.address)), 'bold')}")
        shown, left = listed(one.differences, screen)
        for item in shown:
            lines += _difference(item, screen)
        lines += more(left, "difference", screen)
    return "\n".join(lines) + "\n"


def _difference(drift: Drift, screen: Screen) -> list[str]:
    what = drift.what
    if drift.path:
        what = f"{drift.what} {drift.path}" if drift.what in ("image", "pair") else f"{drift.what} of {drift.path}"
    start = f"    {safe(what)}  "
    if drift.what == "model" and drift.observed is None:
        return hanging(f"    {safe(what)}  ", f"deleted on the service ({safe(value_text(drift.recorded))})", screen)
    if drift.what == "image" or (drift.what == "pair" and None in (drift.recorded, drift.observed)):
        return hanging(start, "removed on Scenario" if drift.recorded is not None else "added on Scenario", screen)
    if drift.what in ("caption", "pair") and isinstance(drift.recorded, str) and isinstance(drift.observed, str):
        first, *rest = drawn_diff(drift.recorded, drift.observed, max(screen.width - columns(start), 30), screen)
        return [start + first, *(" " * columns(start) + line for line in rest)]
    side = "now" if drift.moved == "service" else "now recorded as"
    text = f"recorded {value_text(drift.recorded)}, {side} {value_text(drift.observed)}"
    return hanging(start, safe(text), screen)

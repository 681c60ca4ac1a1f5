"""What a person found best, in words."""

from __future__ import annotations

from scenario_apply.manifest.spec import BestVersion


def best_text(best: BestVersion) -> str:
    """'version 3, epoch 8, chosen by Ada on 2026-11-27: sharper hands'; not safe to print before safe()."""
    epoch = f", epoch {best.epoch}" if best.epoch is not None else ""
    chosen = choice_text(best)
    return f"version {best.version}{epoch}{', ' if best.by or best.at else ': ' if chosen else ''}{chosen}"


def choice_text(best: BestVersion) -> str:
    """'chosen by Ada on 2026-11-27: sharper hands', 'sharper hands', or ""."""
    by = f" by {best.by}" if best.by else ""
    at = f" on {best.at[:10]}" if best.at else ""
    return ": ".join(part for part in (f"chosen{by}{at}" if by or at else "", best.why) if part)

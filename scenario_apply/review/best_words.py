"""What a person found best, in words."""

from __future__ import annotations

from scenario_apply.manifest.spec import BestVersion


def best_text(best: BestVersion) -> str:
    """'version 3, epoch 8, chosen by Ada on 2026-11-27: sharper hands'; not safe to print before safe()."""
    epoch = f", epoch {best.epoch}" if best.epoch is not None else ""
    by = f" by {best.by}" if best.by else ""
    at = f" on {best.at[:10]}" if best.at else ""
    chosen = f", chosen{by}{at}" if by or at else ""
    return f"version {best.version}{epoch}{chosen}{f': {best.why}' if best.why else ''}"

"""How far a training is, in words and as a bar."""

from __future__ import annotations

from scenario_apply.model.remote import Progress
from scenario_apply.review.screen import duration

_STAGES = {
    "queued-for-train": "queued",
    "starting-train": "starting",
    "running-train": "training",
    # of jobs
    "pending": "queued",
    "warming-up": "starting",
    "in-progress": "training",
    "finalizing": "finishing",
    "success": "finishing",  # the model itself says so a moment later
}


def progress_words(status: str, progress: Progress | None) -> tuple[str, ...]:
    """('queued', 'place 2'), ('training', '45%', '2 min left'), as far as it is known."""
    if progress is None:
        return (_STAGES.get(status, status),)
    stage = progress.stage or status
    words = [_STAGES.get(stage, stage)]
    if progress.position is not None and progress.position > 0:
        words.append(f"place {progress.position}")
    if progress.progress is not None:
        words.append(f"{progress.progress:.0%}")
    if progress.remaining_s is not None and progress.remaining_s > 0:
        words.append(f"{duration(progress.remaining_s)} left")
    return tuple(words)


def share_bar(share: float, width: int) -> str:
    """A bar of that many columns; share from 0 to 1. Its two halves differ without colours."""
    filled = round(max(0.0, min(1.0, share)) * width)
    return "━" * filled + "─" * (width - filled)

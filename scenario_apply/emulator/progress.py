"""Progress of a training: a pure function of what was stored at its launch and of the time."""

from __future__ import annotations

from dataclasses import dataclass

_PENDING_SHARE = 0.1  # of the queue
_STARTING_SHARE = 0.1  # of the run
_FINALIZING_FROM = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Milliseconds since 1970: launched, out of the queue, over."""

    created: int
    queued_until: int
    ends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStatus:
    """Status of the job, stage of the model, 0..1, milliseconds left, place in the queue (0: not queued)."""

    status: str
    stage: str
    progress: float
    remaining_ms: int
    position: int


def boundaries(line: Timeline) -> tuple[tuple[int, str, str], ...]:
    """When each status of the job begins, with the stage of the model."""
    queue, run = line.queued_until - line.created, line.ends - line.queued_until
    return (
        (line.created, "pending", "pending"),
        (line.created + round(queue * _PENDING_SHARE), "queued", "queued-for-train"),
        (line.queued_until, "warming-up", "starting-train"),
        (line.queued_until + round(run * _STARTING_SHARE), "in-progress", "running-train"),
        (line.queued_until + round(run * _FINALIZING_FROM), "finalizing", "running-train"),
    )


def progress_at(line: Timeline, now: int, first_position: int) -> TrainingStatus:
    """Progress of a training that is not over. first_position is its place in the queue at launch."""
    _, status, stage = next(
        entry for entry in reversed(boundaries(line)) if entry[0] <= now or entry[0] == line.created
    )
    position = 0
    if now < line.queued_until:
        left = (line.queued_until - now) / max(1, line.queued_until - line.created)
        position = max(1, round(first_position * left))
    return TrainingStatus(
        status=status,
        stage=stage,
        progress=_share(now, line.queued_until, line.ends),
        remaining_ms=max(0, line.ends - now),
        position=position,
    )


def history(line: Timeline, until: int) -> list[tuple[str, int]]:
    """The statuses a job has gone through and when, up to a time."""
    passed: list[tuple[str, int]] = []
    for at, status, _ in boundaries(line):
        if at > until:
            break
        if passed and passed[-1][1] == at:
            passed.pop()
        passed.append((status, at))
    return passed or [("pending", line.created)]


def _share(now: int, start: int, end: int) -> float:
    if now <= start:
        return 0.0
    return round(min(0.99, (now - start) / max(1, end - start)), 4)

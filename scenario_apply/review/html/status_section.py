"""What is trained, training and failed, as a table of a page, with a bar for each training that runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from scenario_apply.model.amounts import amount
from scenario_apply.review.html.page import Section
from scenario_apply.review.status_text import ResourceStatus, epoch_words
from scenario_apply.review.training_words import progress_words


class StatusRow(NamedTuple):
    """share: how far a training is, 0 to 1; None where none runs or it is not known. tone: good, bad, busy or dim."""

    address: str
    name: str
    type: str
    status: str
    tone: str
    words: str
    id: str
    charged: str
    share: float | None


_TONES = {"trained": "good", "failed": "bad", "canceled": "bad", "deleted": "bad", "training": "busy"}


def status_section(statuses: Sequence[ResourceStatus], *, is_recorded: bool) -> Section:
    """is_recorded: as the last run left them; otherwise as Scenario reported them just now."""
    counts = Counter(resource.status for resource in statuses)
    view = {
        "counts": ", ".join(f"{number:,} {status}" for status, number in counts.most_common()),
        "source": "As the last run recorded them; Scenario was not asked."
        if is_recorded
        else "As Scenario reports them.",
        "rows": tuple(map(_row, statuses)),
    }
    return Section("status", "Status", "status.html.jinja", view, f"{len(statuses):,}")


def _row(resource: ResourceStatus) -> StatusRow:
    words: list[str] = []
    if resource.queued is not None:
        words.append(resource.queued)
    elif resource.is_running:
        words += [word for word in progress_words("", resource.progress) if word != "training"]
    epoch = epoch_words(resource.epoch, resource.epochs)
    words += [text for text in (resource.reason, resource.too_long, epoch) if text]
    if resource.replaces is not None:
        words.append(f"will replace {resource.replaces}")
    share = resource.progress.progress if resource.progress is not None and resource.is_running else None
    return StatusRow(
        address=str(resource.address),
        name=resource.name,
        type=resource.type,
        status=resource.status,
        tone=_TONES.get(resource.status, "dim"),
        words=", ".join(words),
        id=resource.id or "",
        charged="" if resource.charged is None else f"{amount(resource.charged)} CU",
        share=share,
    )

"""The status of every resource, as a table or JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.queue_wait import QUEUED_LONG_HINT
from scenario_apply.model.remote import Progress
from scenario_apply.review.screen import Color, Screen, beside, columns, counted, fit, pad, safe
from scenario_apply.review.step_words import once
from scenario_apply.review.training_words import progress_words, share_bar
from scenario_apply.state.state import SamplePhase

_COLORS: dict[str, Color] = {
    "trained": "green",
    "training": "cyan",
    "building": "yellow",
    "failed": "red",
    "canceled": "red",
    "deleted": "red",
}

_BAR_COLUMNS = 12
_LONGEST_REASON = 120
SAMPLE_PHASES: tuple[SamplePhase, ...] = ("drawn", "drawing", "failed")
NOT_CREATED = "not created"
"""The status of a declared resource that does not exist yet."""


class ResourceStatus(Struct, frozen=True, kw_only=True):
    """One resource. status: building, training, trained, failed, canceled, deleted on the service, or not created.

    replaces: the id in use until this version is trained. charged in CU. queued: since when and at which place.
    too_long: a warning when it has been queued unusually long. epoch: the one in use, epochs: all that can be chosen;
    None: not known. samples: of the weights in use, by phase; empty: it has none. previous: numbers of trained versions
    that are kept. best: what a person found best, in words.
    """

    address: Address
    id: str | None  # None: does not exist yet
    name: str
    type: str
    status: str
    version: int
    reason: str | None = None
    charged: float | None = None
    progress: Progress | None = None
    replaces: str | None = None
    queued: str | None = None
    too_long: str | None = None
    epoch: str | None = None
    epochs: tuple[str, ...] | None = None
    previous: tuple[int, ...] = ()
    best: str | None = None
    samples: Mapping[SamplePhase, int] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        return self.status == "training"


def status_text(statuses: Sequence[ResourceStatus], screen: Screen) -> str:
    """A line per resource, and how many there are of each."""
    if not statuses:
        return ""
    wide = max(columns(str(resource.address)) for resource in statuses)
    status_wide = max(8, *(columns(resource.status) for resource in statuses))
    lines = []
    for resource in statuses:
        address = f"{pad(str(resource.address), wide)}  "
        if screen.terminal and columns(address) + status_wide > screen.width:
            lines.append(str(resource.address))
            address = "  "
        told = safe(_told(resource, longest=None if screen.verbose or not screen.terminal else _LONGEST_REASON))
        first, rest = beside(f"{address}{pad(resource.status, status_wide)}  ", told, screen)
        status = screen.paint(pad(resource.status, status_wide), _COLORS.get(resource.status))
        lines += [f"{address}{status}  {first}".rstrip(), *rest]
    counts = Counter(resource.status for resource in statuses)
    lines.append(", ".join(f"{number} {status}" for status, number in counts.most_common()) + ".")
    return "\n".join(lines) + "\n"


def resource_status_line(resource: ResourceStatus) -> str:
    """One resource on one line, safe to print."""
    return f"{resource.address}: {resource.status}{', ' if _told(resource) else ''}{safe(_told(resource))}"


def _told(resource: ResourceStatus, *, longest: int | None = None) -> str:
    """longest: columns of the reason, which is the service's own text; None: whole."""
    parts = []
    if resource.queued is not None:
        parts.append(resource.queued)
    elif resource.is_running:
        words = progress_words("", resource.progress)
        share = resource.progress.progress if resource.progress is not None else None
        parts += [
            *([share_bar(share, _BAR_COLUMNS)] if share is not None else []),
            *(word for word in words if word != "training"),
        ]
    if resource.reason:
        reason = once(resource.reason)
        parts.append(reason if longest is None else fit(reason, longest))
    if not resource.is_running and resource.id is not None:
        parts.append(resource.id)
    if resource.replaces is not None:
        parts.append(f"will replace {resource.replaces}")
    parts.append(epoch_words(resource.epoch, resource.epochs))
    parts += drawn_words(resource.samples)
    if resource.charged is not None:
        parts.append(f"{amount(resource.charged)} CU")
    if resource.previous:
        kept = listed(map(str, sorted(resource.previous)))
        parts.append(f"version {resource.version} (kept: {kept})")
    if resource.best is not None:
        parts.append(f"best: {resource.best}")
    return ", ".join(part for part in parts if part)


def drawn_words(samples: Mapping[SamplePhase, int]) -> list[str]:
    """['2 samples', '1 sample being drawn', '1 sample failed']."""
    words: Mapping[SamplePhase, str] = {"drawn": "", "drawing": " being drawn", "failed": " failed"}
    return [f"{counted(samples[phase], 'sample')}{told}" for phase, told in words.items() if samples.get(phase)]


def epoch_words(epoch: str | None, epochs: Sequence[str] | None) -> str:
    """'epoch 8 of 1 to 10', 'epoch 8'; "" where nothing is known."""
    known = _listed(epochs or ())
    if epoch is None:
        return f"epochs {known}" if known else ""
    return f"epoch {epoch} of {known}" if known and [*(epochs or ())] != [epoch] else f"epoch {epoch}"


def _listed(names: Sequence[str]) -> str:
    """'1 to 10', or '2, 5, 10' where numbers are left out."""
    numbers = [int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 10]
    if len(numbers) == len(names) > 2 and numbers == [*range(numbers[0], numbers[0] + len(numbers))]:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(names)


def status_json(statuses: Sequence[ResourceStatus]) -> str:
    """address -> id, name, type, status, version, reason, cu_charged, and of a running training its progress.

    epoch: the one in use, epochs: all that can be chosen; null: not known. samples: how many are drawn, being drawn and
    failed.
    queued: since when and at which place, in words; queued_too_long: whether that deserves a look.
    """
    return json.dumps(status_values(statuses), indent=2, ensure_ascii=False) + "\n"


def status_values(statuses: Sequence[ResourceStatus]) -> dict[str, object]:
    """The same as plain values."""
    return {
        str(resource.address): {
            "id": resource.id,
            "name": resource.name,
            "type": resource.type,
            "status": resource.status,
            "version": resource.version,
            "previous_versions": list(resource.previous),
            "best": resource.best,
            "reason": resource.reason,
            "cu_charged": resource.charged,
            "replaces": resource.replaces,
            "queued": resource.queued,
            "queued_too_long": resource.too_long is not None,
            "epoch": resource.epoch,
            "epochs": None if resource.epochs is None else list(resource.epochs),
            "samples": {phase: resource.samples.get(phase, 0) for phase in SAMPLE_PHASES},
            "progress": None
            if resource.progress is None
            else {
                "stage": resource.progress.stage,
                "percent": None if resource.progress.progress is None else round(resource.progress.progress * 100, 1),
                "queue_position": resource.progress.position,
                "remaining_seconds": resource.progress.remaining_s,
            },
        }
        for resource in statuses
    }


def long_queued(statuses: Iterable[ResourceStatus]) -> tuple[Diagnostic, ...]:
    """A warning for each training that has been queued for too long."""
    return tuple(
        Diagnostic(
            code="queued-long",
            severity="warning",
            message=f"the training of {resource.address} {resource.too_long}",
            hint=QUEUED_LONG_HINT,
        )
        for resource in statuses
        if resource.too_long is not None
    )

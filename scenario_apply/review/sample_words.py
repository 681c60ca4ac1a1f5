"""The samples of a change as every writer shows them: which are drawn, why, and their cost. Raw texts; see safe()."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from scenario_apply.model.amounts import amount
from scenario_apply.model.samples import SampleSettings
from scenario_apply.planning.changes import Change, Cost, SampleDiff, SampleNews
from scenario_apply.planning.sample_reasons import SamplesDrawing
from scenario_apply.review.screen import counted, safe
from scenario_apply.review.values import UNKNOWN_WHY, about, cost_basis_text, number_text
from scenario_apply.review.word_diff import Stretch, word_diff

SAMPLE_SIGNS: Mapping[SampleNews, str] = {"new": "+", "changed": "~", "again": "↻"}
NEWS_WORDS: Mapping[SampleNews, str] = {"new": "new", "changed": "changed", "again": "again"}


SAMPLES_HOW = {"history": "from past samples", "estimate": "for samples with other models or the base alone"}
"""How costs of samples of that source are estimated, all together."""


class SampleView(Struct, frozen=True, kw_only=True):
    """One sample that will be drawn. settings: 'seed 42, scale 0.8, 1024x768'; without what is left to the service.

    previous: the prompt of the one that it replaces, where that differs. failed: why the last try came to nothing.
    """

    name: str
    prompt: str
    settings: str
    base: str
    news: SampleNews
    previous: str | None = None
    failed: str | None = None

    @property
    def sign(self) -> str:
        return SAMPLE_SIGNS[self.news]

    @property
    def words(self) -> tuple[Stretch, ...]:
        """What changed in the prompt, word by word, in safe texts. Empty where it does not change."""
        return () if self.previous is None else tuple(word_diff(safe(self.previous), safe(self.prompt)))


class SamplesView(Struct, frozen=True, kw_only=True):
    """sum: 'samples 4 x 10.75 = 43 CU'; how: what an estimate is made from, or why a cost is unknown, else empty.

    waiting: names of those that are being drawn.
    """

    draw: tuple[SampleView, ...] = ()
    waiting: tuple[str, ...] = ()
    sum: str = ""
    how: str = ""

    def __bool__(self) -> bool:
        return bool(self.draw)

    @property
    def line(self) -> str:
        return f"{self.sum} ({self.how})" if self.how else self.sum


def samples_view(change: Change) -> SamplesView:
    samples = change.samples
    if not samples:
        return SamplesView()
    return SamplesView(
        draw=tuple(
            SampleView(
                name=one.name,
                prompt=one.prompt,
                settings=settings_text(one.seed, one.settings),
                base=one.base,
                news=one.news,
                previous=one.previous,
                failed=one.reason if one.news == "again" else None,
            )
            for one in samples.draw
        ),
        waiting=samples.waiting,
        sum=_sum(samples) if samples.draw else "",
        how=samples_basis_text(samples.cost),
    )


def settings_text(seed: int, settings: SampleSettings) -> str:
    """'seed 42, scale 0.8, 1024x768, 2 pictures'."""
    parts = [f"seed {seed}"]
    if settings.scale is not None and settings.scale != 1:
        parts.append(f"scale {number_text(settings.scale)}")
    if settings.width is not None and settings.height is not None:
        parts.append(f"{settings.width}x{settings.height}")
    if settings.guidance is not None:
        parts.append(f"guidance {number_text(settings.guidance)}")
    if settings.steps is not None:
        parts.append(f"{settings.steps} steps")
    if settings.count > 1:
        parts.append(counted(settings.count, "picture"))
    return ", ".join(parts)


def _sum(samples: SampleDiff) -> str:
    count, cost = len(samples.draw), samples.cost
    pictures = f", {counted(samples.pictures, 'picture')}" if samples.pictures > count else ""
    if cost.cu is None:
        return f"samples {count}{pictures}: cost unknown"
    price = f"{amount(cost.cu)} CU" if cost.source == "quoted" else about(cost.cu)
    if samples.each is None:
        return f"samples {count}: {price}{pictures}"
    return f"samples {count} x {amount(samples.each)} = {price}{pictures}"


def samples_basis_text(cost: Cost) -> str:
    """What an estimate of samples is made from, or why their cost is unknown; empty for a quote."""
    match cost.source:
        case "history":
            return f"estimated from a sample of {cost.basis}"
        case "estimate":
            return f"estimated with {cost.basis}"
        case "unknown":
            return UNKNOWN_WHY[cost.why or "no-model"]
        case _:
            return ""


def basis_of(change: Change) -> str:
    """What the cost of a change is estimated from, or why it is unknown; empty for a quote."""
    of_samples = samples_basis_text(change.samples.cost)
    return "; ".join(filter(None, (cost_basis_text(change.cost), of_samples and f"samples: {of_samples}")))


def waits_for_samples(change: Change) -> bool:
    """Whether nothing but samples is waited for."""
    return bool(change.reasons) and all(isinstance(reason, SamplesDrawing) for reason in change.reasons)


def news_text(samples: Iterable[SampleView]) -> str:
    """'3 new, 1 changed'."""
    counts = Counter(sample.news for sample in samples)
    return ", ".join(f"{counts[news]:,} {word}" for news, word in NEWS_WORDS.items() if counts[news])

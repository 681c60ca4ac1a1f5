"""Why samples are drawn: data with stable codes, as all reasons; see reasons.py."""

from __future__ import annotations

from scenario_apply.planning.coded_reason import Coded


class SamplesMissing(Coded, frozen=True, tag="samples-missing"):
    """Samples by name that the version in use does not have."""

    names: tuple[str, ...]


class SamplesChanged(Coded, frozen=True, tag="samples-changed"):
    """Samples by name that the version in use has with another prompt, seed, setting, base or reference picture."""

    names: tuple[str, ...]


class SampleFailed(Coded, frozen=True, tag="sample-failed"):
    """reason: as recorded; None where there is none."""

    name: str
    reason: str | None


class SamplesDrawing(Coded, frozen=True, tag="samples-drawing"):
    """Samples by name that were launched and have not ended."""

    names: tuple[str, ...]


SAMPLE_REASONS = (SamplesMissing, SamplesChanged, SampleFailed)
"""Why an unchanged version draws: nothing else about the resource changes."""

SampleReason = SamplesMissing | SamplesChanged | SampleFailed | SamplesDrawing
"""Which samples are owed, and why."""

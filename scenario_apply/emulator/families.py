"""Training types as data: what each takes, how it is priced, which kind of job trains it.

Source: the contract's x-scenario.families, which `request_bodies` checks the parameters with. Prices and the most
images of a model are the emulator's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Types that are trained alike."""

    name: str
    types: tuple[str, ...]
    job_type: str
    dataset: Literal["images", "pairs", "concepts"]
    images_too: bool = False
    """Whether a family of pairs also trains on single images, as long as the model has no pairs at all."""
    max_items: int
    """The most images, or pairs, which are two images each."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Of the parameters that decide the number of steps."""
    base_cost: int
    """Compute units of a training before its first step."""


_MUSUBI_DEFAULTS = {"nbEpochs": 10, "nbRepeats": 20}

FAMILIES = (
    Family(
        name="flux1",
        types=("flux.1-lora", "flux.1-krea-lora"),
        job_type="flux-model-training",
        dataset="images",
        max_items=100,
        base_cost=50,
    ),
    Family(
        name="flux1Kontext",
        types=("flux.1-kontext-lora",),
        job_type="flux-model-training",
        dataset="pairs",
        images_too=True,
        max_items=100,
        base_cost=50,
    ),
    Family(
        name="musubi",
        types=(
            "flux.2-dev-lora",
            "flux.2-klein-4b-lora",
            "flux.2-klein-9b-lora",
            "flux.2-klein-base-4b-lora",
            "flux.2-klein-base-9b-lora",
            "qwen-image-lora",
            "qwen-image-2512-lora",
            "zimage-lora",
            "zimage-turbo-lora",
            "zimage-de-turbo-lora",
        ),
        job_type="musubi-model-training",
        dataset="images",
        max_items=50,
        defaults=_MUSUBI_DEFAULTS,
        base_cost=40,
    ),
    Family(
        name="musubiEdit",
        types=(
            "flux.2-dev-edit-lora",
            "flux.2-klein-4b-edit-lora",
            "flux.2-klein-9b-edit-lora",
            "flux.2-klein-base-4b-edit-lora",
            "flux.2-klein-base-9b-edit-lora",
            "qwen-image-edit-lora",
            "qwen-image-edit-2509-lora",
            "qwen-image-edit-2511-lora",
        ),
        job_type="musubi-model-training",
        dataset="pairs",
        max_items=50,
        defaults=_MUSUBI_DEFAULTS,
        base_cost=60,
    ),
    Family(
        name="composition",
        types=("flux.1-composition",),
        job_type="flux-model-training",
        dataset="concepts",
        max_items=0,
        base_cost=10,
    ),
    Family(
        name="sdxlLegacy",
        types=("sd-xl-lora",),
        job_type="model-training",
        dataset="images",
        max_items=100,
        base_cost=30,
    ),
    Family(
        name="sdxlComposition",
        types=("sd-xl-composition",),
        job_type="model-training",
        dataset="concepts",
        max_items=0,
        base_cost=10,
    ),
)

FAMILY_OF: Mapping[str, Family] = {kind: family for family in FAMILIES for kind in family.types}

CONCEPT_TYPES: Mapping[str, tuple[str, ...]] = {
    "flux.1-composition": ("flux.1-lora",),
    "sd-xl-composition": ("sd-xl-lora",),
}

LEGACY_TYPES = frozenset({"sd-xl-lora", "sd-xl-composition"})
"""Retired, but accepted behind the legacy switch."""

RETIRED_TYPES = LEGACY_TYPES | {"sd-xl", "sd-1_5", "sd-1_5-lora", "sd-1_5-composition"}

MODEL_TYPES = frozenset(FAMILY_OF) | {
    "custom",
    "elevenlabs-voice",
    "flux.1",
    "flux.1-kontext-dev",
    "flux.1-krea-dev",
    "flux.1-pro",
    "flux.1.1-pro-ultra",
    "flux1.1-pro",
    "gpt-image-1",
}

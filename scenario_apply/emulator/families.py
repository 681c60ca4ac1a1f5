"""Training types as data: what each takes, how it is priced, which kind of job trains it.

Source: the contract's x-scenario.families. Parameters a family does not list are checked against the widest bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from scenario_apply.emulator.checks import Check, array, boolean, number, one_of, text

LEARNING_RATE_SCHEDULERS = (
    "constant",
    "constant-with-warmup",
    "cosine",
    "cosine-with-restarts",
    "linear",
    "polynomial",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Types that are trained alike."""

    name: str
    types: tuple[str, ...]
    job_type: str
    dataset: Literal["images", "pairs", "concepts"]
    max_images: int
    defaults: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    base_cost: int
    """Compute units of a training before its first step. Prices are the emulator's own."""


_MUSUBI_CHECKS: Mapping[str, Check] = {
    "learningRate": number(0.00001, 0.001),
    "rank": number(2, 128, whole=True),
    "batchSize": number(1, 8, whole=True),
    "nbEpochs": number(1, 100, whole=True),
    "nbRepeats": number(1, 100, whole=True),
    "samplePrompts": array(text(), most=4),
}
_MUSUBI_DEFAULTS = {"learningRate": 0.00005, "rank": 64, "batchSize": 1, "nbEpochs": 10, "nbRepeats": 20}

FAMILIES = (
    Family(
        name="flux1",
        types=("flux.1-lora", "flux.1-kontext-lora", "flux.1-krea-lora"),
        job_type="flux-model-training",
        dataset="images",
        max_images=100,
        defaults={"learningRate": 0.0001, "learningRateTextEncoder": 0.00001, "rank": 16, "conceptPrompt": ""},
        checks={"rank": number(2, 64, whole=True), "batchSize": number(1, 4, whole=True)},
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
        max_images=50,
        defaults=_MUSUBI_DEFAULTS,
        checks=_MUSUBI_CHECKS,
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
        max_images=100,
        defaults=_MUSUBI_DEFAULTS,
        checks=_MUSUBI_CHECKS,
        base_cost=60,
    ),
    Family(
        name="composition",
        types=("flux.1-composition",),
        job_type="flux-model-training",
        dataset="concepts",
        max_images=0,
        base_cost=10,
    ),
    Family(
        name="sdxlLegacy",
        types=("sd-xl-lora",),
        job_type="model-training",
        dataset="images",
        max_images=100,
        defaults={"learningRate": 0.000005, "conceptPrompt": "daiton"},
        base_cost=30,
    ),
    Family(
        name="sdxlComposition",
        types=("sd-xl-composition",),
        job_type="model-training",
        dataset="concepts",
        max_images=0,
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

WIDEST_CHECKS: Mapping[str, Check] = {
    "age": text(),
    "batchSize": number(1, 8),
    "classPrompt": text(),
    "cloneType": text(),
    "conceptPrompt": text(),
    "gender": text(),
    "language": text(),
    "learningRate": number(above=0),
    "learningRateTextEncoder": number(0.000001, 0.001),
    "learningRateUnet": number(),
    "lrScheduler": one_of(*LEARNING_RATE_SCHEDULERS),
    "maxTrainSteps": number(0, 10000, whole=True),
    "nbEpochs": number(1, whole=True),
    "nbRepeats": number(1, whole=True),
    "numTextTrainSteps": number(),
    "numUNetTrainSteps": number(),
    "optimizeFor": one_of("likeness"),
    "priorLossWeight": number(),
    "randomCrop": boolean,
    "randomCropRatio": number(),
    "randomCropScale": number(),
    "rank": number(2, 128, whole=True),
    "removeBackgroundNoise": boolean,
    "samplePrompts": array(text()),
    "sampleSourceImages": array(text()),
    "scaleLr": boolean,
    "seed": number(),
    "textEncoderTrainingRatio": number(),
    "validationFrequency": number(),
    "validationPrompt": text(),
    "voiceDescription": text(),
    "wandbKey": text(40),
}
"""Bounds that hold for every family (the contract's TrainingParameters)."""

"""The table of training types, as data: dataset shape and limits, parameters with ranges, how a training is polled.

Source: x-scenario.families of the API contract, its TrainingParameters, and the training guides. Adding a type of a
known family is one line in _FAMILIES; nothing elsewhere branches on a type's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

DatasetShape = Literal["images", "pairs", "concepts"]
ParameterKind = Literal["number", "integer", "string", "strings", "boolean"]


class ParameterRule(Struct, frozen=True, kw_only=True):
    """What one training parameter may be.

    minimum and maximum are allowed themselves unless exclusive says so of the minimum. default: what the service takes
    when it is left out, None where that is unknown or computed. same_length_as: a list with an entry for each entry of
    that one. note: what to say when it is used although it is deprecated or undocumented. secret: only from `env`.
    """

    kind: ParameterKind
    minimum: float | None = None
    maximum: float | None = None
    exclusive: bool = False
    default: float | str | None = None
    choices: tuple[str, ...] = ()
    max_items: int | None = None
    max_length: int | None = None
    same_length_as: str | None = None
    deprecated: bool = False
    note: str | None = None
    secret: bool = False


class TrainingType(Struct, frozen=True, kw_only=True):
    """One training type. How many images a dataset needs is up to the lint rules.

    images_too: of a type of pairs: single images are accepted with a warning, until the service is seen to refuse them.
    steps_per_image: the default of maxTrainSteps, times images; None where epochs and repeats are counted instead.
    composable_as: the composition type whose concept it can be.
    """

    name: str
    dataset: DatasetShape
    images_too: bool = False
    parameters: Mapping[str, ParameterRule] = field(default_factory=dict)
    polled_by: Literal["job", "model"] = "model"
    legacy: bool = False
    known: bool = True
    steps_per_image: int | None = None
    composable_as: str | None = None

    @property
    def is_composition(self) -> bool:
        return self.dataset == "concepts"


COMPOSITION_TYPE = "flux.1-composition"
"""What a composition is unless it says otherwise."""

EPOCH_TYPES = ("flux.1-lora", "flux.1-kontext-lora")
"""Types of which an epoch can be chosen after the training. Source: the official SDK, an update of a model."""

MOST_CONCEPTS = 5
"""Parts that the web app merges into one composition. The API names no limit."""

_SDXL_COMPOSITION = "sd-xl-composition"
SCALE_BOUNDS = (-2.0, 2.0)
"""What the API takes as a concept's scale. The guides speak of 0 to 1 only."""

_LR_SCHEDULERS = ("constant", "constant-with-warmup", "cosine", "cosine-with-restarts", "linear", "polynomial")
_LEGACY_NOTE = "the service marks it as legacy: current trainings may ignore it"
_UNDOCUMENTED_NOTE = "whether this type takes it is not documented: the service may ignore it"


def _legacy(kind: ParameterKind, choices: tuple[str, ...] = ()) -> ParameterRule:
    return ParameterRule(kind=kind, choices=choices, deprecated=True, note=_LEGACY_NOTE)


SECRET_RULE = ParameterRule(kind="string", max_length=40, secret=True)
_DEPRECATED: dict[str, ParameterRule] = {
    "classPrompt": _legacy("string"),
    "learningRateUnet": _legacy("number"),
    "lrScheduler": _legacy("string", _LR_SCHEDULERS),
    "numTextTrainSteps": _legacy("integer"),
    "numUNetTrainSteps": _legacy("integer"),
    "priorLossWeight": _legacy("number"),
    "randomCrop": _legacy("boolean"),
    "randomCropRatio": _legacy("number"),
    "randomCropScale": _legacy("number"),
    "scaleLr": _legacy("boolean"),
    "textEncoderTrainingRatio": _legacy("number"),
    "validationFrequency": _legacy("number"),
    "validationPrompt": _legacy("string"),
}
_SAMPLE_SOURCES = ParameterRule(kind="strings", same_length_as="samplePrompts")
_FLUX1 = {
    "learningRate": ParameterRule(kind="number", minimum=0, exclusive=True, default=1e-4),
    "learningRateTextEncoder": ParameterRule(kind="number", minimum=1e-6, maximum=1e-3, default=1e-5),
    "rank": ParameterRule(kind="integer", minimum=2, maximum=64, default=16),
    "batchSize": ParameterRule(kind="integer", minimum=1, maximum=4),
    "maxTrainSteps": ParameterRule(kind="integer", minimum=0, maximum=10_000),
    "nbEpochs": ParameterRule(kind="integer", minimum=1),
    "nbRepeats": ParameterRule(kind="integer", minimum=1),
    "conceptPrompt": ParameterRule(kind="string", default=""),
    "optimizeFor": ParameterRule(kind="string", choices=("likeness",)),
    "samplePrompts": ParameterRule(kind="strings"),
    "sampleSourceImages": _SAMPLE_SOURCES,
    "wandbKey": SECRET_RULE,
    "seed": _legacy("integer"),
    **_DEPRECATED,
}
_MUSUBI = {
    "learningRate": ParameterRule(kind="number", minimum=1e-5, maximum=1e-3, default=5e-5),
    "rank": ParameterRule(kind="integer", minimum=2, maximum=128, default=64),
    "batchSize": ParameterRule(kind="integer", minimum=1, maximum=8, default=1),
    "nbEpochs": ParameterRule(kind="integer", minimum=1, maximum=100, default=10),
    "nbRepeats": ParameterRule(kind="integer", minimum=1, maximum=100, default=20),
    "conceptPrompt": ParameterRule(kind="string", max_length=20),
    "samplePrompts": ParameterRule(kind="strings", max_items=4),
    "seed": ParameterRule(kind="integer"),
    "wandbKey": SECRET_RULE,
    **_DEPRECATED,
}
_SDXL = {
    "learningRate": ParameterRule(kind="number", minimum=0, exclusive=True, default=5e-6),
    "maxTrainSteps": ParameterRule(kind="integer", minimum=0, maximum=40_000),
    "conceptPrompt": ParameterRule(kind="string", default="daiton"),
    "learningRateTextEncoder": ParameterRule(
        kind="number", minimum=1e-6, maximum=1e-3, deprecated=True, note=_UNDOCUMENTED_NOTE
    ),
    "seed": ParameterRule(kind="integer", deprecated=True, note=_UNDOCUMENTED_NOTE),
    "wandbKey": SECRET_RULE,
    **_DEPRECATED,
}

_flux1 = TrainingType(
    name="",
    dataset="images",
    parameters=_FLUX1,
    steps_per_image=100,
)
_kontext = replace(_flux1, dataset="pairs", images_too=True)
_musubi = TrainingType(
    name="",
    dataset="images",
    parameters=_MUSUBI,
)
_musubi_edit = replace(
    _musubi,
    dataset="pairs",
    parameters={**_MUSUBI, "sampleSourceImages": _SAMPLE_SOURCES},
)
_sdxl = TrainingType(
    name="",
    dataset="images",
    parameters=_SDXL,
    legacy=True,
    steps_per_image=175,
    composable_as=_SDXL_COMPOSITION,
)
_composition = TrainingType(name="", dataset="concepts")

_FAMILIES: tuple[tuple[TrainingType, tuple[str, ...]], ...] = (
    (_kontext, ("flux.1-kontext-lora",)),
    (_flux1, ("flux.1-krea-lora",)),
    # the guides poll a flux.1-lora by its job, everything else by the model, and only it can be composed
    (replace(_flux1, polled_by="job", composable_as=COMPOSITION_TYPE), ("flux.1-lora",)),
    (
        _musubi,
        (
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
    ),
    (
        _musubi_edit,
        (
            "flux.2-dev-edit-lora",
            "flux.2-klein-4b-edit-lora",
            "flux.2-klein-9b-edit-lora",
            "flux.2-klein-base-4b-edit-lora",
            "flux.2-klein-base-9b-edit-lora",
            "qwen-image-edit-lora",
            "qwen-image-edit-2509-lora",
            "qwen-image-edit-2511-lora",
        ),
    ),
    (_sdxl, ("sd-xl-lora",)),
    (_composition, (COMPOSITION_TYPE,)),
    (replace(_composition, legacy=True), (_SDXL_COMPOSITION,)),
)

TRAINING_TYPES: Mapping[str, TrainingType] = {
    name: replace(family, name=name) for family, names in _FAMILIES for name in sorted(names)
}
"""Every type this release knows, by the API's own name."""

PARAMETER_NAMES: tuple[str, ...] = tuple(sorted({p for t in TRAINING_TYPES.values() for p in t.parameters}))


SECRET_PARAMETERS: frozenset[str] = frozenset(
    name for known in TRAINING_TYPES.values() for name, rule in known.parameters.items() if rule.secret
)
"""Parameters that say to whom a training reports, not what is trained: secrets, and no part of a fingerprint."""


def training_type(name: str) -> TrainingType:
    """The type of that name; for a name not in the table (allow_unknown_type) one that is taken as it comes.

    An unknown type takes any parameter, images, or pairs when its name holds "-edit-", and is polled by the model.
    """
    known = TRAINING_TYPES.get(name)
    if known is not None:
        return known
    shape: DatasetShape = "concepts" if name.endswith("-composition") else "pairs" if "-edit-" in name else "images"
    return TrainingType(name=name, dataset=shape, known=False)


def composable(composition: str) -> tuple[str, ...]:
    """The types whose models such a composition can be made of."""
    return tuple(name for name, known in TRAINING_TYPES.items() if known.composable_as == composition)


def training_steps(training: TrainingType | str, parameters: Mapping[str, object], images: int) -> int | None:
    """Optimisation steps of a training over that many images (pairs, for an edit type); None where it is unknown.

    images x nbRepeats x nbEpochs / batchSize rounded up, with the type's defaults; where the type counts steps,
    maxTrainSteps wins, and without any of the three it is images x 100 (Flux.1) or x 175 (SDXL).
    Which of steps and epochs wins when both are written is undocumented: taken to be the steps, as in diffusers.
    """
    if isinstance(training, str):
        training = training_type(training)
    if training.is_composition or not training.known:
        return None

    def value(name: str) -> float | None:
        rule = training.parameters.get(name)
        given = parameters.get(name, rule.default if rule else None)
        return float(given) if isinstance(given, int | float) and not isinstance(given, bool) else None

    steps = value("maxTrainSteps")
    if steps:
        return int(steps)
    epochs, repeats, batch = value("nbEpochs"), value("nbRepeats"), value("batchSize") or 1
    if epochs is None and repeats is None:
        return None if training.steps_per_image is None else images * training.steps_per_image
    return ceil(images * (repeats or 1) * (epochs or 1) / batch)

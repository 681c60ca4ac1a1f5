"""Sample pictures that a model owes: what is asked for, what is sent, and by what a sample is known.

A sample is one generation on a base model with the trained model as LoRA, or with a composition. It is known by its
prompt, seed, settings, base and reference picture; where it is recorded says of which version it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from scenario_apply.model import codec
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId

SampleEvent = Literal["trained", "manual"]
"""When samples are drawn: once a version is trained, or only by `samples draw`."""

LARGEST_SCALE = 2.0
LONGEST_PROMPT = 10_000
MOST_PICTURES = 4
MOST_LORAS = 6
SMALLEST_SIDE, LARGEST_SIDE, SIDE_STEP = 256, 2048, 8
"""Source: the API contract, section 20, and `inputs` of the base models."""

LARGEST_SEED = 2**31 - 1
_KEY_VERSION = 1


class SampleSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How pictures are drawn. scale: of the LoRA, 0 to 2; None for a composition. width, height: pixels; count: 1 to 4.

    None: what the service takes when it is left out.
    """

    scale: float | None = None
    width: int | None = None
    height: int | None = None
    count: int = 1
    guidance: float | None = None
    steps: int | None = None


class SampleRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sample to draw. name: in the manifest, for people. prompt: rendered, as it is sent.

    reference: SHA-256 of the picture that an edit starts from.
    """

    name: str
    prompt: str
    seed: int
    base: ModelId
    settings: SampleSettings = SampleSettings()
    reference: str | None = None

    @property
    def key(self) -> str:
        """By what the sample is known among those of a version: its name does not count."""
        asked = {
            "prompt": self.prompt,
            "seed": self.seed,
            "base": self.base,
            "settings": codec.plain(self.settings),
            "reference": self.reference,
        }
        return f"{_KEY_VERSION}:{sha256(codec.compact(asked)).hexdigest()[:32]}"


class Generation(Struct, frozen=True, kw_only=True):
    """The body of POST /generate/custom/{base}: a LoRA with its scale, or a composition by its id, never both."""

    prompt: str
    seed: int | None = None
    lora: ModelId | None = None
    composition: ModelId | None = None
    settings: SampleSettings = SampleSettings()
    references: tuple[AssetId, ...] = ()


class GenerationPrice(Struct, frozen=True, kw_only=True):
    """What a generation costs, in CU. details: its parts, as the service names them."""

    cu: float
    details: Mapping[str, float]


def derived_seed(address: Address, prompt: str) -> int:
    """The seed of a sample that names none: the same for every version, and for every child of a matrix."""
    text = f"{address.kind}.{address.name}\n{prompt}"
    return int.from_bytes(sha256(text.encode()).digest()[:8]) % (LARGEST_SEED + 1)

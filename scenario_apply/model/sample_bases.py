"""Which public base model draws pictures with a model of a type, as data.

Source: the API contract, section 20: ids seen in the vendor's own capture and in records of real runs. What is not in
the table is looked up in `inputs[].modelTypes` of the bases it names; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from scenario_apply.model.remote import ModelId


class SampleBase(Struct, frozen=True, kw_only=True):
    """needs_reference: whether it edits a picture and draws none without. most_loras: how many it takes at once."""

    id: ModelId
    needs_reference: bool = False
    most_loras: int = 6


FLUX_1 = SampleBase(id=ModelId("model_bfl-flux-1-dev"))
FLUX_2 = SampleBase(id=ModelId("model_bfl-flux-2-dev"))
FLUX_2_KLEIN = SampleBase(id=ModelId("model_bfl-flux-2-klein-9b"))
FLUX_2_KLEIN_BASE = SampleBase(id=ModelId("model_bfl-flux-2-klein-9b-base"))
KONTEXT = SampleBase(id=ModelId("model_flux-kontext-editing"), needs_reference=True, most_loras=1)
QWEN_EDIT_2511 = SampleBase(id=ModelId("model_qwen-image-edit-2511"))
Z_IMAGE = SampleBase(id=ModelId("model_z-image"))

SAMPLE_BASES: Mapping[str, SampleBase] = {
    "flux.1-lora": FLUX_1,
    "flux.1-composition": FLUX_1,
    "flux.1-kontext-lora": KONTEXT,
    "flux.2-dev-lora": FLUX_2,
    "flux.2-klein-9b-lora": FLUX_2_KLEIN,
    "flux.2-klein-base-9b-lora": FLUX_2_KLEIN_BASE,
    "qwen-image-edit-2511-lora": QWEN_EDIT_2511,
    "zimage-lora": Z_IMAGE,
}
"""Type -> the base that was seen with it."""

KNOWN_BASES: tuple[SampleBase, ...] = (
    FLUX_1,
    FLUX_2,
    FLUX_2_KLEIN,
    FLUX_2_KLEIN_BASE,
    KONTEXT,
    QWEN_EDIT_2511,
    Z_IMAGE,
)
"""Those whose inputs are read for a type that is not in the table."""


def known_base(type_name: str, base: str | None) -> SampleBase | None:
    """The base of samples as far as it is known offline: that of the type, or the one that is given."""
    if base is None:
        return SAMPLE_BASES.get(type_name)
    return next((known for known in KNOWN_BASES if known.id == base), None)


class WantedBase(NamedTuple):
    """A base to look up. type: of the model or composition; base: as the manifest gives it, None where it does not."""

    type: str
    base: ModelId | None = None

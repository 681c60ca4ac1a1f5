"""The public base models that pictures are generated with: which LoRAs each takes, its inputs, and its price.

A LoRA or a composition is never run by its own id. Ids, slots and the first three prices were seen on the service (the
API contract, section 20); the types of the other bases follow their names, and their prices are the emulator's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenario_apply.emulator.messages import Json

QUALITY_GATE_CU = 1.75
"""Compute units of the check that every picture passes."""
MOST_PICTURES = 4
_MOST_LORAS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """One base. loras: types that `loras` takes. model_id: types that `modelId` takes; none: it has no such input.

    picture_cu: compute units of one picture, without the quality gate. lora_cu: what each LoRA adds to it.
    """

    id: str
    name: str
    loras: tuple[str, ...]
    model_id: tuple[str, ...] = ()
    most_loras: int = _MOST_LORAS
    picture_cu: float = 9
    lora_cu: float = 0
    needs_reference: bool = False

    @property
    def takes_references(self) -> bool:
        """Whether it edits pictures: where it must, and where LoRAs that were trained on edits fit."""
        return self.needs_reference or any("-edit-" in kind for kind in self.loras)


_ZIMAGE = ("zimage-lora", "zimage-turbo-lora", "zimage-de-turbo-lora")


def _both(family: str) -> tuple[str, str]:
    return f"{family}-lora", f"{family}-edit-lora"


BASES = {
    base.id: base
    for base in (
        BaseModel(
            id="model_bfl-flux-1-dev",
            name="Flux.1 Dev",
            loras=("flux.1-lora",),
            model_id=("flux.1-lora", "flux.1-composition"),
        ),
        BaseModel(
            id="model_bfl-flux-2-dev",
            name="Flux.2 Dev",
            loras=_both("flux.2-dev"),
            model_id=_both("flux.2-dev"),
            picture_cu=16,
        ),
        BaseModel(
            id="model_flux-kontext-editing",
            name="Flux.1 Kontext",
            loras=("flux.1-kontext-lora",),
            most_loras=1,
            picture_cu=16,
            lora_cu=2,
            needs_reference=True,
        ),
        BaseModel(id="model_bfl-flux-2-klein-9b", name="Flux.2 Klein 9B", loras=_both("flux.2-klein-9b")),
        BaseModel(
            id="model_bfl-flux-2-klein-9b-base", name="Flux.2 Klein 9B Base", loras=_both("flux.2-klein-base-9b")
        ),
        BaseModel(
            id="model_qwen-image-edit-2511",
            name="Qwen Image Edit 2511",
            loras=("qwen-image-edit-2511-lora",),
            model_id=("qwen-image-edit-2511-lora",),
        ),
        BaseModel(id="model_z-image", name="Z-Image", loras=_ZIMAGE, model_id=_ZIMAGE),
    )
}
"""By id."""


def inputs_of(base: BaseModel) -> list[Json]:
    """What a body of a generation may hold, as `GET /models/{modelId}` lists it."""
    inputs: list[Json] = [
        {"name": "prompt", "type": "string", "prompt": True, "maxLength": 10_000, "required": {"always": True}},
        {
            "name": "loras",
            "type": "model_array",
            "modelTypes": list(base.loras),
            "maxLength": base.most_loras,
            "default": [],
            "costImpact": bool(base.lora_cu),
        },
        {"name": "lorasScale", "type": "number_array", "min": 0, "max": 2, "step": 0.05},
        {"name": "seed", "type": "number", "min": 0, "max": 2147483647},
        {"name": "width", "type": "number", "min": 256, "max": 2048, "step": 8, "default": 1024},
        {"name": "height", "type": "number", "min": 256, "max": 2048, "step": 8, "default": 1024},
        {"name": "numOutputs", "type": "number", "min": 1, "max": MOST_PICTURES, "default": 1, "costImpact": True},
        {"name": "guidance", "type": "number", "min": 0, "max": 20, "default": 3.5},
        {"name": "numInferenceSteps", "type": "number", "min": 1, "max": 50, "default": 28},
    ]
    if base.model_id:
        inputs.append({"name": "modelId", "type": "model", "modelTypes": list(base.model_id), "default": ""})
    if base.takes_references:
        reference = {"name": "referenceImages", "type": "file_array", "kind": "image", "maxLength": 4}
        inputs.append({**reference, "required": {"always": True}} if base.needs_reference else reference)
    return inputs


def form_of(base: BaseModel) -> Json:
    """The two properties that only the full view of a base carries: no list, no bulk answer, no trained model."""
    component = {"label": "LoRAs", "modelInput": "loras", "scaleInput": "lorasScale"}
    if base.model_id:
        component["modelIdInput"] = "modelId"
    return {"inputs": inputs_of(base), "uiConfig": {"lorasComponent": component}}


def price_of(base: BaseModel, loras: int, pictures: int) -> Json:
    """The properties that carry a price, in a dry run as in a launch. The details add up to the cost."""
    generation = (base.picture_cu + base.lora_cu * loras) * pictures
    gate = QUALITY_GATE_CU * pictures
    return {
        "creativeUnitsCost": generation + gate,
        "creativeUnitsDiscount": 0,
        "costDetails": {"custom-generation": generation, "quality-gate": gate},
    }

"""Decisions about one recorded model, for the tests of the rules and of what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from scenario_apply.dataset.types import Image
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel, TrainingImage
from scenario_apply.planning.decide import decide
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.desired import desire
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.state import ConceptRecord, ImageRecord, Record, State, Version
from tests.planning.manifests import dataset, manifest, model, picture

KAEL = Address("model", "kael")
INK = Address("composition", "ink")
IMAGES = (picture("01.png", "ash", "front"), picture("02.png", "elm", "side"))
SPEC = model("kael")
MANIFEST = manifest(SPEC)


def version(number: int = 1, images: Sequence[Image] = IMAGES, **more: Any) -> Version:
    """A trained version of SPEC; its images have the assets a1, a2 …; more: fields of Version."""
    parameters = more.get("parameters", {"nbEpochs": 10})
    digest = dataset("set", images).digest
    values = {
        "id": ModelId(f"m{number}"),
        "phase": "trained",
        "name": "kael",
        "type": "flux.1-lora",
        "parameters": parameters,
        "fingerprint": fingerprint(type="flux.1-lora", parameters=parameters, dataset=digest),
        "images": tuple(
            ImageRecord(image.path, image.sha256, AssetId(f"a{position}"), image.caption or "")
            for position, image in enumerate(images, start=1)
        ),
    }
    return Version(number=number, **(values | more))


def ink(*part_ids: str) -> Record:
    """A recorded composition of those models."""
    parts = tuple(ConceptRecord(ModelId(part_id), 0.5) for part_id in part_ids)
    return Record(current=Version(number=1, id=ModelId("c1"), phase="trained", name="ink", type="x", concepts=parts))


def recorded(current: Version | None = None, **more: Any) -> State:
    """A state that records model.kael; more: fields of Record."""
    return State(records={KAEL: Record(current=current or version(), **more)})


def gone(*model_ids: str) -> Observed:
    """Models that were looked up and do not exist."""
    return Observed(asked=frozenset(map(ModelId, model_ids)), refreshed=True)


def held(asset_id: str, name: str, caption: str | None = None) -> TrainingImage:
    """An image as the service holds it."""
    return TrainingImage(id=AssetId(asset_id), name=name, description=caption or "", automatic_caption="")


HELD = tuple(held(f"a{position}", image.path, image.caption) for position, image in enumerate(IMAGES, start=1))
"""IMAGES as the service holds them once they are recorded."""


def seen(**more: Any) -> Observed:
    """m1 as recorded, but for more: fields of RemoteModel."""
    remote = RemoteModel(**({"id": ModelId("m1"), "type": "flux.1-lora", "status": "trained"} | more))
    return Observed(models={remote.id: remote}, asked=frozenset({remote.id}), refreshed=True)


def decisions(
    made: Manifest = MANIFEST,
    state: State | None = None,
    observed: Observed | None = None,
    images: Sequence[Image] = IMAGES,
    **asked: Any,
) -> Mapping[Address, Decision]:
    """asked: fields of PlanRequestOptions."""
    return decide(
        Inputs(
            desired=desire(made, {"set": dataset("set", images)}),
            state=recorded() if state is None else state,
            observed=observed or Observed(),
            asked=PlanRequestOptions(**asked),
        )
    )


def decided(made: Manifest = MANIFEST, *args: Any, **more: Any) -> Decision:
    """The decision about model.kael."""
    return decisions(made, *args, **more)[KAEL]


def declared(**more: Any) -> Manifest:
    """model.kael; more: fields of its declaration."""
    return manifest(replace(SPEC, **more))

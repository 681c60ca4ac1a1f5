"""The steps of samples: launched once the version is trained, then waited for; the pictures of edits first. Pure.

Nothing depends on a sample: one that fails fails no training.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from scenario_apply.dataset.recipes import changes_pixels
from scenario_apply.dataset.types import Image
from scenario_apply.model.address import Address
from scenario_apply.model.limits import SINGLE_UPLOAD_BYTES
from scenario_apply.model.remote import AssetId
from scenario_apply.model.steps import (
    AssetRef,
    AwaitSample,
    DrawSample,
    PictureRef,
    Step,
    StepId,
    UploadImage,
    UploadWay,
)
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.image_placement import Key, assets_by_content
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.owed_samples import SampleWork
from scenario_apply.state.state import State

AddStep = Callable[..., StepId]
"""(step, *after) -> its id."""


def add_sample_steps(
    add: AddStep,
    works: Mapping[Address, SampleWork],
    known: Mapping[str, Sequence[AssetId]],
    uploads: Mapping[Key, AssetRef],
    trained: Mapping[Address, StepId],
) -> None:
    """known: assets by content. uploads: of this plan. trained: the step after which a resource may draw."""
    references = _References(add, known, {key[0]: ref for key, ref in uploads.items()})
    for address, work in works.items():
        for drawing in work.waiting:
            add(AwaitSample(address=address, number=drawing.number, key=drawing.key, name=drawing.name))
        for one in work.draw:
            reference = None if one.reference is None else references.of(address, one.reference)
            step: Step = DrawSample(address=address, number=work.number, sample=one.request, reference=reference)
            launched = add(step, trained.get(address), None if reference is None else reference.step)
            waits = AwaitSample(address=address, number=work.number, key=one.request.key, name=one.request.name)
            add(waits, launched)


def reference_assets(
    works: Mapping[Address, SampleWork], decisions: Collection[Decision], state: State, observed: Observed
) -> list[AssetId]:
    """The assets that samples would edit, as far as they are known."""
    pictures = list(_pictures(works))
    known = assets_by_content(state, observed, decisions) if pictures else {}
    return [known[image.content][0] for image in pictures if image.content in known]


def _pictures(works: Mapping[Address, SampleWork]) -> Iterator[Image]:
    return (one.reference for work in works.values() for one in work.draw if one.reference is not None)


class _References:
    """The asset of each picture: a known one, one that this plan uploads, or one that is uploaded for the sample."""

    def __init__(self, add: AddStep, known: Mapping[str, Sequence[AssetId]], uploads: Mapping[str, AssetRef]) -> None:
        self._add = add
        self._assets = {**uploads, **{content: AssetRef(id=ids[0]) for content, ids in known.items() if ids}}

    def of(self, address: Address, image: Image) -> AssetRef:
        if image.content not in self._assets:
            step = UploadImage(address=address, picture=picture_ref(image), way=_way(image))
            self._assets[image.content] = AssetRef(step=self._add(step))
        return self._assets[image.content]


def _way(image: Image) -> UploadWay:
    return "multipart" if image.bytes_to_send > SINGLE_UPLOAD_BYTES else "asset"


def picture_ref(image: Image) -> PictureRef:
    """What an upload needs to know of a picture."""
    return PictureRef(
        path=image.path,
        file=image.file,
        sha256=image.sha256,
        size_bytes=image.size_bytes,
        mime=image.mime,
        recipe=image.recipe,
        most_bytes=image.most_bytes if changes_pixels(image.recipe) else 0,
    )

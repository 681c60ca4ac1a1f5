"""Sample pictures of epochs, as the history section of a page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scenario_apply.apply.sample_pictures import MOST_PICTURES, Download, Samples, sampled_models
from scenario_apply.dataset.scan.thumbnails import Shown, Thumbnail
from scenario_apply.errors import ApiError
from scenario_apply.model.remote import ModelId
from scenario_apply.review.html.album import inline_image, room_for
from scenario_apply.review.html.history_section import ModelSamples, SampledEpoch, SamplePicture
from scenario_apply.review.screen import counted
from scenario_apply.state.state import State

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings

_MOST_BYTES = 16_000


def samples_of(
    world: Environment, state: State, settings: Settings, request: PlanRequest | None = None
) -> Mapping[ModelId, ModelSamples]:
    """The samples of every trained version, the ones in use first. What cannot be had is said in their place.

    request: whose pictures the page shows, too.
    """
    assert world.api is not None
    assert world.pictures is not None
    shown = 0 if request is None else sum(dataset.image_count for dataset in request.datasets.values())
    most_bytes = min(_MOST_BYTES, room_for(shown + MOST_PICTURES).bytes_each)
    versions = [version for _, record in sorted(state.records.items()) for version in record.versions()]
    current = {record.current.id for record in state.records.values()}
    trained = sorted((version for version in versions if version.is_usable), key=lambda one: one.id not in current)
    ids = [version.id for version in trained]
    try:
        found = sampled_models(world.api, ids, Download(world.pictures, settings.remote, most_bytes))
    except ApiError as error:
        return {model_id: ModelSamples(note=f"The samples could not be read: {error}") for model_id in ids}
    return {model_id: _shown(samples) for model_id, samples in found.items()}


def pictures_in(samples: Mapping[ModelId, ModelSamples] | None) -> int:
    """How many of them are shown."""
    found = () if samples is None else samples.values()
    return sum(picture.data is not None for one in found for epoch in one.epochs for picture in epoch.pictures)


def _shown(samples: Samples) -> ModelSamples:
    if samples.left_out:
        return ModelSamples(
            note=f"A page has room for {MOST_PICTURES} sample pictures; those of this version are left out."
        )
    epochs = tuple(
        SampledEpoch(
            epoch.epoch,
            tuple(_picture(f"sample {n} of epoch {epoch.epoch}", one) for n, one in enumerate(epoch.pictures, 1)),
        )
        for epoch in samples.epochs
    )
    note = f"{len(epochs)} of {counted(samples.total, 'epoch')} are shown." if samples.total > len(epochs) else ""
    return ModelSamples(epochs, note, samples.in_use)


def _picture(name: str, one: Shown) -> SamplePicture:
    if not isinstance(one, Thumbnail):
        return SamplePicture(name, None, why=one.why)
    image = inline_image(one.data, "image/webp", one.width, one.height)
    return SamplePicture(name, image.src, image.width, image.height)

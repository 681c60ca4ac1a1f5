"""What the service holds, in the words it was sent: forms that it gives to texts by itself are no difference.

What the answer to a write said was kept is recorded (KeptCaption, KeptLabels); where it said nothing, known forms are
compared. Everything that planning compares afterwards is either as it was sent or was changed on the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scenario_apply.model.kept_text import is_kept_form, is_same_tag, may_be_kept_of
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel, TrainingImage
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import AssetRecord, ImageRecord, KeptLabels, State, Version


def as_sent(observed: Observed, state: State) -> Observed:
    """The same refresh with every label and caption as recorded, unless it was changed on the service."""
    versions = {version.id: version for record in state.records.values() for version in record.versions()}
    assets: dict[AssetId, AssetRecord] = {}
    changed: dict[ModelId, RemoteModel] = {}
    for model_id, remote in observed.models.items():
        version = versions.get(model_id)
        if version is None:
            continue
        model = _with_labels_as_sent(version, remote)
        if remote.images and not _are_as_recorded(version, remote.images):
            assets = assets or state.assets()
            model = replace(model, images=_images_as_sent(version, remote.images, assets))
        if model is not remote:
            changed[model_id] = model
    return replace(observed, models={**observed.models, **changed}) if changed else observed


def _with_labels_as_sent(version: Version, remote: RemoteModel) -> RemoteModel:
    kept = version.kept or KeptLabels()
    if remote.name is not None and remote.name != version.name and _is_held(version.name, kept.name, remote.name):
        remote = replace(remote, name=version.name)
    sent, held = version.description, remote.short_description or ""
    if sent is not None and sent != held and _is_held(sent, kept.description, held):
        remote = replace(remote, short_description=sent)
    if remote.tags is not None and not set(version.tags) <= set(remote.tags):
        remote = replace(remote, tags=_tags_as_sent(version.tags, remote.tags, kept.tags))
    return remote


def _is_held(sent: str, kept: str | None, held: str) -> bool:
    return held == kept or is_kept_form(sent, held)


def _tags_as_sent(sent: tuple[str, ...], held: tuple[str, ...], kept: Mapping[str, str]) -> tuple[str, ...]:
    tags = list(held)
    for tag in sent:
        if tag in tags:
            continue
        form = next((one for one in held if one == kept.get(tag) or is_same_tag(tag, one)), None)
        if form is None:
            continue
        tags.append(tag)
        if form in tags and form not in sent:
            tags.remove(form)
    return tuple(tags)


def _are_as_recorded(version: Version, images: tuple[TrainingImage, ...]) -> bool:
    recorded = {image.asset_id: image.caption for image in version.images}
    return all(recorded.get(image.id) == image.description for image in images)


def _images_as_sent(
    version: Version, images: tuple[TrainingImage, ...], assets: Mapping[AssetId, AssetRecord]
) -> tuple[TrainingImage, ...]:
    recorded: dict[AssetId, AssetRecord | ImageRecord] = {image.asset_id: image for image in version.images}
    return tuple(_image_as_sent(recorded.get(image.id) or assets.get(image.id), image) for image in images)


def _image_as_sent(record: AssetRecord | ImageRecord | None, image: TrainingImage) -> TrainingImage:
    if record is None or record.caption == image.description:
        return image
    return replace(image, description=record.caption) if _is_caption_held(record, image) else image


def _is_caption_held(record: AssetRecord | ImageRecord, image: TrainingImage) -> bool:
    """An image without a caption of ours may show the service's own one: the contract leaves that open."""
    if not record.caption:
        return image.description in (record.kept, image.automatic_caption)
    if record.silent and may_be_kept_of(record.caption, image.description):
        return True
    return _is_held(record.caption, record.kept, image.description)

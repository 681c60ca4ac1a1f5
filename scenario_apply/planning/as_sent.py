"""What the service holds, in the words it was sent: forms that it gives to texts by itself are no difference.

What the answer to a write said was kept is recorded (KeptCaption, KeptLabels); where it said nothing, known forms are
compared. Everything that planning compares afterwards is either as it was sent or was changed on the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from scenario_apply.model.kept_text import (
    is_cut_tag,
    is_kept_form,
    is_same_but_for_signs,
    is_same_tag,
    may_be_kept_of,
    normal_form,
)
from scenario_apply.model.remote import AssetId, ModelId, RemoteAsset, RemoteModel, TrainingImage
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.own_captions import own_caption
from scenario_apply.planning.pair_diff import pairs_as_sent
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
        model = pairs_as_sent(version, _with_labels_as_sent(version, remote))
        if remote.images and not _are_as_recorded(version, remote.images):
            assets = assets or state.assets()
            model = replace(model, images=_images_as_sent(version, remote.images, assets))
        if model is not remote:
            changed[model_id] = model
    return replace(observed, models={**observed.models, **changed}) if changed else observed


def changed_captions(assets: Iterable[RemoteAsset], recorded: Mapping[AssetId, AssetRecord]) -> dict[AssetId, str]:
    """The captions that assets have now, where they are no form of the recorded ones. A service's own is none."""
    images = [
        TrainingImage(id=asset.id, name=asset.name or "", description=asset.description, automatic_caption="")
        for asset in assets
        if asset.description is not None
    ]
    pairs = [(recorded.get(image.id), image) for image in images]
    return {image.id: image.description for image, held in zip(images, captions_held(pairs), strict=True) if not held}


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
        form = form or next((one for one in held if one not in sent and is_cut_tag(tag, one)), None)
        if form is None and kept.get(tag) != "":  # dropped when it was sent
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
    own: dict[AssetId, ImageRecord] = {image.asset_id: image for image in version.images}
    pairs = [(own.get(image.id) or assets.get(image.id), image) for image in images]
    return tuple(
        _image_as_sent(record, image) if record is not None and is_held else image
        for (record, image), is_held in zip(pairs, captions_held(pairs), strict=True)
    )


_Captioned = AssetRecord | ImageRecord


def _image_as_sent(record: _Captioned, image: TrainingImage) -> TrainingImage:
    """Where the service shows a caption of its own as the description, too, it stays known as its own."""
    own = image.automatic_caption if record.caption else own_caption(image)
    return replace(image, description=record.caption, automatic_caption=own)


def captions_held(pairs: Sequence[tuple[_Captioned | None, TrainingImage]]) -> list[bool]:
    """Of each image of a model, whether it has the caption that was sent, in whatever form. None: none was."""
    is_every_one = _is_done_to_every_one([(record, image) for record, image in pairs if record is not None])
    return [record is not None and _is_caption_held(record, image, is_every_one) for record, image in pairs]


def _is_caption_held(record: _Captioned, image: TrainingImage, is_every_one: bool) -> bool:
    """An image without a caption of ours may show the service's own one: the contract leaves that open.

    is_every_one: the service does to all captions of the model what else only a silent answer leaves open.
    """
    if not record.caption:
        return image.has_own_caption or image.description == record.kept
    if (record.silent or is_every_one) and may_be_kept_of(record.caption, image.description):
        return True
    # no training is worth a sign, and a service that changes signs would change them again
    return _is_held(record.caption, record.kept, image.description) or is_same_but_for_signs(
        record.caption, image.description
    )


def _is_done_to_every_one(pairs: Sequence[tuple[_Captioned, TrainingImage]]) -> bool:
    """Whether at least two captions are in lower case or cut, and every other one could not be seen to be.

    Then a service shows its texts in another form than it says it kept; no person edits all captions like that.
    """
    held = [(record.caption, image.description) for record, image in pairs if record.caption]
    others = [(sent, shown) for sent, shown in held if sent != shown and not is_kept_form(sent, shown)]
    changed = [(sent, shown) for sent, shown in others if may_be_kept_of(sent, shown)]
    if len(changed) < 2:
        return False
    if all(shown == shown.lower() for _, shown in held):
        return True
    longest = max(len(shown) for _, shown in held)
    return all(longest < _length_with_next_word(sent, shown) for sent, shown in changed)


def _length_with_next_word(sent: str, shown: str) -> int:
    """How long a text that is cut would be with one word more: more than a service keeps that cuts after a word."""
    whole, kept = normal_form(sent), len(normal_form(shown).rstrip("."))
    next_blank = whole.find(" ", kept + 1)
    return len(whole) if next_blank < 0 else next_blank

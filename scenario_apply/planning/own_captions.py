"""Captions that say what the service says by itself: a caption of its own that was written down changes no training.

Training uses the description of an image, and the service's automatic caption where there is none. So a file with
exactly that caption asks for what was trained already. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from scenario_apply.dataset.captions.caption_text import caption_line, without_empty_tags
from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.dataset.types import Contents
from scenario_apply.model.kept_text import is_same_text
from scenario_apply.model.remote import RemoteModel, TrainingImage
from scenario_apply.state.state import Version


def own_caption(image: TrainingImage) -> str:
    """What the service uses for an image that was sent no caption; "" where it says nothing."""
    return image.description or image.automatic_caption


def own_captions(version: Version, remote: RemoteModel | None) -> Mapping[str, str]:
    """SHA-256 of an image's file -> the service's own caption of it; of images that were sent without a caption."""
    shown = {image.id: image for image in (remote.images if remote is not None else None) or ()}
    own = {
        record.source: own_caption(image)
        for record in version.images
        if not record.caption and (image := shown.get(record.asset_id)) is not None and image.has_own_caption
    }
    return {sha256: caption for sha256, caption in own.items() if caption}


def as_one_line(caption: str) -> str:
    """A caption of the service as a file says it, so that it is sent as it is read."""
    return without_empty_tags(caption_line(Raw(caption), "space").text)


def says_the_same(caption: str, own: str) -> bool:
    """Whether a caption as sent is the service's own, but for blanks and the form of its signs."""
    return is_same_text(caption, own) or is_same_text(caption, as_one_line(own))


def without_own_captions(contents: Contents, version: Version, remote: RemoteModel | None) -> Contents:
    """The same contents; images captioned with the service's own words have no caption, as they were sent."""
    own = own_captions(version, remote)
    sent = {(record.source, record.caption) for record in version.images}
    written = {
        image.path
        for image in contents.images
        if image.caption is not None
        and image.sha256 in own
        and (image.sha256, image.caption) not in sent
        and says_the_same(image.caption, own[image.sha256])
    }
    if not written:
        return contents
    images = (replace(image, caption=None) if image.path in written else image for image in contents.images)
    return replace(contents, images=tuple(images))


def without_unsent_captions(contents: Contents, version: Version) -> Contents:
    """The same contents; images that the version was sent without a caption have none, whatever the dataset says."""
    sent = {(record.source, record.caption) for record in version.images}
    images = (
        replace(image, caption=None)
        if (image.sha256, "") in sent and (image.sha256, image.caption or "") not in sent
        else image
        for image in contents.images
    )
    return replace(contents, images=tuple(images))

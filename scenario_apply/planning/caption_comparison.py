"""The captions of a dataset beside those that the service holds for a model that was made of it. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from scenario_apply.dataset.types import Contents, Image
from scenario_apply.model.remote import RemoteModel, TrainingImage
from scenario_apply.planning.content_diff import matched_images
from scenario_apply.planning.own_captions import own_caption, says_the_same
from scenario_apply.state.state import ImageRecord, Version

CaptionStatus = Literal["same", "changed-here", "changed-on-scenario", "changed-on-both", "not-sent", "not-attached"]


class ComparedCaption(Struct, frozen=True, kw_only=True):
    """One image. here: its caption as it would be sent; scenario: what training would use there; None: none.

    is_own: what Scenario holds is its own automatic caption.
    """

    path: str
    status: CaptionStatus
    here: str | None
    scenario: str | None = None
    recorded: str | None = None
    is_own: bool = False


def compare_captions(contents: Contents, version: Version, remote: RemoteModel) -> list[ComparedCaption]:
    """One entry for each image of the dataset, in its order. remote: with its images, in the words that were sent."""
    records, _ = matched_images(contents.images, version.images)
    shown = {image.id: image for image in remote.images or ()}
    compared = []
    for image in contents.images:
        record = records.get(image.path)
        if record is None or record.source != image.sha256:
            compared.append(ComparedCaption(path=image.path, status="not-sent", here=image.caption))
        elif (held := shown.get(record.asset_id)) is None:
            compared.append(ComparedCaption(path=image.path, status="not-attached", here=image.caption))
        else:
            compared.append(_compared(image, record, held))
    return compared


def _compared(image: Image, record: ImageRecord, held: TrainingImage) -> ComparedCaption:
    here, there = image.caption or "", held.caption_beside(record.caption)
    own = own_caption(held) if not there else ""
    is_own_here = bool(own and here and says_the_same(here, own))
    moved_here = here != record.caption and not (is_own_here and not record.caption)
    moved_there = there != record.caption
    status: CaptionStatus = "changed-here" if moved_here else "same"
    if here == there or is_own_here:
        status = "same"
    elif moved_there:
        status = "changed-on-both" if moved_here else "changed-on-scenario"
    return ComparedCaption(
        path=image.path,
        status=status,
        here=image.caption,
        scenario=there or own or None,
        recorded=record.caption or None,
        is_own=bool(own),
    )

"""The pictures of comparisons, by asset: small copies from the disk, and those that are missing from Scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from scenario_apply.apply.sample_pictures import Download, downloaded_pictures
from scenario_apply.dataset.scan.sample_thumbnails import read_sample_thumbnails
from scenario_apply.dataset.scan.thumbnails import NoThumbnail, Shown, Thumbnail
from scenario_apply.model.remote import AssetId
from scenario_apply.review.comparison_view import Comparison, DrawnView
from scenario_apply.review.html.album import Album, PageImage, inline_image, room_for, room_of_samples

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.settings import Settings

MOST_DOWNLOADS = 96
"""Of a page: the others are named."""


def pictures_of(views: Iterable[Comparison]) -> list[DrawnView]:
    """Every picture that the comparisons show, once."""
    cells = (cell for view in views for row in view.rows for cell in row.cells)
    return [*{picture.asset_id: picture for cell in cells for picture in cell.pictures}.values()]


def compared_album(
    pictures: Sequence[DrawnView], root: str, world: Environment | None, settings: Settings, *, others: int = 0
) -> Album:
    """By asset id. world None: Scenario is not asked. others: how many other pictures the page has."""
    room = room_for(len(pictures) + others)
    fitting, left = pictures[: room.pictures], pictures[room.pictures :]
    digests = [one.thumbnail for one in fitting if one.thumbnail is not None]
    in_all = room_of_samples(len(fitting), others)
    here = read_sample_thumbnails(root, digests, most_bytes=room.bytes_each, most_in_all=in_all)
    shown: dict[str, Shown] = {}
    for one in fitting:
        shown[one.asset_id] = NoThumbnail("it was not downloaded") if one.thumbnail is None else here[one.thumbnail]
    if world is not None and world.pictures is not None:
        missing = [AssetId(key) for key, one in shown.items() if not isinstance(one, Thumbnail)]
        download = Download(world.pictures, settings.remote, room.bytes_each)
        if missing:
            shown |= {str(key): one for key, one in downloaded_pictures(missing[:MOST_DOWNLOADS], download).items()}
    no_room = PageImage(why=f"the page has room for {room.pictures:,} pictures")
    return {key: _page_image(one) for key, one in shown.items()} | {one.asset_id: no_room for one in left}


def _page_image(one: Shown) -> PageImage:
    return (
        inline_image(one.data, "image/webp", one.width, one.height)
        if isinstance(one, Thumbnail)
        else PageImage(why=one.why)
    )

"""Every picture of the datasets with its caption, as contact sheets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from scenario_apply.dataset.types import Contents, Dataset, Image, Pair
from scenario_apply.review.html.album import Album
from scenario_apply.review.html.figures import Facts, Figure, FigureSide, Sheet
from scenario_apply.review.html.page import Section
from scenario_apply.review.pair_lines import bytes_text


class GallerySheet(NamedTuple):
    """The pictures of a dataset. elsewhere: how many of them the changes of the page show."""

    sheet: Sheet
    elsewhere: int


class Gallery(NamedTuple):
    """What the template draws."""

    sheets: tuple[GallerySheet, ...]
    album: Album


def gallery_sheets(
    datasets: Mapping[str, Dataset], facts: Mapping[str, Facts], shown: AbstractSet[str]
) -> tuple[GallerySheet, ...]:
    """A sheet for each dataset. facts: of each. shown: digests of pictures that the page shows elsewhere."""
    return tuple(
        _sheet(f"g{number}", name, dataset.contents, facts[name], shown)
        for number, (name, dataset) in enumerate(datasets.items(), 1)
    )


def gallery_section(sheets: tuple[GallerySheet, ...], album: Album) -> Section:
    count = sum(len(one.sheet.figures) + one.elsewhere for one in sheets)
    return Section("pictures", "Pictures", "gallery.html.jinja", Gallery(sheets, album), f"{count:,}")


def _sheet(key: str, name: str, contents: Contents, facts: Facts, shown: AbstractSet[str]) -> GallerySheet:
    figures = tuple(_figures(key, contents, facts, shown))
    paired = {path for pair in contents.pairs for path in (pair.before, pair.after)}
    here = sum(image.path not in paired for image in contents.images) + len(contents.pairs)
    return GallerySheet(Sheet(key, "picture", f"dataset.{name}", figures), here - len(figures))


def _figures(key: str, contents: Contents, facts: Facts, shown: AbstractSet[str]) -> Iterator[Figure]:
    images = {image.path: image for image in contents.images}
    paired = {path for pair in contents.pairs for path in (pair.before, pair.after)}
    for number, image in enumerate(contents.images):
        if image.path not in paired and image.sha256 not in shown:
            yield _picture(f"{key}-{number}", image, facts)
    for number, pair in enumerate(contents.pairs):
        sides = [images[path] for path in (pair.before, pair.after)]
        if any(image.sha256 not in shown for image in sides):
            yield _pair(f"{key}-p{number}", pair, sides, facts)


def _picture(key: str, image: Image, facts: Facts) -> Figure:
    fact = facts.get(image.path)
    return Figure(
        id=key,
        kind="picture",
        sign="",
        path=image.path,
        sides=(_side("", image),),
        text=image.caption,
        findings=() if fact is None else fact.findings,
    )


def _pair(key: str, pair: Pair, sides: list[Image], facts: Facts) -> Figure:
    known = [fact for image in sides if (fact := facts.get(image.path)) is not None]
    return Figure(
        id=key,
        kind="picture",
        sign="",
        path=f"{pair.before} -> {pair.after}",
        sides=tuple(_side(label, image) for label, image in zip(("before", "after"), sides, strict=True)),
        text=pair.instruction,
        findings=tuple(dict.fromkeys(finding for fact in known for finding in fact.findings)),
    )


def _side(label: str, image: Image) -> FigureSide:
    size = bytes_text(image.size_bytes)
    return FigureSide(
        label, image.path, image.sha256, f"{image.width} x {image.height}, {size}" if image.width else size
    )

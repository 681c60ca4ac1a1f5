"""The page of a plan, with the pictures and findings that it shows. Imported only where a page is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from scenario_apply.dataset.scan.caption_places import caption_places
from scenario_apply.dataset.scan.scanner import shown_below
from scenario_apply.dataset.scan.thumbnails import Thumbnail, WantedPicture, disk_reader, make_thumbnails
from scenario_apply.dataset.scan.virtual_files import VirtualFiles
from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.address import Address
from scenario_apply.review.html.album import Album, PageImage, inline_image, room_for
from scenario_apply.review.html.figures import Facts, PictureFacts
from scenario_apply.review.html.plan_page import PlanPage, cards_of, plan_page, shown_digests
from scenario_apply.review.image_findings import CaptionPlace, findings_of_images, twins_named

if TYPE_CHECKING:
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.review.plan_view import PlanView


def plan_html(plan: PlanView, request: PlanRequest, settings: Settings) -> str:
    """The page of a plan that was made of that request."""
    cards = cards_of(plan, facts_of_changes(plan, request, settings))
    return plan_page(PlanPage(plan=plan, cards=cards, album=album_of(shown_digests(cards), request, settings)))


def facts_of_changes(plan: PlanView, request: PlanRequest, settings: Settings) -> dict[Address, Facts]:
    """What is known of the pictures of every model that changes. Models that share a dataset share the facts."""
    models = request.manifest.models
    by_dataset: dict[str, Facts] = {}
    found: dict[Address, Facts] = {}
    for change in plan.changes:
        if (model := models.get(change.address)) is None:
            continue
        name = model.dataset
        if name not in by_dataset:
            by_dataset[name] = facts_of(name, request, settings)
        found[change.address] = by_dataset[name]
    return found


def facts_of(name: str, request: PlanRequest, settings: Settings) -> Facts:
    """What is known of the pictures of a dataset."""
    spec, dataset = request.manifest.datasets[name], request.datasets[name]
    images = dataset.contents.images
    findings = _findings(spec, dataset, request.manifest.root, settings)
    paths = frozenset(image.path for image in images)
    return {image.path: _fact(image, tuple(findings.get(image.path, ())), paths) for image in images}


def _fact(image: Image, findings: tuple[Diagnostic, ...], paths: frozenset[str]) -> PictureFacts:
    return PictureFacts(
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        size_bytes=image.size_bytes,
        findings=findings,
        twins=twins_named(findings, paths - {image.path}),
    )


def _findings(spec: DatasetSpec, dataset: Dataset, root: str, settings: Settings) -> Mapping[str, list[Diagnostic]]:
    """By path of the picture. Caption files are looked for only where there is something to be placed."""
    if not dataset.problems:
        return {}
    places = caption_places(spec, root=root, allow_outside=settings.allow_outside_root, remote=settings.remote)
    captions = {path: CaptionPlace(raw.file, raw.line) for path, raw in places.gathered.raws.items()}
    shown = shown_below(root, settings.cwd)
    return findings_of_images(dataset.contents.images, captions, dataset.problems, shown)


def album_of(digests: Iterable[str], request: PlanRequest, settings: Settings) -> Album:
    """The pictures with these digests, as far as they are here and the page has room. digests: as often as shown."""
    asked = list(digests)
    room = room_for(len(asked))
    here = {picture.sha256: picture for picture in _pictures_here(request, settings)}
    wanted = list(dict.fromkeys(asked))
    shown = make_thumbnails(
        islice((here[digest] for digest in wanted if digest in here), room.pictures),
        disk_reader(request.manifest.root, VirtualFiles(settings.remote)),
        most_bytes=room.bytes_each,
    )
    album = {
        digest: inline_image(one.data, "image/webp", one.width, one.height)
        if isinstance(one, Thumbnail)
        else PageImage(why=one.why)
        for digest, one in shown.items()
    }
    left = PageImage(why=f"the page has room for {room.pictures:,} pictures")
    return {digest: left for digest in wanted if digest in here} | album


def _pictures_here(request: PlanRequest, settings: Settings) -> Iterator[WantedPicture]:
    """Every picture of the datasets of the manifest."""
    for name, dataset in request.datasets.items():
        may_leave = request.manifest.datasets[name].allow_outside_root and settings.allow_outside_root
        for image in dataset.contents.images:
            yield WantedPicture(image.sha256, image.file, may_leave)

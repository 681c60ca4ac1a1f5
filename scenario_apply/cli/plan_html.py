"""The page of a plan, with the pictures and findings that it shows. Imported only where a page is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from scenario_apply.cli.compared_sections import ComparedSamples, compared_samples
from scenario_apply.dataset.scan.caption_places import caption_places
from scenario_apply.dataset.scan.git_pictures import OldPicture, old_pictures
from scenario_apply.dataset.scan.scanner import shown_below
from scenario_apply.dataset.scan.thumbnails import Thumbnail, WantedPicture, disk_reader, make_thumbnails
from scenario_apply.dataset.scan.virtual_files import VirtualFiles
from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.address import Address
from scenario_apply.review.html.album import Album, PageImage, inline_image, room_for
from scenario_apply.review.html.figures import Facts, PictureFacts
from scenario_apply.review.html.plan_page import Card, PlanPage, cards_of, plan_page, shown_digests
from scenario_apply.review.image_findings import CaptionPlace, findings_of_images, twins_named

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan
    from scenario_apply.review.plan_view import PlanView
    from scenario_apply.state.state import State

_MOST_FOLDERS = 5  # of a dataset, in which a picture that is gone is looked for


def plan_html(
    view: PlanView,
    request: PlanRequest,
    settings: Settings,
    plan: Plan | None = None,
    state: State | None = None,
    world: Environment | None = None,
) -> str:
    """The page of a plan that was made of that request. plan, state: to show samples that it draws again, too.

    world: downloads those that are missing here.
    """
    cards = cards_of(view, facts_of_changes(view, request, settings))
    shown = shown_digests(cards)
    drawn = ComparedSamples()
    if plan is not None and state is not None:
        root, others = request.place.root, len(shown)
        drawn = compared_samples(
            state, root, settings, request=request, plan=plan, world=world, only_planned=True, others=others
        )  # fmt: skip
    album = album_of(shown, request, settings, old=gone_pictures(cards, request), others=len(drawn.album))
    samples = drawn.section()
    return plan_page(PlanPage(plan=view, cards=cards, album=album), more=() if samples is None else (samples,))


def gone_pictures(cards: Iterable[Card], request: PlanRequest) -> Iterator[OldPicture]:
    """Where pictures that are replaced or removed were, as far as the folder of their dataset is known."""
    for card in cards:
        model = request.manifest.models.get(card.change.address)
        images = request.datasets[model.dataset].contents.images if model is not None else ()
        folders = {image.file.removesuffix(image.path) for image in images if image.file.endswith(image.path)}
        for picture in card.change.pictures:
            digest = picture.sha256 if picture.kind == "removed" else picture.previous_sha256
            if digest is not None:
                yield from (OldPicture(digest, folder + picture.path) for folder in sorted(folders)[:_MOST_FOLDERS])


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


def album_of(
    digests: Iterable[str],
    request: PlanRequest,
    settings: Settings,
    *,
    old: Iterable[OldPicture] = (),
    others: int = 0,
) -> Album:
    """The pictures with these digests, as far as they are here and the page has room.

    digests: as often as shown. old: where to look for those that are in no dataset, in the commits at hand. others: how
    many other pictures the page has.
    """
    asked = list(digests)
    wanted = dict.fromkeys(asked)
    room = room_for(len(asked) + others)
    root = request.manifest.root
    here = {picture.sha256: picture for picture in _pictures_here(request, settings)}
    read_file = disk_reader(root, VirtualFiles(settings.remote))
    from_git: dict[str, bytes] = {}

    def pictures() -> Iterator[WantedPicture]:
        yield from (here[digest] for digest in wanted if digest in here)
        for digest, data in old_pictures(root, (one for one in old if one.sha256 not in here)):
            from_git[digest] = data
            yield WantedPicture(digest, "")

    def read(picture: WantedPicture) -> bytes:
        return from_git.pop(picture.sha256) if picture.sha256 in from_git else read_file(picture)

    shown = make_thumbnails(islice(pictures(), room.pictures), read, most_bytes=room.bytes_each)
    album = {
        digest: inline_image(one.data, "image/webp", one.width, one.height)
        if isinstance(one, Thumbnail)
        else PageImage(why=one.why)
        for digest, one in shown.items()
    }
    left = PageImage(why=f"the page has room for {room.pictures:,} pictures")
    return {digest: left for digest in wanted if digest in here} | album


def _pictures_here(request: PlanRequest, settings: Settings) -> Iterator[WantedPicture]:
    """Every picture of the datasets of the manifest; first those of which only a Git LFS pointer is here."""
    found = []
    for name, dataset in request.datasets.items():
        may_leave = request.manifest.datasets[name].allow_outside_root and settings.allow_outside_root
        found += [(image, may_leave) for image in dataset.contents.images]
    for image, may_leave in sorted(found, key=lambda one: not one[0].is_lfs_pointer):
        yield WantedPicture(image.sha256, image.file, may_leave)

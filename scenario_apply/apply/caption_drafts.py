"""Has a model of the service caption the images that have no caption, after the price was quoted and approved.

Each image is one request. Its caption is in a file before the next request is sent, so that nothing paid is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from scenario_apply.apply.held_captions import HeldModel
from scenario_apply.dataset.captions.draft_marks import DRAFT_MARK
from scenario_apply.dataset.scan.caption_places import CaptionPlaces
from scenario_apply.dataset.scan.caption_writing import NotWritten, check_new_file, create_caption_file
from scenario_apply.dataset.scan.upload_bytes import read_for_upload
from scenario_apply.dataset.types import Image
from scenario_apply.errors import AnswerLost, ApiError, Interrupted, Refused
from scenario_apply.model.file_names import suffix_of
from scenario_apply.model.limits import SINGLE_UPLOAD_BYTES
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import AssetId, PictureToCaption
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.own_captions import as_one_line
from scenario_apply.state.stores.draft_requests import DraftRequests

_IMAGES_PER_QUOTE = 20
_ROUNDING = 1e-6  # CU
_NOT_READ = {
    "auto": "`captions: auto` reads no files: take it out of the dataset first",
    "file": "the dataset reads its captions from a table, where a draft cannot be marked; `captions pull` can add rows",
}


class DraftJob(NamedTuple):
    """One image to be captioned. file: of the caption, relative to the root. asset_id: where it is uploaded."""

    dataset: str
    image: Image
    file: str
    asset_id: AssetId | None
    may_leave: bool


class Drafts(Struct, kw_only=True):
    """What is to be done and what was done. left: dataset -> image -> why it gets no draft."""

    jobs: list[DraftJob] = field(default_factory=list)
    written: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # dataset -> (file, caption)
    left: dict[str, dict[str, str]] = field(default_factory=dict)
    charged: float = 0.0
    stopped: str | None = None  # why the remaining ones were not requested

    def leave(self, dataset: str, path: str, why: str) -> None:
        self.left.setdefault(dataset, {})[path] = why


def add_jobs(
    drafts: Drafts,
    places: CaptionPlaces,
    images: Sequence[Image],
    models: Sequence[HeldModel],
    requests: DraftRequests,
    *,
    retry_lost: bool,
    may_leave: bool,
) -> None:
    """The images of one dataset that have no caption, and why some of them cannot be drafted."""
    name = places.spec.name
    kind = "file" if places.table is not None else places.spec.captions.kind
    if why := places.why_not() or _NOT_READ.get(kind):
        for entry in places.lacking:
            drafts.leave(name, entry.path, why)
        return
    assets = _assets(models)
    facts = {image.path: image for image in images}
    for entry in places.lacking:
        image = facts.get(entry.path)
        if image is None:
            drafts.leave(name, entry.path, "it cannot be used; `validate` reports why")
            continue
        file, asset_id = places.new_sidecar(entry), assets.get(image.sha256)
        sent_at = requests.sent_at(image.sha256)
        if suffix_of(file) == ".json":
            drafts.leave(name, entry.path, "a .json file cannot hold the mark of a draft")
        elif why := _why_not(places, file):
            drafts.leave(name, entry.path, f"{file}: {why}")
        elif sent_at is not None and not retry_lost:
            lost = f"a request was sent at {sent_at}, its response was lost, and it may have been charged"
            drafts.leave(name, entry.path, f"{lost}; --retry-lost sends another request")
        elif asset_id is None and image.is_lfs_pointer:
            drafts.leave(name, entry.path, "it is a Git LFS pointer: run `git lfs pull`")
        elif asset_id is None and image.bytes_to_send > SINGLE_UPLOAD_BYTES:
            drafts.leave(name, entry.path, f"it has more than {SINGLE_UPLOAD_BYTES:,} bytes; apply uploads it in parts")
        else:
            drafts.jobs.append(DraftJob(name, image, file, asset_id, may_leave))


def _why_not(places: CaptionPlaces, file: str) -> str | None:
    """Why no caption can be written into that file; None when it can. Such a caption is not requested."""
    if places.exists(file):
        return "it exists already"
    try:
        check_new_file(places.root, file)
    except NotWritten as error:
        return str(error)
    return None


def _assets(models: Sequence[HeldModel]) -> Mapping[str, AssetId]:
    """Bytes -> an asset with them that the service shows."""
    found: dict[str, AssetId] = {}
    for model in models:
        shown = {image.id for image in (model.remote.images if model.remote is not None else None) or ()}
        found.update({record.source: record.asset_id for record in model.version.images if record.asset_id in shown})
    return found


class DraftRun(Struct, frozen=True, kw_only=True):
    """What requests for drafts need. details: how much is described, as the API names it; None: its default."""

    api: ScenarioApi
    clock: Clock
    root: str
    requests: DraftRequests
    details: str | None = None

    def quote(self, jobs: Sequence[DraftJob]) -> float:
        """What the drafts will cost, in CU, by dry runs of a few images each."""
        few = _in_few(jobs)
        return sum(self.api.quote_captions([self._picture(job) for job in some], self.details) for some in few)

    def write(
        self,
        drafts: Drafts,
        *,
        approved_cu: float,
        is_stopped: Callable[[], bool],
        done: Callable[[DraftJob, int], None],
    ) -> None:
        """One request after another. Ends before the next one when it was stopped, or more was charged than approved.

        done: is called with each image and its number. Raises ApiError, OSError.
        """
        for number, job in enumerate(drafts.jobs, start=1):
            if drafts.charged > approved_cu + _ROUNDING:
                drafts.stopped = "more was charged than was quoted"
            elif is_stopped():
                drafts.stopped = "the run was stopped"
            if drafts.stopped:
                for left in drafts.jobs[number - 1 :]:
                    drafts.leave(left.dataset, left.image.path, f"not requested: {drafts.stopped}")
                return
            self._draft(job, drafts)
            done(job, number)

    def _draft(self, job: DraftJob, drafts: Drafts) -> None:
        picture, sha256 = self._picture(job), job.image.sha256
        self.requests.begin(sha256, iso(self.clock.now()))
        try:
            caption = self.api.generate_caption(picture, self.details)
        except AnswerLost:
            raise  # the request stays noted: it may have been charged
        except Interrupted:  # before it was sent
            self.requests.end(sha256)
            drafts.stopped = "the run was stopped"
            drafts.leave(job.dataset, job.image.path, f"not requested: {drafts.stopped}")
            return
        except ApiError as error:
            self.requests.end(sha256)
            if type(error) is not Refused:
                raise
            drafts.leave(job.dataset, job.image.path, str(error))
            return
        drafts.charged += caption.cu_cost or 0.0
        text = as_one_line(caption.text)
        if not text:
            drafts.leave(job.dataset, job.image.path, "Scenario returned an empty caption")
        else:
            try:
                create_caption_file(self.root, job.file, f"{DRAFT_MARK}\n{text}\n".encode())
                drafts.written.setdefault(job.dataset, []).append((job.file, text))
            except NotWritten as error:
                drafts.leave(job.dataset, job.image.path, f"{job.file}: {error}; the caption was: {text}")
                drafts.stopped = None if error.is_taken else f"{job.file} could not be written"
        self.requests.end(sha256)

    def _picture(self, job: DraftJob) -> PictureToCaption:
        """What is sent of an image: the id of its asset, or its bytes, which must still be those that were scanned."""
        if job.asset_id is not None:
            return PictureToCaption(asset_id=job.asset_id)
        body = read_for_upload(self.root, job.image, may_leave=job.may_leave)
        return PictureToCaption(mime=job.image.mime, body=body)


def _in_few(jobs: Sequence[DraftJob]) -> Iterator[list[DraftJob]]:
    """Jobs whose pictures fit into one request."""
    some: list[DraftJob] = []
    size = 0
    for job in jobs:
        more = 0 if job.asset_id is not None else job.image.bytes_to_send
        if some and (len(some) == _IMAGES_PER_QUOTE or size + more > SINGLE_UPLOAD_BYTES):
            yield some
            some, size = [], 0
        some.append(job)
        size += more
    if some:
        yield some

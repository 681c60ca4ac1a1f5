"""Finds out whether a request whose response was lost was carried out. Nothing here writes.

The result is an Outcome to adopt, or None when the request certainly left nothing on the service. Where several objects
match, it is unclear which one the request created: AmbiguousAdoption names them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.apply.before_run import Earlier
from scenario_apply.apply.kept_answers import kept_labels
from scenario_apply.apply.sample_lookup import find_drawn
from scenario_apply.errors import ApiError, ApplyError, NotFound
from scenario_apply.model.address import Address
from scenario_apply.model.kept_text import is_kept_name, is_same_file_name
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel
from scenario_apply.model.steps import AttachImages, CreateModel, DrawSample, PlannedStep, StartTraining, UploadImage
from scenario_apply.model.timestamps import iso
from scenario_apply.state.baseline import Baseline, BaselineEntry
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import State, Version

CLOCKS_DIFFER_S = 300.0
"""How far the service's clock may differ from ours before its newest objects are no longer taken for ours."""

MOST_PAGES = 20

ALREADY_ATTACHED = "already attached to the model"


class AmbiguousAdoption(ApplyError):
    """Several objects could be the result of a request without a response. address: the resource; ids: the objects."""

    code = "ambiguous-adoption"

    def __init__(self, what: str, *, address: Address, ids: tuple[str, ...], hint: str) -> None:
        super().__init__(what, hint=hint)
        self.address = address
        self.ids = ids


class BytesSent(Struct, frozen=True):
    """What was sent of an image. sha256: of the bytes."""

    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, body: bytes) -> BytesSent:
        return cls(sha256(body).hexdigest(), len(body))

    @classmethod
    def from_details(cls, details: Mapping[str, str]) -> BytesSent | None:
        """As a journal keeps it with the request; None of an image that was sent as it is."""
        if "sha256" not in details or "size_bytes" not in details:
            return None
        return cls(details["sha256"], int(details["size_bytes"]))

    @property
    def details(self) -> dict[str, str]:
        return {"sha256": self.sha256, "size_bytes": str(self.size_bytes)}


class Sent(Struct, frozen=True, kw_only=True):
    """A request that was sent.

    at: seconds since the epoch. owned: ids that other requests of this run created. baseline: what existed before the
    run created anything. earlier: for a launch, the training before it; None: the recorded one. bytes_sent: of an image
    that was altered before it was sent.
    """

    step: PlannedStep
    at: float
    owned: Collection[str] = ()
    baseline: Baseline = Baseline()
    earlier: Earlier | None = None
    bytes_sent: BytesSent | None = None


def find_outcome(api: ScenarioApi, state: State, sent: Sent) -> Outcome | None:
    """The result of a request that creates or spends; None when it was not carried out.

    Raises AmbiguousAdoption, or the ApiError of a read that failed.
    """
    match sent.step.step:
        case CreateModel() as step:
            return _created(api, state, step, sent)
        case UploadImage(way="data") as step:
            return _added(api, state, step, sent)
        case UploadImage() as step:
            return _uploaded(api, state, step, sent)
        case StartTraining() as step:
            return _launched(api, state, step, sent)
        case DrawSample() as step:
            jobs = sent.baseline.jobs
            return find_drawn(api, state, step, sent.at, sent.owned, lambda i, at: _is_ours(i, at, sent, jobs))
        case AttachImages():
            return None  # attaching checks by itself: attached_of says which ids are attached
        case _:
            return None  # may be repeated


def _created(api: ScenarioApi, state: State, step: CreateModel, sent: Sent) -> Outcome | None:
    known = {*state.model_ids(), *sent.owned}
    shells: dict[str, RemoteModel] = {}
    token: str | None = None
    for _ in range(MOST_PAGES):
        page = api.list_models(token=token)
        shells |= {
            m.id: m
            for m in page.models
            if m.id not in known and _is_shell(m, step) and _is_ours(m.id, m.created_at, sent, sent.baseline.models)
        }
        times = [m.created_at for m in page.models if m.created_at is not None]
        if not page.next_token or (times and not _is_ours("", min(times), sent, sent.baseline.models)):
            break
        token = page.next_token
    matching = [m for m in shells.values() if m.name == step.name] or [*shells.values()]
    if not matching:
        return None
    if len(matching) > 1:
        raise _ambiguous(f"model {step.name!r} of type {step.type}", tuple(m.id for m in matching), step.address)
    return Outcome(
        at=iso(sent.at),
        model_id=matching[0].id,
        labels=kept_labels(step.name, step.description, matching[0]),
        adopted=_recognised(matching[0], step),
    )


def _recognised(model: RemoteModel, step: CreateModel) -> str:
    if model.name == step.name:
        return "a new, empty model with the same name and type, created since the request"
    return f"a new, empty model of that type, created since the request, which Scenario calls {model.name!r}"


def _is_shell(model: RemoteModel, step: CreateModel) -> bool:
    """Whether it is new, empty, of that type, and of that name as the service may keep it."""
    is_new = model.type == step.type and model.status == "new" and not model.image_count
    return is_new and is_kept_name(step.name, model.name or "")


def _is_ours(object_id: str, created_at: float | None, sent: Sent, entry: BaselineEntry | None) -> bool:
    """Whether the request may have created it. Without an entry the two clocks have to be compared."""
    if entry is not None:
        return not entry.is_before(object_id, created_at)
    return created_at is None or created_at >= sent.at - CLOCKS_DIFFER_S


def _added(api: ScenarioApi, state: State, step: UploadImage, sent: Sent) -> Outcome | None:
    record = state.records.get(step.address)
    if record is None:
        return None
    try:
        model = api.get_model(record.working.id)
    except NotFound:
        return None
    known = {*state.assets(), *sent.owned}
    unknown = [image for image in model.images or () if image.id not in known]
    matching = [image for image in unknown if image.name == step.picture.path]
    if not matching:
        matching = [image for image in unknown if is_same_file_name(step.picture.path, image.name)]
    if not matching:
        return None
    # a lost response may have left the same image twice on one model: the next plan detaches the spare one
    return Outcome(
        at=iso(sent.at),
        asset_id=matching[0].id,
        sha256=None if sent.bytes_sent is None else sent.bytes_sent.sha256,
        adopted="a training image with the same name on the model",
    )


def _uploaded(api: ScenarioApi, state: State, step: UploadImage, sent: Sent) -> Outcome | None:
    known = {*state.assets(), *sent.owned}
    size_bytes = step.picture.size_bytes if sent.bytes_sent is None else sent.bytes_sent.size_bytes
    matching: list[AssetId] = []
    token: str | None = None
    for _ in range(MOST_PAGES):
        page = api.list_assets(token=token)
        for asset in page.assets:
            is_same = is_same_file_name(step.picture.path, asset.name or "") and asset.size_bytes in (
                None,
                0,
                size_bytes,
            )
            is_free = asset.id not in known and asset.status != "error"
            if is_same and is_free and _is_ours(asset.id, asset.created_at, sent, sent.baseline.assets):
                matching.append(asset.id)
        times = [asset.created_at for asset in page.assets if asset.created_at is not None]
        if not page.next_token or (times and not _is_ours("", min(times), sent, sent.baseline.assets)):
            break
        token = page.next_token
    if not matching:
        return None
    return Outcome(
        at=iso(sent.at),
        asset_id=matching[0],
        sha256=None if sent.bytes_sent is None else sent.bytes_sent.sha256,
        adopted="an asset with the same name and size, created since the request",
    )


def _launched(api: ScenarioApi, state: State, step: StartTraining, sent: Sent) -> Outcome | None:
    record = state.records.get(step.address)
    if record is None:
        return None
    version = record.working
    try:
        model = api.get_model(version.id)
    except NotFound:
        return None  # deleted on the service: the next plan creates it again
    if not (sent.earlier or recorded_training(version)).is_another(model):
        return None
    outcome = Outcome(
        at=iso(sent.at),
        job_id=model.job_id,
        adopted="the model is training" if model.is_running else "the model was trained since the request",
    )
    if model.job_id is not None:
        with contextlib.suppress(ApiError):  # what it was charged is worth a read, and no more
            job = api.get_job(model.job_id)
            outcome = replace(outcome, cu=job.cu_cost, discount=job.discount, details=job.details)
    return outcome


def recorded_training(version: Version) -> Earlier:
    """The training before a launch, as recorded; a plan compares it with the service first."""
    return Earlier(job_id=version.job_id, is_first=version.phase == "building" and version.job_id is None)


def attached_of(api: ScenarioApi, model_id: ModelId, asset_ids: Iterable[AssetId]) -> set[AssetId]:
    """Which of these assets are attached to the model."""
    attached = {image.id for image in api.get_model(model_id).images or ()}
    return attached & set(asset_ids)


def _ambiguous(what: str, ids: tuple[str, ...], address: Address) -> AmbiguousAdoption:
    found = ", ".join(ids)
    return AmbiguousAdoption(
        f"{address}: the response to its create request was lost, and several objects match {what}: {found}; "
        "it is unclear which one the request created",
        address=address,
        ids=ids,
        hint=f"nothing was created again; apply again with --adopt {address}=ID to choose one, or delete those "
        "that you do not need in the web app first",
    )

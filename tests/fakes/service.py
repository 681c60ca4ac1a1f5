"""An in-memory Scenario behind the ScenarioApi port: trainings move with a clock, everything is counted.

It refuses what the service refuses (contract/behaviour.md), with the errors of the real client. What goes wrong on the
way to it, lost answers and deaths, is wire.py's.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

from msgspec.structs import replace

from scenario_apply.errors import CoolingDown, NotFound, PlanCeiling, Refused
from scenario_apply.model.ports import Clock, Sending
from scenario_apply.model.remote import (
    AccountFacts,
    AssetId,
    AssetPage,
    DatasetScore,
    GeneratedCaption,
    JobId,
    Launch,
    ModelId,
    ModelPage,
    PictureToCaption,
    Progress,
    RemoteAsset,
    RemoteConcept,
    RemoteEpoch,
    RemoteJob,
    RemoteModel,
    RemotePair,
    RemoteUpload,
    TrainingImage,
    UploadId,
    UploadPart,
)
from tests.fakes.generation import FakeGeneration
from tests.fakes.service_parts import Asset, Job, Model, Upload

Value = TypeVar("Value")

LATCH_TIMEOUT_S = 60.0

ATTACHED = "The provided assetId is already a training image of this model"
JOB_STATUS = {
    "training": "in-progress",
    "trained": "success",
    "failed": "failure",
    "training-canceled": "canceled",
}


class Latch:
    """Holds the calls of one name, or those of them about one object, until they are released. For any thread."""

    def __init__(self, name: str, detail: str | None) -> None:
        self.name = name
        self.detail = detail
        self.arrived: list[str] = []
        self._changed = threading.Condition()
        self._is_released = False

    def pass_through(self, detail: str) -> None:
        """A call has arrived: it waits here."""
        with self._changed:
            self.arrived.append(detail)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._is_released, timeout=LATCH_TIMEOUT_S), "never released"

    def wait_for(self, count: int) -> list[str]:
        """Wait until so many calls have arrived; what they are about."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.arrived) >= count, timeout=LATCH_TIMEOUT_S), self.arrived
            return list(self.arrived)

    def release(self) -> None:
        with self._changed:
            self._is_released = True
            self._changed.notify_all()


class FakeScenario(FakeGeneration):
    """ScenarioApi in memory. Thread-safe. training_s: how long a training takes, on the clock.

    parallel_training, cooldown_s: limits of the plan. fail_training: names of models whose training fails.
    shows_own_captions: an image without a caption shows the automatic one as its description, too.
    epoch_count: epochs that each training of a flux.1 LoRA leaves to choose from; the last one is in use.
    hides_epochs_in_bulk: an answer about several models leaves them out.
    """

    def __init__(self, clock: Clock, *, training_s: float = 30.0) -> None:
        super().__init__()
        self.clock = clock
        self.training_s = training_s
        self.parallel_training: int | None = None
        self.cooldown_s = 0.0
        self.fail_training: set[str] = set()
        self.shows_own_captions = False
        self.epoch_count = 0
        self.hides_epochs_in_bulk = False
        self.score = 0.9
        self.page_size = 500
        self.models: dict[ModelId, Model] = {}
        self.assets: dict[AssetId, Asset] = {}
        self.jobs: dict[JobId, Job] = {}
        self.uploads: dict[UploadId, Upload] = {}
        self.log: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._latches: list[Latch] = []

    # -- what tests ask

    def hold(self, name: str, detail: str | None = None) -> Latch:
        """Hold calls of this name after they were sent and before they are carried out. detail: only those about it."""
        latch = Latch(name, detail)
        self._latches.append(latch)
        return latch

    def alive(self, type: str | None = None) -> list[Model]:
        """Models that were not deleted."""
        return [m for m in self.models.values() if not m.deleted and type in (None, m.type)]

    def uploads_by_bytes(self) -> Counter[str]:
        """How often which bytes were uploaded, in any way."""
        return Counter(asset.sha256 for asset in self.assets.values() if not asset.is_drawn)

    def uploads_by_content(self) -> Counter[tuple[str, str]]:
        """How often which bytes were uploaded for the same caption."""
        return Counter((asset.sha256, asset.description) for asset in self.assets.values() if not asset.is_drawn)

    def launches(self) -> Counter[str]:
        """How many trainings were launched, by the name of the model."""
        return Counter(self.models[job.model].name for job in self.jobs.values())

    def count(self, *calls: str) -> int:
        """How many calls of these names arrived."""
        return sum(1 for name, _ in self.log if name in calls)

    def model_named(self, name: str) -> Model:
        [model] = [m for m in self.alive() if m.name == name]
        return model

    def captions_of(self, model: Model) -> dict[str, str]:
        return {self.assets[i].name: self.assets[i].description for i in model.images}

    def cancel(self, model_id: ModelId) -> None:
        """The training is cancelled in the web app."""
        job = self.jobs[self.models[model_id].jobs[-1]]
        job.status = self.models[model_id].status = "training-canceled"

    # -- reads

    def get_model(self, model_id: ModelId) -> RemoteModel:
        return self._call("get_model", model_id, lambda: self._remote(self._model(model_id), images=True))

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        if len(model_ids) > 50:
            raise ValueError("at most 50 models in a request")
        return self._call(
            "get_models",
            ",".join(model_ids),
            lambda: {
                i: self._in_bulk(self._remote(self.models[i], images=images))
                for i in model_ids
                if i in self.models and not self.models[i].deleted
            },
        )

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        def read() -> ModelPage:
            newest = [m for m in reversed(self.models.values()) if not m.deleted and status in (None, m.status)]
            page, following = _page(newest, token, self.page_size)
            return ModelPage(models=tuple(self._remote(m, images=False) for m in page), next_token=following)

        return self._call("list_models", token or "", read)

    def get_job(self, job_id: JobId) -> RemoteJob:
        def read() -> RemoteJob:
            if job_id in self.drawings:
                return self._remote_drawing(self.drawings[job_id])
            if job_id in self.exports:
                return self.remote_export(self.exports[job_id])
            if job_id not in self.jobs:
                raise NotFound(f"no job {job_id}", status=404)
            job = self.jobs[job_id]
            done = (self.clock.now() - job.starts_at) / max(job.ends_at - job.starts_at, 0.001)
            return RemoteJob(
                id=job.id,
                status=JOB_STATUS[job.status],
                progress=min(1.0, done),
                error="the GPU was on fire" if job.status == "failed" else None,
                cu_cost=job.cu,
            )

        return self._call("get_job", job_id, read)

    def get_asset(self, asset_id: AssetId) -> RemoteAsset:
        return self._call("get_asset", asset_id, lambda: _remote_asset(self._asset(asset_id)))

    def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, RemoteAsset]:
        if len(asset_ids) > 200:
            raise ValueError("at most 200 assets in a request")
        there = [i for i in asset_ids if i in self.assets and not self.assets[i].deleted]
        return self._call("get_assets", ",".join(asset_ids), lambda: {i: _remote_asset(self.assets[i]) for i in there})

    def list_assets(self, *, token: str | None = None) -> AssetPage:
        def read() -> AssetPage:
            newest = [asset for asset in reversed(self.assets.values()) if not asset.deleted]
            page, following = _page(newest, token, min(self.page_size, 100))
            return AssetPage(assets=tuple(_remote_asset(asset) for asset in page), next_token=following)

        return self._call("list_assets", token or "", read)

    def get_upload(self, upload_id: UploadId) -> RemoteUpload:
        def read() -> RemoteUpload:
            upload = self._upload(upload_id)
            if upload.status == "validating":
                body = b"".join(part or b"" for _, part in sorted(upload.parts.items()))
                upload.asset_id = self._keep(upload.name, body)
                upload.status = "imported"
            return _remote_upload(upload)

        return self._call("get_upload", upload_id, read)

    def get_score(self, model_id: ModelId) -> DatasetScore:
        def read() -> DatasetScore:
            self._model(model_id)
            return DatasetScore(score=self.score, status="complete", warnings=())

        return self._call("get_score", model_id, read)

    def get_account(self) -> AccountFacts:
        return self._call("get_account", "", lambda: AccountFacts(limits_problem="there are no teams here"))

    def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
        def read() -> float:
            model = self._model(model_id)
            count = len(model.images) or images or 0
            self._check_launch(model, count)
            return self._price(model, count)

        return self._call("quote_training", model_id, read)

    def quote_captions(self, pictures: Sequence[PictureToCaption], details: str | None = None) -> float:
        return self._call("quote_captions", str(len(pictures)), lambda: 0.25 * len(pictures))

    # -- writes that may be repeated

    def update_model(
        self,
        model_id: ModelId,
        *,
        name: str | None = None,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        epoch: str | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel:
        def write() -> RemoteModel:
            model = self._model(model_id)
            if epoch is not None:
                self._choose_epoch(model_id, epoch)
            model.name = model.name if name is None else name
            model.description = model.description if short_description is None else short_description
            if concepts is not None and tuple(concepts) != model.concepts:
                self._not_training(model)
                self._check_concepts(concepts)
                model.concepts = tuple(concepts)
                model.status = "new"
            return self._remote(model, images=False)

        return self._call("update_model", model_id, write, sending)

    def update_tags(
        self, model_id: ModelId, *, add: Sequence[str], delete: Sequence[str], sending: Sending | None = None
    ) -> tuple[str, ...] | None:
        def write() -> tuple[str, ...]:
            model = self._model(model_id)
            model.tags = sorted({*model.tags, *add} - set(delete))
            return tuple(add)

        return self._call("update_tags", model_id, write, sending)

    def set_caption(self, asset_id: AssetId, caption: str, *, sending: Sending | None = None) -> str | None:
        def write() -> str:
            self._asset(asset_id).description = caption
            return caption

        return self._call("set_caption", asset_id, write, sending)

    def replace_pairs(self, model_id: ModelId, pairs: Sequence[RemotePair], *, sending: Sending | None = None) -> None:
        def write() -> None:
            model = self._trainable(model_id)
            for pair in pairs:
                for side in (pair.source_id, pair.target_id):
                    if side not in model.images:
                        raise Refused(f"{side} is not a training image of this model", status=400)
            model.pairs = tuple(pairs)

        self._call("replace_pairs", model_id, write, sending)

    def detach_image(self, model_id: ModelId, image_id: AssetId, *, sending: Sending | None = None) -> None:
        def write() -> None:
            model = self._trainable(model_id)
            if image_id in model.images:
                model.images.remove(image_id)
            model.pairs = tuple(p for p in model.pairs if image_id not in (p.source_id, p.target_id))

        self._call("detach_image", f"{model_id} {image_id}", write, sending)

    def delete_model(self, model_id: ModelId, *, sending: Sending | None = None) -> None:
        def write() -> None:
            if model_id in self.models:
                self.models[model_id].deleted = True

        self._call("delete_model", model_id, write, sending)

    def put_part(self, url: str, body: bytes | memoryview) -> None:
        def write() -> None:
            _, upload_id, number = url.rsplit("/", 2)
            self._upload(UploadId(upload_id)).parts[int(number)] = bytes(body)

        self._call("put_part", url, write)

    def complete_upload(self, upload_id: UploadId, *, sending: Sending | None = None) -> RemoteUpload:
        def write() -> RemoteUpload:
            upload = self._upload(upload_id)
            if upload.status == "pending":
                if any(part is None for part in upload.parts.values()):
                    raise Refused("a part is missing", status=400)
                upload.status = "validating"
            return _remote_upload(upload)

        return self._call("complete_upload", upload_id, write, sending)

    # -- writes that must happen once

    def create_model(
        self,
        *,
        name: str,
        type: str,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel:
        def write() -> RemoteModel:
            if type.endswith("-composition") and not concepts:
                raise Refused("a composition needs at least one concept", status=400)
            self._check_concepts(concepts or ())
            model = Model(
                id=ModelId(f"model_{next(self._numbers)}"),
                name=name,
                type=type,
                created_at=self.clock.now(),
                description=short_description,
                concepts=tuple(concepts or ()),
            )
            self.models[model.id] = model
            return self._remote(model, images=False)

        return self._call("create_model", name, write, sending)

    def add_image(
        self,
        model_id: ModelId,
        *,
        name: str,
        mime: str,
        body: bytes | memoryview,
        sending: Sending | None = None,
    ) -> TrainingImage:
        def write() -> TrainingImage:
            model = self._trainable(model_id)
            asset_id = self._keep(name, bytes(body))
            model.images.append(asset_id)
            return self._training_image(asset_id)

        return self._call("add_image", f"{model_id} {name}", write, sending)

    def attach_assets(self, model_id: ModelId, asset_ids: Sequence[AssetId], *, sending: Sending | None = None) -> None:
        if not 1 <= len(asset_ids) <= 10:
            raise ValueError("one to ten assets in a request")

        def write() -> None:
            model = self._trainable(model_id)
            for asset_id in asset_ids:
                self._asset(asset_id)
            if len(set(asset_ids)) != len(asset_ids) or set(asset_ids) & set(model.images):
                raise Refused(ATTACHED, status=400)
            model.images += asset_ids

        self._call("attach_assets", f"{model_id} {','.join(asset_ids)}", write, sending)

    def upload_asset(self, *, name: str, body: bytes | memoryview, sending: Sending | None = None) -> RemoteAsset:
        return self._call(
            "upload_asset", name, lambda: _remote_asset(self.assets[self._keep(name, bytes(body))]), sending
        )

    def create_upload(
        self, *, file_name: str, mime: str, size_bytes: int, parts: int, sending: Sending | None = None
    ) -> RemoteUpload:
        def write() -> RemoteUpload:
            upload_id = UploadId(f"upload_{next(self._numbers)}")
            self.uploads[upload_id] = Upload(upload_id, file_name, dict.fromkeys(range(1, parts + 1)))
            return _remote_upload(self.uploads[upload_id])

        return self._call("create_upload", file_name, write, sending)

    def train(self, model_id: ModelId, parameters: Mapping[str, object], *, sending: Sending | None = None) -> Launch:
        def write() -> Launch:
            model = self._model(model_id)
            self._check_launch(model, len(model.images))
            self._check_limits()
            now = self.clock.now()
            job = Job(
                id=JobId(f"job_{next(self._numbers)}"),
                model=model_id,
                starts_at=now,
                ends_at=now + self.training_s,
                ends_as="failed" if model.name in self.fail_training else "trained",
                cu=self._price(model, len(model.images)),
            )
            self.jobs[job.id] = job
            model.jobs.append(job.id)
            model.status = "training"
            self.epochs.pop(model_id, None)
            self.chosen_epochs.pop(model_id, None)
            model.parameters = dict(parameters)
            model.description = model.description or "written by the service"
            return Launch(job_id=job.id, cu_cost=job.cu)

        return self._call("train", model_id, write, sending)

    def generate_caption(
        self, picture: PictureToCaption, details: str | None = None, *, sending: Sending | None = None
    ) -> GeneratedCaption:
        def write() -> GeneratedCaption:
            return GeneratedCaption(text=f"a picture of {len(picture.body)} bytes,\nwell lit", cu_cost=0.25)

        return self._call("generate_caption", picture.asset_id or picture.mime, write, sending)

    # -- inside

    def _call(self, name: str, detail: str, act: Callable[[], Value], sending: Sending | None = None) -> Value:
        if sending is not None:
            sending()
        for latch in self._latches:
            if latch.name == name and latch.detail in (None, detail):
                latch.pass_through(detail)
        with self._lock:
            self.log.append((name, detail))
            self._pass_time()
            return act()

    def _pass_time(self) -> None:
        for job in self.jobs.values():
            if job.status == "training" and self.clock.now() >= job.ends_at:
                model = self.models[job.model]
                job.status = model.status = job.ends_as
                if model.type == "flux.1-lora" and model.status == "trained" and self.epoch_count:
                    numbers = map(str, range(1, self.epoch_count + 1))
                    self.epochs[model.id] = tuple(RemoteEpoch(name=number, assets=()) for number in numbers)
                    self.chosen_epochs[model.id] = str(self.epoch_count)
        self._pass_drawing_time()

    def _in_bulk(self, model: RemoteModel) -> RemoteModel:
        return replace(model, epochs=None) if self.hides_epochs_in_bulk else model

    def _model(self, model_id: ModelId) -> Model:
        model = self.models.get(model_id)
        if model is None or model.deleted:
            raise NotFound(f"no model {model_id}", status=404)
        return model

    def _not_training(self, model: Model) -> None:
        if model.status == "training":
            raise Refused("Model is already training", status=400)

    def _trainable(self, model_id: ModelId) -> Model:
        model = self._model(model_id)
        self._not_training(model)
        if model.type.endswith("composition"):
            raise Refused("a composition has no training images", status=400)
        return model

    def _asset(self, asset_id: AssetId) -> Asset:
        if asset_id not in self.assets or self.assets[asset_id].deleted:
            raise NotFound(f"no asset {asset_id}", status=404)
        return self.assets[asset_id]

    def _upload(self, upload_id: UploadId) -> Upload:
        if upload_id not in self.uploads:
            raise NotFound(f"no upload {upload_id}", status=404)
        return self.uploads[upload_id]

    def _keep(self, name: str, body: bytes) -> AssetId:
        asset_id = AssetId(f"asset_{next(self._numbers)}")
        self.assets[asset_id] = Asset(asset_id, name, sha256(body).hexdigest(), len(body), self.clock.now())
        return asset_id

    def _check_concepts(self, concepts: Iterable[RemoteConcept]) -> None:
        for concept in concepts:
            part = self.models.get(concept.model_id)
            if part is None or part.deleted or part.type != "flux.1-lora":
                raise Refused(f"concept {concept.model_id} is no flux.1-lora of the project", status=400)

    def _check_launch(self, model: Model, images: int) -> None:
        self._not_training(model)
        if model.type.endswith("composition"):
            if not model.concepts:
                raise Refused("a composition needs concepts", status=400)
        elif not images:
            raise Refused("there are no training images", status=400)

    def _check_limits(self) -> None:
        running = [job for job in self.jobs.values() if job.status == "training"]
        if self.parallel_training is not None and len(running) >= self.parallel_training:
            raise PlanCeiling("too many trainings at once", action="parallel-training", limit=self.parallel_training)
        last = max((job.starts_at for job in self.jobs.values()), default=None)
        if last is not None and self.clock.now() < last + self.cooldown_s:
            raise CoolingDown("too soon", remaining_s=last + self.cooldown_s - self.clock.now())

    def _price(self, model: Model, images: int) -> float:
        return 10.0 if model.concepts else 10.0 * images

    def _training_image(self, asset_id: AssetId) -> TrainingImage:
        asset = self.assets[asset_id]
        automatic = f"a picture: {asset.name}"
        shown = asset.description or (automatic if self.shows_own_captions else "")
        return TrainingImage(id=asset_id, name=asset.name, description=shown, automatic_caption=automatic)

    def _remote(self, model: Model, *, images: bool) -> RemoteModel:
        job = self.jobs[model.jobs[-1]] if model.jobs else None
        is_running = job is not None and model.status == "training"
        return RemoteModel(
            id=model.id,
            type=model.type,
            status=model.status,
            name=model.name,
            short_description=model.description,
            tags=tuple(model.tags),
            concepts=model.concepts,
            images=tuple(self._training_image(i) for i in model.images) if images or len(model.images) <= 3 else None,
            image_count=len(model.images),
            pairs=model.pairs,
            parameters=model.parameters,
            job_id=model.jobs[-1] if model.jobs else None,
            progress=Progress(stage="running-train", progress=0.5) if is_running else None,
            created_at=model.created_at,
            training_started_at=job.starts_at if job is not None and not is_running else None,
            epoch=self.chosen_epochs.get(model.id),
            epochs=self.epochs.get(model.id),
        )


def _remote_asset(asset: Asset) -> RemoteAsset:
    return RemoteAsset(
        id=asset.id,
        name=asset.name,
        description=asset.description,
        size_bytes=asset.size_bytes,
        status="success",
        created_at=asset.created_at,
    )


def _remote_upload(upload: Upload) -> RemoteUpload:
    parts = (UploadPart(number=n, url=f"fake://parts/{upload.id}/{n}") for n in upload.parts)
    return RemoteUpload(id=upload.id, status=upload.status, asset_id=upload.asset_id, parts=tuple(parts))


def _page(items: list[Value], token: str | None, size: int) -> tuple[list[Value], str | None]:
    start = int(token or 0)
    end = start + size
    return items[start:end], str(end) if end < len(items) else None

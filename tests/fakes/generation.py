"""Pictures, epochs, weights and cards of the in-memory Scenario: the part behind GenerationApi.

Jobs of type custom move with the clock. It refuses what the service refuses (the API contract, section 20), and takes
what the service takes without a word: scales are the caller's to check, which `generation_to_json` does here, too.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from scenario_apply.api.generation_requests import generation_to_json
from scenario_apply.errors import NotFound, PlanCeiling, Refused
from scenario_apply.model.ports import Clock, Sending
from scenario_apply.model.remote import (
    AssetId,
    BaseInputs,
    JobId,
    JobPage,
    Launch,
    ModelId,
    RemoteEpoch,
    RemoteJob,
    RemoteModel,
    WeightsDownload,
)
from scenario_apply.model.samples import Generation, GenerationPrice
from scenario_apply.model.secret import Secret
from tests.fakes.service_parts import Asset, Model

Value = TypeVar("Value")

PICTURE_CU, GATE_CU, REFERENCE_CU = 9.0, 1.75, 7.0
PARALLEL_CUSTOM = "parallel-custom-jobs"
DOWNLOAD_MODEL = "download-model"
LIMIT_REACHED = "You have reached your plan's limit"

BASES = (
    BaseInputs(
        id=ModelId("model_bfl-flux-1-dev"),
        loras=("flux.1-lora",),
        compositions=("flux.1-lora", "flux.1-composition"),
        most_loras=6,
    ),
    BaseInputs(id=ModelId("model_bfl-flux-2-dev"), loras=("flux.2-dev-lora", "flux.2-dev-edit-lora"), most_loras=6),
    BaseInputs(
        id=ModelId("model_flux-kontext-editing"), loras=("flux.1-kontext-lora",), most_loras=1, needs_reference=True
    ),
    BaseInputs(id=ModelId("model_bfl-flux-2-klein-9b"), loras=("flux.2-klein-9b-edit-lora",), most_loras=6),
    BaseInputs(id=ModelId("model_bfl-flux-2-klein-9b-base"), loras=("flux.2-klein-base-9b-lora",), most_loras=6),
    BaseInputs(id=ModelId("model_qwen-image-edit-2511"), loras=("qwen-image-edit-2511-lora",), most_loras=6),
    BaseInputs(id=ModelId("model_z-image"), loras=("zimage-lora",), most_loras=6),
)


@dataclass
class Drawing:
    """A job of type custom. input: the body, and the base. ends_as: success, failure or canceled."""

    id: JobId
    input: Mapping[str, object]
    created_at: float
    ends_at: float
    ends_as: str
    price: GenerationPrice
    status: str = "in-progress"
    assets: tuple[AssetId, ...] = ()


@dataclass
class Export:
    """A job of type model-download."""

    id: JobId
    model: ModelId
    epoch: str | None
    created_at: float
    ends_at: float


@dataclass
class GenerationSettings:
    """How drawing goes. fail_drawing: prompts whose job fails."""

    drawing_s: float = 5.0
    parallel_custom_jobs: int | None = None
    download_model: int | None = None
    export_cu: float = 0.0
    weights_at: str = "https://weights.example"
    fail_drawing: set[str] = field(default_factory=set)
    bases: dict[ModelId, BaseInputs] = field(default_factory=lambda: {base.id: base for base in BASES})


class FakeGeneration:
    """GenerationApi in memory, mixed into FakeScenario. drawings, exports: its jobs, oldest first."""

    clock: Clock
    assets: dict[AssetId, Asset]
    models: dict[ModelId, Model]
    page_size: int
    _numbers: itertools.count[int]

    def __init__(self) -> None:
        self.generation = GenerationSettings()
        self.drawings: dict[JobId, Drawing] = {}
        self.exports: dict[JobId, Export] = {}
        self.epochs: dict[ModelId, tuple[RemoteEpoch, ...]] = {}
        self.chosen_epochs: dict[ModelId, str] = {}
        self.cards: dict[ModelId, str] = {}

    # -- what tests ask

    def drawn(self) -> Counter[tuple[str, object]]:
        """How often which prompt was drawn with which seed: what was paid for."""
        return Counter((str(job.input["prompt"]), job.input.get("seed")) for job in self.drawings.values())

    def cancel_drawing(self, job_id: JobId) -> None:
        """The generation is cancelled in the web app."""
        self.drawings[job_id].status = "canceled"

    # -- reads

    def get_base(self, base: ModelId) -> BaseInputs:
        return self._call("get_base", base, lambda: self._base(base))

    def list_jobs(self, *, types: Sequence[str] = ("custom",), token: str | None = None) -> JobPage:
        def read() -> JobPage:
            if "model-download" in types:
                raise Refused("types: must be one of the types that can be listed", status=400)
            drawn = map(self._remote_drawing, self.drawings.values()) if "custom" in (types or ("custom",)) else ()
            exported = () if types else map(self.remote_export, self.exports.values())
            newest = sorted((*drawn, *exported), key=lambda job: -(job.created_at or 0))
            start, size = int(token or 0), min(self.page_size, 100)
            page = tuple(newest[start : start + size])
            return JobPage(jobs=page, next_token=str(start + size) if start + size < len(newest) else None)

        return self._call("list_jobs", token or "", read)

    def quote_generation(self, base: ModelId, generation: Generation) -> GenerationPrice:
        def read() -> GenerationPrice:
            self._check_generation(base, generation)
            return _price(generation)

        generation_to_json(generation)
        return self._call("quote_generation", base, read)

    def quote_weights(self, model_id: ModelId, epoch: str | None = None) -> float:
        def read() -> float:
            self._model(model_id)
            return self.generation.export_cu

        return self._call("quote_weights", model_id, read)

    def get_weights(self, job_id: JobId) -> WeightsDownload:
        def read() -> WeightsDownload:
            if job_id not in self.exports:
                raise NotFound(f"no job {job_id}", status=404)
            export = self.exports[job_id]
            if self.clock.now() < export.ends_at:
                return WeightsDownload(job_id=job_id, status="in-progress")
            return WeightsDownload(
                job_id=job_id, status="success", address=Secret(f"{self.generation.weights_at}/{job_id}")
            )

        return self._call("get_weights", job_id, read)

    def get_card(self, model_id: ModelId) -> str | None:
        def read() -> str | None:
            self._model(model_id)
            return self.cards.get(model_id)

        return self._call("get_card", model_id, read)

    # -- writes

    def _choose_epoch(self, model_id: ModelId, epoch: str) -> None:
        if epoch not in {one.name for one in self.epochs.get(model_id, ())}:
            raise Refused(f"Epoch {epoch} not found", status=400)
        self.chosen_epochs[model_id] = epoch

    def set_card(self, model_id: ModelId, text: str, *, sending: Sending | None = None) -> None:
        def write() -> None:
            self._model(model_id)
            self.cards[model_id] = text

        self._call("set_card", model_id, write, sending)

    def generate(self, base: ModelId, generation: Generation, *, sending: Sending | None = None) -> Launch:
        def write() -> Launch:
            self._check_generation(base, generation)
            self._check_parallel()
            job = self._launched(base, generation)
            return Launch(job_id=job.id, cu_cost=job.price.cu, details=job.price.details)

        generation_to_json(generation)
        return self._call("generate", generation.prompt, write, sending)

    def export_weights(self, model_id: ModelId, epoch: str | None = None, *, sending: Sending | None = None) -> JobId:
        def write() -> JobId:
            self._model(model_id)
            limit = self.generation.download_model
            if limit is not None and len(self.exports) >= limit:
                raise PlanCeiling(LIMIT_REACHED, action=DOWNLOAD_MODEL, limit=limit)
            now = self.clock.now()
            export = Export(JobId(f"job_{next(self._numbers)}"), model_id, epoch, now, now + 1.0)
            self.exports[export.id] = export
            return export.id

        return self._call("export_weights", model_id, write, sending)

    def remote_export(self, export: Export) -> RemoteJob:
        return RemoteJob(
            id=export.id,
            status="success" if self.clock.now() >= export.ends_at else "in-progress",
            progress=None,
            kind="model-download",
            created_at=export.created_at,
            input={"modelId": export.model, **({} if export.epoch is None else {"modelEpoch": export.epoch})},
        )

    # -- inside

    def _call(self, name: str, detail: str, act: Callable[[], Value], sending: Sending | None = None) -> Value:
        raise NotImplementedError

    def _model(self, model_id: ModelId) -> Model:
        raise NotImplementedError

    def _remote(self, model: Model, *, images: bool) -> RemoteModel:
        raise NotImplementedError

    def _base(self, base: ModelId) -> BaseInputs:
        if base in self.models:
            raise Refused("Custom models only are supported for this endpoint", status=400)
        if base not in self.generation.bases:
            raise NotFound(f"Model {base} not found", status=404)
        return self.generation.bases[base]

    def _check_generation(self, base: ModelId, generation: Generation) -> None:
        inputs = self._base(base)
        slots = ((generation.lora, inputs.loras), (generation.composition, inputs.compositions))
        for used, types in slots:
            if used is None:
                continue
            model = self._model(used)
            if model.type not in types:
                raise Refused(f"Invalid model(s): {used}.\nAllowed model types: {', '.join(types)}", status=400)
            if model.status != "trained":
                raise Refused(f"Model {used} is not trained", status=400)
        if inputs.needs_reference and not generation.references:
            raise Refused("Input referenceImages is required", status=400)
        for reference in generation.references:
            if reference not in self.assets:
                raise NotFound(f"no asset {reference}", status=404)

    def _check_parallel(self) -> None:
        limit = self.generation.parallel_custom_jobs
        running = sum(job.status == "in-progress" for job in self.drawings.values())
        if limit is not None and running >= limit:
            raise PlanCeiling(LIMIT_REACHED, action=PARALLEL_CUSTOM, limit=limit)

    def _launched(self, base: ModelId, generation: Generation) -> Drawing:
        now = self.clock.now()
        job = Drawing(
            id=JobId(f"job_{next(self._numbers)}"),
            input={
                **generation_to_json(generation),
                "modelId": generation.composition or generation.lora or base,
                "baseModelId": base,
            },
            created_at=now,
            ends_at=now + self.generation.drawing_s,
            ends_as="failure" if generation.prompt in self.generation.fail_drawing else "success",
            price=_price(generation),
        )
        self.drawings[job.id] = job
        return job

    def _pass_drawing_time(self) -> None:
        for job in self.drawings.values():
            if job.status == "in-progress" and self.clock.now() >= job.ends_at:
                job.status = job.ends_as
                if job.status == "success":
                    count = range(int(str(job.input.get("numOutputs", 1))))
                    job.assets = tuple(self._drawn_picture(job, number) for number in count)

    def _drawn_picture(self, job: Drawing, number: int) -> AssetId:
        asset_id = AssetId(f"asset_{next(self._numbers)}")
        digest = sha256(f"{job.id} {number}".encode()).hexdigest()
        name = str(job.input["prompt"])[:60]
        self.assets[asset_id] = Asset(asset_id, name, digest, 1000, job.ends_at, is_drawn=True)
        return asset_id

    def _remote_drawing(self, job: Drawing) -> RemoteJob:
        span = max(job.ends_at - job.created_at, 0.001)
        return RemoteJob(
            id=job.id,
            status=job.status,
            progress=min(1.0, (self.clock.now() - job.created_at) / span),
            error="the picture did not pass the quality gate" if job.status == "failure" else None,
            cu_cost=job.price.cu,
            details=job.price.details,
            kind="custom",
            created_at=job.created_at,
            input=job.input,
            asset_ids=job.assets,
        )


def _price(generation: Generation) -> GenerationPrice:
    count = generation.settings.count
    drawing = (PICTURE_CU + (REFERENCE_CU if generation.references else 0)) * count
    gate = GATE_CU * count
    return GenerationPrice(cu=drawing + gate, details={"custom-generation": drawing, "quality-gate": gate})

"""A service that lives in memory and a state that follows from a plan: what an apply would come to, without one.

Service answers the reads a plan makes and carries plans out, step by step in their order, through state.outcome.after.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never, cast

from msgspec.structs import replace

from scenario_apply.api.wire import model_of
from scenario_apply.apply.environment import Environment
from scenario_apply.errors import ApiError, NotFound
from scenario_apply.model.address import Address
from scenario_apply.model.remote import (
    AssetId,
    BaseInputs,
    JobId,
    ModelId,
    ModelPage,
    RemoteAsset,
    RemoteConcept,
    RemoteJob,
    RemoteModel,
    RemotePair,
    TrainingImage,
)
from scenario_apply.model.samples import Generation, GenerationPrice
from scenario_apply.model.steps import (
    AssetRef,
    AttachImages,
    AwaitSample,
    AwaitTraining,
    ConceptRef,
    CreateModel,
    DeleteModel,
    DetachImage,
    DrawSample,
    PlannedStep,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    StepId,
    UpdateModel,
    UploadImage,
)
from scenario_apply.planning.composition_parts import as_of_now
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.state_edit import StateEdit, edited
from scenario_apply.state.fingerprint import fingerprint
from scenario_apply.state.outcome import Outcome, SampleEnd, after
from scenario_apply.state.state import ConceptRecord, PairRecord, State, Version
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.state_store import Loaded
from tests.fakes.clock import FakeClock
from tests.fakes.generation import BASES

ENDPOINT = "https://scenario.test/v1"
NOW = 1_790_000_000.0
AT = "2026-09-21T14:13:20Z"

_STATUS = {"building": "new", "training": "training", "trained": "trained", "failed": "failed"}


@dataclass(slots=True, kw_only=True)
class Model:
    """One model on the service. images: asset ids in order; captions belong to the assets."""

    id: ModelId
    type: str
    name: str
    status: str = "new"
    description: str | None = None
    tags: list[str] = field(default_factory=list)
    concepts: tuple[RemoteConcept, ...] = ()
    images: dict[AssetId, str] = field(default_factory=dict)
    pairs: tuple[RemotePair, ...] = ()
    job_id: JobId | None = None


class Service:
    """The reads of ScenarioApi over models in memory. reads: what was asked, in order; any write is an error."""

    def __init__(self) -> None:
        self.models: dict[ModelId, Model] = {}
        self.captions: dict[AssetId, str] = {}
        self.jobs: dict[JobId, RemoteJob] = {}
        self.quotes: Mapping[str, float] = {}
        self.reads: list[str] = []
        self.uploads: list[str] = []  # digests, as they came
        self._made = 0
        self.bases: dict[ModelId, BaseInputs] = {base.id: base for base in BASES}
        self.samples_fail: ApiError | None = None

    # -- where it comes from

    @classmethod
    def as_recorded(cls, state: State) -> Service:
        """The service that a state describes: nothing drifted."""
        service = cls()
        for record in state.records.values():
            # oldest first, as State.assets reads them
            for version in (*reversed(record.previous), record.current, record.pending):
                if version is not None:
                    service._recorded(version)
        for asset_id, asset in state.loose.items():
            service.captions[asset_id] = asset.caption
        service._made = 100 * state.serial
        return service

    def _recorded(self, version: Version) -> None:
        self.models[version.id] = Model(
            id=version.id,
            type=version.type,
            name=version.name,
            status=_STATUS.get(version.phase, "training-canceled"),
            description=version.description,
            tags=list(version.tags),
            concepts=tuple(RemoteConcept(model_id=c.model_id, scale=c.scale, epoch=c.epoch) for c in version.concepts),
            images={image.asset_id: image.path for image in version.images},
            pairs=tuple(
                RemotePair(source_id=p.source_id, target_id=p.target_id, instruction=p.instruction)
                for p in version.pairs
            ),
            job_id=version.job_id,
        )
        self.captions.update({image.asset_id: image.caption for image in version.images})

    @classmethod
    def from_json(cls, plain: Mapping[str, object]) -> Service:
        """The service as its own answers tell it: {"models": [...], "jobs": [...]}, through the client's reader."""
        service = cls()
        for answer in cast("list[dict[str, object]]", plain["models"]):
            remote = model_of({"model": answer}, complete=True)
            service.models[remote.id] = Model(
                id=remote.id,
                type=remote.type,
                name=remote.name or "",
                status=remote.status or "",
                description=remote.short_description,
                tags=list(remote.tags or ()),
                concepts=remote.concepts or (),
                images={image.id: image.name for image in remote.images or ()},
                pairs=remote.pairs or (),
                job_id=remote.job_id,
            )
            service.captions.update({image.id: image.description for image in remote.images or ()})
        for job in cast("list[dict[str, str]]", plain.get("jobs", [])):
            job_id = JobId(job["jobId"])
            service.jobs[job_id] = RemoteJob(
                id=job_id, status=job["status"], progress=0, error=job.get("error"), hint=job.get("hint")
            )
        service.quotes = cast("dict[str, float]", plain.get("quotes", {}))
        service._made = 9000
        return service

    def to_json(self) -> dict[str, object]:
        """The same as the service's answers."""
        return {"models": [self._answer(model) for model in self.models.values()]}

    def _answer(self, model: Model) -> dict[str, object]:
        plain: dict[str, object] = {"id": model.id, "type": model.type, "status": model.status, "name": model.name}
        if model.description is not None:
            plain["shortDescription"] = model.description
        plain["tags"] = model.tags
        if model.concepts:
            plain["concepts"] = [{"modelId": c.model_id, "scale": c.scale} for c in model.concepts]
        else:
            plain["trainingImages"] = [
                {"id": asset_id, "name": name, "description": self.captions[asset_id]}
                for asset_id, name in model.images.items()
            ]
        if model.pairs:
            plain["trainingImagePairs"] = [
                {"sourceId": p.source_id, "targetId": p.target_id, "instruction": p.instruction} for p in model.pairs
            ]
        if model.job_id is not None:
            plain["jobId"] = model.job_id
        return plain

    # -- reads

    def remote(self, model: Model) -> RemoteModel:
        images = tuple(
            TrainingImage(id=asset_id, name=name, description=self.captions[asset_id], automatic_caption="a picture")
            for asset_id, name in model.images.items()
        )
        return RemoteModel(
            id=model.id,
            type=model.type,
            status=model.status,
            name=model.name,
            short_description=model.description,
            tags=tuple(model.tags),
            concepts=model.concepts,
            images=images,
            image_count=len(images),
            pairs=model.pairs,
            job_id=model.job_id,
        )

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        assert len(model_ids) <= 50
        self.reads.append("get-bulk")
        return {i: self.remote(self.models[i]) for i in model_ids if i in self.models}

    def get_model(self, model_id: ModelId) -> RemoteModel:
        self.reads.append("get")
        if model_id not in self.models:
            raise NotFound("no such model", status=404)
        return self.remote(self.models[model_id])

    def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, RemoteAsset]:
        """Nothing is ever deleted here."""
        self.reads.append("assets")
        nothing: Any = dict.fromkeys(("name", "description", "size_bytes", "status", "created_at"))
        return {asset_id: RemoteAsset(id=asset_id, **nothing) for asset_id in asset_ids}

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        self.reads.append("list")
        return ModelPage(models=tuple(self.remote(model) for model in self.models.values()), next_token=None)

    def get_job(self, job_id: JobId) -> RemoteJob:
        self.reads.append("job")
        if job_id not in self.jobs:
            raise NotFound("no such job", status=404)
        return self.jobs[job_id]

    def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
        self.reads.append("quote")
        return self.quotes.get(model_id, self.quotes.get("", 20.0 + 5 * (images or 0)))

    def get_base(self, base: ModelId) -> BaseInputs:
        self.reads.append("base")
        if base not in self.bases:
            raise NotFound("no such model", status=404)
        return self.bases[base]

    def quote_generation(self, base: ModelId, generation: Generation) -> GenerationPrice:
        self.reads.append("sample quote")
        if self.samples_fail is not None:
            raise self.samples_fail
        return GenerationPrice(cu=10.75 * generation.settings.count, details={})

    # -- carrying out

    def new_id(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._made:04d}"

    def carry_out(
        self,
        plan: Plan,
        state: State,
        edits: Mapping[Address, StateEdit],
        *,
        stop_after: int | None = None,
        fails: frozenset[Address] = frozenset(),
    ) -> State:
        """The state after the plan's first steps, all of them unless told. fails: whose trainings end badly."""
        state = edited(state, edits)
        state = replace(state, lineage=state.lineage or "lineage", serial=state.serial + 1)
        walk = _Walk(self, state, frozenset(a for a, edit in edits.items() if edit.gone), fails)
        for planned in plan.steps[:stop_after]:
            walk.do(planned)
        return walk.state


class _Walk:
    """One apply: the steps in their order, those after a failed one left out."""

    def __init__(self, service: Service, state: State, gone: frozenset[Address], fails: frozenset[Address]) -> None:
        self.service = service
        self.state = state
        self.gone = gone
        self.fails = fails
        self.assets: dict[StepId, AssetId] = {}
        self.lost: set[StepId] = set()
        self.done: set[StepId] = set()

    def do(self, planned: PlannedStep) -> None:
        if self.lost & set(planned.after):
            self.lost.add(planned.id)
            return
        assert self.done >= set(planned.after), f"{planned.id} comes before what it needs"
        outcome = self.answer(planned)
        self.state = after(self.state, planned, outcome)
        if outcome.asset_id is not None and isinstance(planned.step, UploadImage):
            self.assets[planned.id] = outcome.asset_id
        (self.lost if outcome.phase == "failed" else self.done).add(planned.id)

    def asset(self, ref: AssetRef) -> AssetId:
        return ref.id if ref.id is not None else self.assets[cast(str, ref.step)]

    def model(self, address: Address) -> Model:
        return self.service.models[self.state.records[address].working.id]

    def concepts(self, refs: tuple[ConceptRef, ...]) -> tuple[ConceptRecord, ...]:
        found = []
        for ref in refs:
            if ref.model is None:
                assert ref.model_id, "a part without an id was sent"
                found.append(ConceptRecord(ModelId(ref.model_id), ref.scale, ref.epoch))
                continue
            part = self.state.records[ref.model].current
            assert part.is_usable, f"{ref.model} is composed before it is trained"
            assert self.service.models[part.id].status == "trained"
            found.append(ConceptRecord(part.id, ref.scale, ref.epoch, part.fingerprint))
        return tuple(found)

    def answer(self, planned: PlannedStep) -> Outcome:
        step, service = planned.step, self.service
        match step:
            case CreateModel():
                made = self.concepts(step.concepts)
                model_id = ModelId(service.new_id("model"))
                service.models[model_id] = Model(
                    id=model_id,
                    type=step.type,
                    name=step.name,
                    description=step.description,
                    concepts=_remote(made),
                )
                reason = "gone" if step.address in self.gone else None
                return Outcome(at=AT, model_id=model_id, concepts=made, reason=reason)
            case UploadImage():
                asset_id = AssetId(service.new_id("asset"))
                service.captions[asset_id] = ""
                service.uploads.append(step.picture.sha256)
                if step.way == "data":
                    self.attach(step.address, asset_id, step.picture.path)
                return Outcome(at=AT, asset_id=asset_id)
            case AttachImages():
                ids = tuple(self.asset(image.asset) for image in step.images)
                for asset_id, image in zip(ids, step.images, strict=True):
                    assert service.captions[asset_id] == image.caption, "attached before it is captioned"
                    self.attach(step.address, asset_id, image.path)
                return Outcome(at=AT, asset_ids=ids)
            case DetachImage():
                model = self.model(step.address)
                assert model.status != "training"
                model.images.pop(step.asset_id, None)
                return Outcome(at=AT)
            case SetCaption():
                asset_id = self.asset(step.asset)
                recorded = self.state.assets().get(asset_id)
                # sent once more where the record has another: a run may have died between the two
                is_known = recorded is not None and recorded.caption == step.caption
                assert not is_known or service.captions[asset_id] != step.caption, "the service holds it already"
                service.captions[asset_id] = step.caption
                return Outcome(at=AT, asset_id=asset_id)
            case SetPairs():
                pairs = tuple(
                    PairRecord(self.asset(pair.source), self.asset(pair.target), pair.instruction)
                    for pair in step.pairs
                )
                self.model(step.address).pairs = tuple(
                    RemotePair(source_id=p.source_id, target_id=p.target_id, instruction=p.instruction) for p in pairs
                )
                return Outcome(at=AT, pairs=pairs)
            case UpdateModel():
                model, made = self.model(step.address), self.concepts(step.concepts or ())
                model.name = model.name if step.name is None else step.name
                model.description = model.description if step.description is None else step.description
                model.concepts = model.concepts if step.concepts is None else _remote(made)
                return Outcome(at=AT, concepts=made)
            case SetTags():
                model = self.model(step.address)
                model.tags = sorted({*model.tags, *step.add} - set(step.delete))
                return Outcome(at=AT)
            case StartTraining():
                return self.launch(step)
            case AwaitTraining():
                failed = step.address in self.fails
                self.model(step.address).status = "failed" if failed else "trained"
                return Outcome(
                    at=AT,
                    phase="failed" if failed else "trained",
                    reason="training failed: too dark" if failed else None,
                )
            case DeleteModel():
                service.models.pop(step.model_id, None)
                return Outcome(at=AT)
            case DrawSample():
                return Outcome(at=AT, job_id=JobId(f"job_{step.sample.name}"))
            case AwaitSample():
                return Outcome(at=AT, sample=SampleEnd(phase="drawn"))
            case _:
                assert_never(step)

    def attach(self, address: Address, asset_id: AssetId, name: str) -> None:
        model = self.model(address)
        assert model.status != "training", "images never change while a model is training"
        assert asset_id not in model.images, "an attached asset is attached again"
        model.images[asset_id] = name

    def launch(self, step: StartTraining) -> Outcome:
        model, version = self.model(step.address), self.state.records[step.address].working
        assert model.status != "training"
        model.status = "training"
        model.job_id = JobId(self.service.new_id("job"))
        concepts = as_of_now(version.concepts, self.state)
        made_from = fingerprint(type=version.type, parameters=step.parameters, dataset=step.dataset, concepts=concepts)
        cu = 20.0 + 5 * len(model.images)
        return Outcome(at=AT, job_id=model.job_id, fingerprint=made_from, concepts=concepts, cu=cu)


def _remote(concepts: tuple[ConceptRecord, ...]) -> tuple[RemoteConcept, ...]:
    return tuple(RemoteConcept(model_id=c.model_id, scale=c.scale, epoch=c.epoch) for c in concepts)


class MemoryStore:
    """The part of a state store that planning uses."""

    def __init__(self, state: State) -> None:
        self.state = state

    def load(self) -> Loaded:
        return Loaded(state=self.state)


def world_of(service: Service | None, state: State) -> Environment:
    """What a plan is made with: a service (None: offline), a state, a clock that stands still."""
    from scenario_apply.model.ports import ScenarioApi

    return Environment(
        api=cast(ScenarioApi, service) if service is not None else None,
        store=cast(FileStore, MemoryStore(state)),
        clock=FakeClock(NOW),
        endpoint=ENDPOINT,
        project=None,
        tool_version="0.1.0",
    )


def as_text(plain: object) -> str:
    """JSON as it is kept in golden files."""
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"

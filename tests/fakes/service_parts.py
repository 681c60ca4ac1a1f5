"""What the in-memory Scenario keeps: models, assets, trainings and uploads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scenario_apply.model.remote import AssetId, JobId, ModelId, RemoteConcept, RemotePair, UploadId


@dataclass
class Asset:
    id: AssetId
    name: str
    sha256: str
    size_bytes: int
    created_at: float
    description: str = ""
    deleted: bool = False
    is_drawn: bool = False  # by a generation, not uploaded


@dataclass
class Job:
    id: JobId
    model: ModelId
    starts_at: float
    ends_at: float
    ends_as: str
    cu: float
    status: str = "training"


@dataclass
class Model:
    id: ModelId
    name: str
    type: str
    created_at: float
    status: str = "new"
    description: str | None = None
    tags: list[str] = field(default_factory=list)
    concepts: tuple[RemoteConcept, ...] = ()
    images: list[AssetId] = field(default_factory=list)
    pairs: tuple[RemotePair, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    jobs: list[JobId] = field(default_factory=list)
    deleted: bool = False


@dataclass
class Upload:
    id: UploadId
    name: str
    parts: dict[int, bytes | None]
    status: str = "pending"
    asset_id: AssetId | None = None

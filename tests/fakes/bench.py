"""A workbench for the engine: tiny pictures on disk, a manifest built of values, plan and apply in one call each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.apply_plan import apply_plan
from scenario_apply.apply.environment import Environment
from scenario_apply.apply.events import Event, Ledger
from scenario_apply.apply.prepare import PlanOptions, Prepared, make_plan
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents, Dataset, Image, Pair
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import CompositionSpec, Concept, Lifecycle, Manifest, ModelSpec
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.state.state import Record, State
from scenario_apply.state.stores.file_store import FileStore
from scenario_apply.state.stores.state_store import StateStore
from tests.fakes.clock import FakeClock

PLACE = Location(file="m.yaml", line=1, column=1)
NO_PLAN = PlanOptions()
FOLLOW = Lifecycle()
NO_LIMITS = Limits()
ONE_BY_ONE = ApplyOptions(parallelism=1)


@cache
def picture(seed: int) -> bytes:
    """A tiny PNG; another one for each seed."""
    from PIL import Image as Pillow

    out = io.BytesIO()
    Pillow.new("RGB", (4, 4), (seed % 256, seed // 256 % 256, 77)).save(out, "PNG")
    return out.getvalue()


def dataset(root: Path, name: str, captions: Sequence[str | None], *, pairs: Sequence[Pair] = ()) -> Dataset:
    """A dataset with a picture for each caption: 01.png, 02.png ... in a folder of its name."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for number, caption in enumerate(captions, 1):
        path = f"{number:02}.png"
        body = picture(number + 100 * sum(name.encode()))
        (folder / path).write_bytes(body)
        images.append(
            Image(
                path=path,
                file=f"{name}/{path}",
                sha256=sha256(body).hexdigest(),
                size_bytes=len(body),
                mime="image/png",
                width=4,
                height=4,
                caption=caption,
            )
        )
    return dataset_of(name, Contents(images=tuple(images), pairs=tuple(pairs)))


def dataset_of(name: str, contents: Contents) -> Dataset:
    return Dataset(
        name=name,
        digest=digest_of(contents),
        source_digest=digest_of(contents, as_files=True),
        altered=sum(bool(image.recipe) for image in contents.images),
        image_count=len(contents.images),
        pair_count=len(contents.pairs),
        problems=(),
        load=lambda: contents,
    )


def recaptioned(old: Dataset, path: str, caption: str) -> Dataset:
    images = tuple(replace(i, caption=caption) if i.path == path else i for i in old.contents.images)
    return dataset_of(old.name, replace(old.contents, images=images))


def model(name: str, dataset: str, *, type: str = "flux.1-lora", label: str | None = None, **more: object) -> ModelSpec:
    """A model of that dataset. more: parameters, lifecycle, tags, description."""
    spec = ModelSpec(
        address=parse_address(f"model.{name}"),
        name=label or name.title(),
        type=type,
        dataset=dataset,
        parameters={},
        place=PLACE,
    )
    return replace(spec, **more)


def composition(name: str, *parts: str, lifecycle: Lifecycle = FOLLOW) -> CompositionSpec:
    """A composition of declared models, each at half scale."""
    concepts = tuple(Concept(model=parse_address(f"model.{part}"), scale=0.5, place=PLACE) for part in parts)
    return CompositionSpec(
        address=parse_address(f"composition.{name}"),
        name=name.title(),
        type="flux.1-composition",
        concepts=concepts,
        lifecycle=lifecycle,
        place=PLACE,
    )


def manifest(root: Path, *specs: ModelSpec | CompositionSpec, limits: Limits = NO_LIMITS) -> Manifest:
    return Manifest(
        path="m.yaml",
        root=str(root),
        name="m",
        is_folder=False,
        digest="sha256:0",
        files=("m.yaml",),
        models={s.address: s for s in specs if isinstance(s, ModelSpec)},
        compositions={s.address: s for s in specs if isinstance(s, CompositionSpec)},
        limits=limits,
    )


@dataclass
class Bench:
    """One manifest on one machine: what lies on disk outlives the runs."""

    root: Path
    clock: Clock = field(default_factory=FakeClock)
    manifest: Manifest = field(init=False)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def declare(self, *specs: ModelSpec | CompositionSpec, limits: Limits = NO_LIMITS) -> None:
        self.manifest = manifest(self.root, *specs, limits=limits)

    def add(self, name: str, captions: Sequence[str | None]) -> Dataset:
        self.datasets[name] = dataset(self.root, name, captions)
        return self.datasets[name]

    @property
    def machine_clock(self) -> Clock:
        """That of the machine which plans and applies."""
        return self.clock

    @property
    def state_path(self) -> Path:
        return self.root / "state" / "m.json"

    @property
    def journal_path(self) -> Path:
        return self.root / "state" / "m.journal"

    def store(self) -> StateStore:
        """As a new process would open it."""
        return self.file_store()

    def file_store(self) -> FileStore:
        return FileStore(str(self.state_path), endpoint="fake", project=None, tool_version="test", clock=self.clock)

    def environment(self, api: ScenarioApi | None) -> Environment:
        return Environment(
            api=api,
            store=self.store(),
            clock=self.machine_clock,
            endpoint="fake",
            project=None,
            tool_version="test",
            rate_limit=0,
        )

    def plan(self, api: ScenarioApi, options: PlanOptions = NO_PLAN) -> Prepared:
        return make_plan(self.environment(api), self.manifest, self.datasets, options, self.clock.now())

    def apply(
        self,
        api: ScenarioApi,
        options: ApplyOptions = ONE_BY_ONE,
        *,
        stop: StopSignal | None = None,
        plan: PlanOptions = NO_PLAN,
    ) -> Ledger:
        """Plan and apply, as one new process."""
        environment = self.environment(api)
        with pytest.MonkeyPatch.context() as patch, environment.store.locked("apply"):
            # this clock jumps to the next poll; in quarters of a second, a run went round hundreds of times
            patch.setattr("scenario_apply.apply.run.IDLE_S", 10.0)
            prepared = make_plan(environment, self.manifest, self.datasets, plan, self.clock.now())
            return apply_plan(environment, prepared, str(self.root), options, self.events.append, stop or StopSignal())

    def state(self) -> State:
        return self.store().read()

    def record(self, address: str) -> Record:
        return self.state().records[parse_address(address)]

    def manifest_images(self, address: Address) -> tuple[Image, ...]:
        """The images a resource is declared with; none for a composition."""
        spec = self.manifest.models.get(address)
        return () if spec is None else self.datasets[spec.dataset].contents.images

    def spec(self, address: Address) -> ModelSpec | CompositionSpec:
        found: ModelSpec | CompositionSpec | None = self.manifest.models.get(address)
        return found or self.manifest.compositions[address]

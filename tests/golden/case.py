"""One golden case: a folder read, planned, carried out in memory and planned again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scenario_apply.apply.prepare import PlanOptions, Prepared, make_plan
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.address import parse_address
from scenario_apply.model.plan_limits import Limits
from scenario_apply.state.state import State
from scenario_apply.state.state_file import state_from_json
from tests.golden.pictures import write_pictures
from tests.planning.situations import NOW, Service, world_of

ROOT = Path(__file__).parent
CASES = sorted(path.parent for path in ROOT.glob("*/case.yaml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case, ready to be planned. service None: the plan is made without asking anybody."""

    manifest: Manifest
    datasets: Mapping[str, Dataset]
    state: State
    service: Service | None
    options: PlanOptions
    about: Mapping[str, Any]

    def plan(self, state: State | None = None, options: PlanOptions | None = None) -> Prepared:
        """The plan; state: another one than the case's."""
        world = world_of(self.service, self.state if state is None else state)
        return make_plan(world, self.manifest, self.datasets, options or self.options, NOW)


def open_case(folder: Path, scratch: Path) -> Case:
    """The case, its pictures drawn into a copy of it."""
    here = scratch / folder.name
    shutil.copytree(folder, here)
    about = yaml.safe_load((here / "case.yaml").read_text(encoding="utf-8"))
    write_pictures(here, about.get("pictures", {}))
    manifest, datasets = read_manifest(here, "manifest.yaml")
    state = State()
    if (here / "state.json").exists():
        state = state_from_json(json.loads((here / "state.json").read_text(encoding="utf-8")), source="state.json")
    options = options_of(about.get("options", {}))
    service = None
    if options.refresh:
        service = Service.as_recorded(state)
        if (here / "observed.json").exists():
            assets = service.captions  # deleting a model, or an image of one, deletes no asset
            service = Service.from_json(json.loads((here / "observed.json").read_text(encoding="utf-8")))
            service.captions = assets | service.captions
    return Case(manifest=manifest, datasets=datasets, state=state, service=service, options=options, about=about)


def read_manifest(folder: Path, name: str) -> tuple[Manifest, Mapping[str, Dataset]]:
    """A manifest and its datasets, without errors."""
    manifest = load_manifest(name, variables={}, var_files=[], env={}, cwd=str(folder))
    types: dict[str, tuple[str, ...]] = {}
    for model in manifest.models.values():
        types[model.dataset] = (*types.get(model.dataset, ()), model.type)
    datasets = scan_datasets(
        manifest.datasets, root=manifest.root, cache_path=None, types_of=types, cwd=str(folder), depth=Depth.HEADERS
    )
    errors = [problem for dataset in datasets.values() for problem in dataset.problems if problem.severity == "error"]
    assert not errors
    return manifest, datasets


def options_of(plain: Mapping[str, Any]) -> PlanOptions:
    """Command-line options as case.yaml writes them."""
    values = dict(plain)
    for key in ("replace", "train"):
        values[key] = tuple(parse_address(text) for text in values.get(key, ()))
    for key in ("select", "exclude"):
        values[key] = tuple(values.get(key, ()))
    return PlanOptions(**{**values, "limits": Limits(**values.get("limits", {}))})

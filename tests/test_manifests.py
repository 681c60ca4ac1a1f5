"""Every manifest in manifests/: loads, conforms to the schema, has no errors, and is planned offline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from scenario_apply.apply.prepare import PlanOptions, make_plan
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.loader.load import load_manifest, manifest_schema
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.remote import ModelId
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.plan_format import plan_to_json
from scenario_apply.planning.plan_reader import plan_from_json
from scenario_apply.state.state import State
from tests.planning.situations import NOW, Model, Service, world_of

ROOT = Path(__file__).parent.parent


class NewerLoader(yaml.SafeLoader):
    """Reads `on` as text, as YAML 1.2 does."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as its parent has it
        first: [pair for pair in pairs if first not in "oO"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


FOLDER = ROOT / "manifests"
PARTS = {"parts", "vars", "captions", "pictures", "pairs", "fleet"}  # what other manifests are made of

ENTRIES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*FOLDER.glob("examples/*"), *FOLDER.glob("*"), *FOLDER.glob("fleet/*"))
    if (path.is_dir() and path.name not in {*PARTS, "examples"} and not path.name.startswith("."))
    or (path.name.endswith((".yaml", ".yaml.j2")) and path.name != "fleet.yaml")
)
PLAIN = sorted(
    path.relative_to(ROOT).as_posix()
    for path in FOLDER.rglob("*.yaml")
    if path.parent.name not in {"vars", "captions", "props", "state"} and path.name != "fleet.yaml"
)
SCHEMA = json.loads(manifest_schema())


def read(entry: str) -> tuple[Manifest, Mapping[str, Dataset]]:
    manifest = load_manifest(entry, variables={}, var_files=[], env={}, cwd=str(ROOT))
    types: dict[str, tuple[str, ...]] = {}
    for model in manifest.models.values():
        types[model.dataset] = (*types.get(model.dataset, ()), model.type)
    root = manifest.root
    return manifest, scan_datasets(
        manifest.datasets, root=root, cache_path=None, types_of=types, cwd=str(ROOT), allow_outside=True
    )


def service_with(model_ids: list[str]) -> Service:
    """A service that holds these, trained."""
    service = Service()
    for name in model_ids:
        model_id = ModelId(name)
        service.models[model_id] = Model(id=model_id, type="flux.1-lora", name="made by hand", status="trained")
    return service


def plan_of(entry: str, service: Service | None, state: State | None = None) -> Plan:
    manifest, datasets = read(entry)
    return make_plan(world_of(service, state or State()), manifest, datasets, PlanOptions(), NOW).plan


def test_the_examples_are_found() -> None:
    """A runner that finds nothing would be green."""
    assert "manifests/quickstart" in ENTRIES
    assert "manifests/examples/team" in ENTRIES
    assert len(ENTRIES) >= 18
    assert len(PLAIN) >= 18


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_example_is_planned_offline(entry: str) -> None:
    """No error, and no warning about its datasets; everything it declares is in the plan, which survives its file.

    What is imported is looked at first: for that the service is asked.
    """
    manifest, datasets = read(entry)
    problems = [*manifest.problems, *(problem for dataset in datasets.values() for problem in dataset.problems)]
    assert [problem.message for problem in problems if problem.severity == "error"] == []
    of_datasets = [problem for dataset in datasets.values() for problem in dataset.problems]
    assert [problem.message for problem in of_datasets if problem.severity == "warning"] == []
    plan = plan_of(entry, service_with([block.model_id for block in manifest.imports]) if manifest.imports else None)
    assert {change.address for change in plan.changes} >= {*manifest.models, *manifest.compositions}
    plain = json.loads(json.dumps(plan_to_json(plan)))
    assert plan_to_json(plan_from_json(plain)) == plain


@pytest.mark.parametrize("entry", PLAIN)
def test_an_example_conforms_to_the_schema(entry: str) -> None:
    """As an editor reads it: YAML and JSON Schema alone, without this tool."""
    plain = yaml.load((ROOT / entry).read_text(encoding="utf-8"), NewerLoader)  # a safe one
    # YAML 1.1 takes 1e-4 for a text; this tool and YAML 1.2 take it for a number
    errors = Draft202012Validator(SCHEMA).iter_errors(numbers(plain))
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []


def numbers(value: object) -> object:
    """The same, with texts such as 1e-4 as the numbers YAML 1.2 has there."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, str) and value[:1].isdigit() and "e" in value:
        return float(value)
    return value


def test_the_schema_is_valid() -> None:
    """JSON Schema 2020-12, the same file for editors and for the tool, everything described."""
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads((ROOT / "schema" / "manifest.schema.json").read_text(encoding="utf-8")) == SCHEMA
    for name, described in SCHEMA["properties"].items():
        assert described.get("description") or "$ref" in described, name


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_example_names_its_schema(entry: str) -> None:
    """So that an editor completes it; the path leads to the file."""
    path = ROOT / entry
    for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        if file.name.endswith(".j2"):
            continue
        assert first.startswith("# yaml-language-server: $schema="), file
        assert (file.parent / first.split("=", 1)[1].strip()).resolve() == ROOT / "schema" / "manifest.schema.json"

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.manifest.loader.load import manifest_schema
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.schema.check import check_shape
from scenario_apply.manifest.yaml.reader import read_yaml
from scenario_apply.model.training_types import PARAMETER_NAMES, TRAINING_TYPES

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(manifest_schema())


def test_the_schema_is_one_and_valid() -> None:
    """What the package ships is what editors read, and it is a JSON Schema."""
    assert (ROOT / "schema" / "manifest.schema.json").read_bytes() == manifest_schema()
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_knows_the_types_and_parameters_of_the_table() -> None:
    """The widest bounds of any type: what is narrower is said by the table."""
    trained = [name for name, known in TRAINING_TYPES.items() if not known.is_composition]
    assert SCHEMA["$defs"]["model"]["properties"]["type"]["anyOf"][0]["enum"] == trained
    assert SCHEMA["$defs"]["model"]["else"]["properties"]["type"]["anyOf"][0]["enum"] == trained
    parameters = SCHEMA["$defs"]["parameters"]["properties"]
    assert sorted(parameters) == list(PARAMETER_NAMES)
    for name, schema in parameters.items():
        bounds = next((option for option in schema["anyOf"] if "maximum" in option), None)
        rules = [known.parameters[name] for known in TRAINING_TYPES.values() if name in known.parameters]
        if bounds is not None:
            assert bounds["maximum"] == max(rule.maximum or 0 for rule in rules), name
            assert bounds.get("minimum", bounds.get("exclusiveMinimum")) == min(r.minimum or 0 for r in rules), name


def test_every_key_is_described() -> None:
    """Editors show the description: no key goes without one."""

    def undescribed(schema: Any, path: str) -> list[str]:
        found: list[str] = []
        if isinstance(schema, dict):
            for name, inner in (
                schema.get("properties", {}).items() if isinstance(schema.get("properties"), dict) else ()
            ):
                if isinstance(inner, dict) and "description" not in inner and not path.endswith(("/if", "/else")):
                    found.append(f"{path}/{name}")
            for key, inner in schema.items():
                found += undescribed(inner, f"{path}/{key}")
        elif isinstance(schema, list):
            for index, inner in enumerate(schema):
                found += undescribed(inner, f"{path}/{index}")
        return found

    assert undescribed(SCHEMA, "") == []


def test_examples_fit_their_own_schema() -> None:
    """An example that an editor offers is never marked wrong by it."""

    def check(schema: Any) -> None:
        if isinstance(schema, dict):
            examples = schema.get("examples")
            if isinstance(examples, list):
                rest = {**{k: v for k, v in schema.items() if k != "examples"}, "$defs": SCHEMA["$defs"]}
                for example in examples:
                    jsonschema.Draft202012Validator(rest).validate(example)
            for inner in schema.values():
                check(inner)
        elif isinstance(schema, list):
            for inner in schema:
                check(inner)

    check(SCHEMA)


def test_the_built_package_holds_the_schema(tmp_path: Path) -> None:
    """A wheel, not only a checkout: what is built of the package has the schema as a file of its own."""
    source, built = tmp_path / "source", tmp_path / "built"
    source.mkdir()
    shutil.copytree(ROOT / "scenario_apply", source / "scenario_apply", symlinks=True)
    shutil.copytree(ROOT / "schema", source / "schema")
    # What pyproject.toml says of the files, without its metadata, which a setuptools of any age would have to read.
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = f"setuptools.find_packages(include={told['packages']['find']['include']!r})"
    call = f"setuptools.setup(name='built', packages={packages}, package_data={told['package-data']!r})"
    (source / "setup.py").write_text(f"import setuptools\n{call}\n")
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(built)],
        cwd=source,
        capture_output=True,
        check=True,
    )
    shipped = built / "scenario_apply" / "manifest" / "manifest.schema.json"
    assert not shipped.is_symlink()
    assert shipped.read_bytes() == manifest_schema()


WORDS = st.sampled_from(
    (
        *("version", "models", "datasets", "kael", "type", "flux.1-lora", "dataset", "parameters", "rank", "images"),
        *("captions", "matrix", "concepts", "compositions", "model", "scale", "lifecycle", "defaults", "x-note"),
        *("tags", "name", "pairs"),
    )
)
LEAVES = st.none() | st.booleans() | st.integers(-3, 200) | st.floats(-3, 3) | WORDS
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(WORDS, DOCUMENTS, max_size=5))
def test_the_fast_check_and_the_explanation_agree(document: dict[str, object]) -> None:
    """What jsonschema finds wrong is told, in words of our own; what it finds right is not touched."""
    report = Report()
    parsed = read_yaml("a.yaml", json.dumps({"version": 1, **document}).encode(), report)
    assert parsed is not None
    check_shape(parsed, manifest_schema(), report)
    is_valid = jsonschema.Draft202012Validator(SCHEMA).is_valid(parsed)
    assert report.has_errors is not is_valid
    assert not [problem for problem in report.problems if problem.code == "schema"]

"""The hint for a key that the schema does not know at its place: the nearest key, or the place where it belongs."""

from __future__ import annotations

import re
from collections.abc import Collection

from scenario_apply.manifest.other_generators import foreign_sample_key
from scenario_apply.manifest.other_trainers import foreign_dataset_key, foreign_parameter
from scenario_apply.manifest.positions import Map
from scenario_apply.manifest.schema.branches import Schema
from scenario_apply.model.did_you_mean import did_you_mean, listed


def unknown_key_hint(key: str, path: str, properties: Schema, root: Schema, section: str | None) -> str:
    """path: of the map that has the key; "" at the top level. properties: the keys it may have. root: the schema.

    section: the one of the top level that the key seems to belong to.
    """
    is_of_dataset = {"trigger", "exclude"} <= properties.keys() or {"suffix", "lines"} <= properties.keys()
    of_dataset = foreign_dataset_key(key) if is_of_dataset else None
    of_sample = _of_sample(key, properties) if "guidance" in properties else None
    is_foreign = (foreign_parameter(key) or "").startswith("did you mean")
    named = _nearest_parameter(key, path) if is_foreign else None
    placed = _of_another_place(key, path, properties, root) if key not in _ELSEWHERE else None
    hint = of_dataset or of_sample or named or placed or did_you_mean(key, properties)
    if hint is None and section is not None:
        hint = f"indent it, with what follows, to put it below {section}:"
    return hint or _known_elsewhere(key, path) or f"known keys: {listed(properties, 20)}"


def empty_section(document: Map, key: str, sections: Collection[str]) -> str | None:
    """The section above the key, if it has nothing below it and the key holds a map."""
    found = None
    for name, value in document.items():
        if name == key:
            break
        if name in sections:
            found = name if value is None else None
    return found if isinstance(document[key], Map) else None


_ELSEWHERE = {
    "shortDescription": "did you mean description?",
    "collections": "use tags: instead",
    "train": "training parameters belong under parameters:, and train: manual under lifecycle:",
    "training": "training parameters belong under parameters:",
    "concept": "did you mean concepts?",
    "loras": "did you mean concepts?",
    "samples": "put it below a model or a composition, or below defaults: for all of them",
    "resources": "use models:, compositions: and datasets:",
    "steps": "did you mean parameters.maxTrainSteps?",
    "base": "type: says what is trained, as in type: flux.1-lora; the base of samples belongs below samples:",
}

_PLACES = {
    "lifecycle": "put it below lifecycle: of a model or a composition",
    "dataset": "it belongs to a dataset: put it below datasets:, or into dataset: { ... } of a model",
    "composition": "put it below a model or a composition",
    "model": "put it below a model",
    "concept": "put it into the entries of concepts:",
    "parameters": "put it below parameters: of a model",
    "sampleSettings": "put it below samples:",
}
"""The parts of the manifest, by their names in its schema; of a key that several know, the first one counts."""


def _of_another_place(key: str, path: str, properties: Schema, root: Schema) -> str | None:
    """The hint for a key of another part of the manifest, where a part of it is written."""
    parts = root.get("$defs", {})
    is_part = "dataset" in parts and bool({"models", "concepts", "parameters", "trigger"} & properties.keys())
    if not is_part or f"{key}s" in properties:
        return None
    if path and key in root["properties"]:
        is_mixed = key == "models" and "concepts" in properties
        return "did you mean concepts?" if is_mixed else "put it at the top level, beside models:"
    found = next((part for part in _PLACES if key in parts[part]["properties"]), None)
    if found is None:
        return None
    return (_nearest_parameter(key, path) if found == "parameters" else None) or _PLACES[found]


def _of_sample(key: str, properties: Schema) -> str | None:
    """The hint for a key of a sample, or of a block of samples: there, any other may be a set's name."""
    is_block = "prompts" in properties
    foreign = foreign_sample_key(key, has_prompts=is_block) or did_you_mean(key, properties)
    if foreign is not None:
        return foreign
    if not is_block:
        return f"known keys: {listed(properties, 20)}; a sample is named with {{ name: {key}, prompt: ... }}"
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", key):
        return "use letters, digits, _ and - for the name of a set"
    return f"put sets of prompts below prompts:, as in prompts: {{ {key}: ... }}"


def _known_elsewhere(key: str, path: str) -> str | None:
    """The hint for a key that belongs one level down, or that another trainer uses."""
    return _ELSEWHERE.get(key) or _nearest_parameter(key, path) or foreign_parameter(key)


def _nearest_parameter(key: str, path: str) -> str | None:
    """The hint for a training parameter among the fields of a model."""
    if path.count(".") != 1 or not path.startswith(("models.", "defaults.models")):
        return None
    from scenario_apply.model.did_you_mean import nearest
    from scenario_apply.model.training_types import PARAMETER_NAMES

    name = nearest(key, PARAMETER_NAMES, 1)
    foreign = foreign_parameter(key) or ""
    if not name and foreign.startswith("did you mean"):
        name = (foreign[13:-1],)
    return f"did you mean parameters.{name[0]}?" if name else None

"""The expanded manifest as a manifest: what `config` prints is read back to the same resources.

A matrix child's key (kael-lr/slow) is no key of a manifest, since labels belong to a matrix: children are printed as
one model with what they share, and a matrix that includes each of them with what it has of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from scenario_apply.manifest.matrix import MODEL_FIELDS

Fields = dict[str, object]


def readable(expanded: Mapping[str, object]) -> Fields:
    """The same values with every matrix put together again, and every dataset under a key that a manifest takes."""
    whole: Fields = dict(expanded)
    models = cast("Mapping[str, Fields]", expanded.get("models") or {})
    datasets = cast(Fields, expanded.get("datasets") or {})
    keys = _dataset_keys(datasets)
    if variables := cast(Fields, expanded.get("variables")):
        whole["variables"] = {
            name: {"default": value} if isinstance(value, dict) else value for name, value in variables.items()
        }
    if datasets:
        whole["datasets"] = {keys[name]: fields for name, fields in datasets.items()}
    families: dict[str, dict[str, Fields]] = {}
    for key, fields in models.items():
        name, _, label = key.partition("/")
        dataset = str(fields.get("dataset"))
        families.setdefault(name, {})[label] = {**fields, "dataset": keys.get(dataset, dataset)}
    if models:
        whole["models"] = {
            name: children[""] if "" in children else _family(name, children) for name, children in families.items()
        }
    return whole


def _dataset_keys(datasets: Mapping[str, object]) -> dict[str, str]:
    """A child's own dataset is called kael-lr/slow: under a key of its own, slash and commas apart."""
    keys: dict[str, str] = {}
    for name in datasets:
        base = key = "".join(c if c.isalnum() or c in "_-" else "-" for c in name)
        number = 2
        while key in keys.values() or (key != name and key in datasets):
            key, number = f"{base}-{number}", number + 1
        keys[name] = key
    return keys


def _family(name: str, children: Mapping[str, Fields]) -> Fields:
    base, own_names = _base_name(children)
    flat = {label: _flat(fields) for label, fields in children.items()}
    first = next(iter(flat.values()))
    shared = {key: value for key, value in first.items() if all(_has(other, key, value) for other in flat.values())}
    parameters = {key[1]: value for key, value in shared.items() if key[0] == "parameters"}
    fields: Fields = {} if own_names else {"name": base or name}
    fields |= {key[1]: value for key, value in shared.items() if key[0] == ""}
    if parameters:
        fields["parameters"] = parameters
    include = []
    for label, values in flat.items():
        entry: Fields = {"label": label}
        if own_names:
            entry["name"] = children[label]["name"]
        include.append(entry | {key[1]: value for key, value in values.items() if key not in shared})
    return {**fields, "matrix": {"include": include}}


def _base_name(children: Mapping[str, Fields]) -> tuple[str, bool]:
    """The name that each child has with its label behind it; or that they have names of their own."""
    bases = {str(fields["name"]).removesuffix(f" ({label})") for label, fields in children.items()}
    suffixed = all(str(fields["name"]).endswith(f" ({label})") for label, fields in children.items())
    return (bases.pop(), False) if suffixed and len(bases) == 1 else ("", True)


def _flat(fields: Fields) -> dict[tuple[str, str], object]:
    """Fields and parameters side by side, as a matrix names them; the name apart."""
    flat: dict[tuple[str, str], object] = {}
    for key, value in fields.items():
        if key == "parameters" and isinstance(value, dict):
            flat |= {("parameters", inner): found for inner, found in value.items()}
        elif key in MODEL_FIELDS and key != "name":
            flat["", key] = value
    return flat


def _has(fields: Mapping[tuple[str, str], object], key: tuple[str, str], value: object) -> bool:
    return key in fields and type(fields[key]) is type(value) and fields[key] == value

"""The expanded manifest as plain values, for `config`: defaults merged, matrix crossed, templates rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from scenario_apply.manifest.fields import plain
from scenario_apply.manifest.spec import Json, SampleSpec, SamplesSpec
from scenario_apply.manifest.templating.template_text import literal
from scenario_apply.model.secret import without_secrets
from scenario_apply.state.url_texts import without_password

if TYPE_CHECKING:
    from scenario_apply.manifest.compositions import Compositions
    from scenario_apply.manifest.datasets import Datasets
    from scenario_apply.manifest.models import Models
    from scenario_apply.manifest.positions import Map, Node

_DROPPED = ("matrix", "extends", "allow_unknown_type", "dataset", "parameters", "name", "samples")


def expanded(
    document: Map, variables: Mapping[str, Json], datasets: Datasets, models: Models, compositions: Compositions
) -> dict[str, Json]:
    """Plain dicts and lists in the order of the manifest; a matrix child has the key KEY/LABEL. Secrets are masked."""
    whole: dict[str, Json] = {"version": 1}
    for key in ("project", "state"):
        if key in document:
            value = _plain(document[key])
            whole[key] = without_password(value) if isinstance(value, str) else value
    if variables:
        whole["variables"] = {name: shown(value) for name, value in variables.items()}
    if datasets.fields:
        whole["datasets"] = {name: _plain(fields) for name, fields in datasets.fields.items()}
    if models.specs:
        whole["models"] = {
            str(address).partition(".")[2]: {
                "name": spec.name,
                "type": spec.type,
                "dataset": spec.dataset,
                **({"parameters": {k: shown(v) for k, v in spec.parameters.items()}} if spec.parameters else {}),
                **_others(models.fields[address]),
                **_samples(spec.samples),
            }
            for address, spec in models.specs.items()
        }
    if compositions.specs:
        whole["compositions"] = {
            address.name: {
                "name": spec.name,
                "type": spec.type,
                **_others(compositions.fields[address]),
                **_samples(spec.samples),
            }
            for address, spec in compositions.specs.items()
        }
    for key in ("limits", "moved", "import", "removed"):
        if key in document:
            whole[key] = _plain(document[key])
    return whole


def _samples(spec: SamplesSpec) -> dict[str, Json]:
    """In a form that a manifest takes, with every seed."""
    if not spec.samples:
        return {}
    prompts: list[Json] = [_sample(sample) for sample in spec.samples]
    return {"samples": {"on": list(spec.on), "prompts": prompts}}


def _sample(sample: SampleSpec) -> dict[str, Json]:
    settings = sample.settings
    size = None if settings.width is None else f"{settings.width}x{settings.height}"
    written: dict[str, Json] = {
        "name": sample.name,
        "prompt": literal(sample.prompt),
        "seed": sample.seed,
        "scale": settings.scale,
        "size": size,
        "count": settings.count,
        "guidance": settings.guidance,
        "steps": settings.steps,
        "base": sample.base,
        "reference": sample.reference,
    }
    return {key: value for key, value in written.items() if value is not None}


def _others(fields: Map) -> dict[str, Json]:
    return {
        key: _plain(value)
        for key, value in fields.items()
        if key not in _DROPPED and key != "type" and value is not None and not key.startswith("x-")
    }


def _plain(node: Node) -> Json:
    return shown(plain(node))


def shown(value: object) -> Json:
    """The value with every secret in it masked."""
    return cast(Json, without_secrets(value))

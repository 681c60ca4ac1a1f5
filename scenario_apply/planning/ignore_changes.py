"""What lifecycle.ignore_changes leaves alone: the recorded value stands where the declared one would.

Images are the exception: ignored, they are not compared, and a version made for another reason is made of those
that the manifest has by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from scenario_apply.dataset.types import Contents
from scenario_apply.manifest.spec import Concept, ModelSpec
from scenario_apply.model.secret import Secret
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.planning.attributes import Spec
from scenario_apply.planning.changes import CaptionDiff, Drift, ImageDiff, PairDiff
from scenario_apply.planning.content_diff import ContentDiff, ignoring_captions
from scenario_apply.planning.epochs import declared_epoch
from scenario_apply.planning.pair_diff import ignoring_instructions
from scenario_apply.state.state import Version


def as_recorded(spec: Spec, version: Version) -> Spec:
    """The declaration, with what it ignores taken from that version."""
    ignored = spec.lifecycle.ignore_changes
    kept: dict[str, Any] = {
        key: getattr(version, key) for key in ("name", "description", "tags", "type") if key in ignored
    }
    if isinstance(spec, ModelSpec):
        kept["parameters"] = _parameters(spec, version)
        if "epoch" in ignored and version.is_usable:
            kept["epoch"] = version.epoch
    elif "concepts" in ignored and version.concepts:
        kept["concepts"] = tuple(
            Concept(model_id=part.model_id, scale=part.scale, epoch=part.epoch, place=spec.place)
            for part in version.concepts
        )
    return replace(spec, **kept) if ignored else spec


def _parameters(spec: ModelSpec, version: Version) -> Mapping[str, object]:
    """A secret is not recorded: it stays as declared."""
    kept: dict[str, object] = {
        key: value for key, value in spec.parameters.items() if not is_ignored(spec, key) or isinstance(value, Secret)
    }
    for key, value in version.parameters.items():
        if is_ignored(spec, key) and key not in SECRET_PARAMETERS:
            kept[key] = value
    return kept


def is_ignored(spec: Spec, parameter: str) -> bool:
    """Whether that training parameter may differ."""
    ignored = spec.lifecycle.ignore_changes
    return "parameters" in ignored or f"parameters.{parameter}" in ignored


def compared_parameters(spec: Spec, parameters: Mapping[str, object]) -> Mapping[str, object]:
    """Those of the parameters that are compared."""
    return {key: value for key, value in parameters.items() if not is_ignored(spec, key)}


def contents_to_send(spec: Spec, contents: Contents, version: Version) -> Contents:
    """The images and pairs of a dataset; where captions are ignored, with those that were recorded."""
    if "captions" in spec.lifecycle.ignore_changes:
        images = ignoring_captions(contents.images, version)
        return replace(contents, images=images, pairs=ignoring_instructions(contents, version))
    return contents


def compared(spec: Spec, content: ContentDiff) -> ContentDiff:
    """What of a difference in content counts."""
    ignored = spec.lifecycle.ignore_changes
    if "dataset" in ignored:
        return ContentDiff(images=ImageDiff(), captions=CaptionDiff())
    if "images" in ignored:
        return replace(content, images=ImageDiff(), pairs=PairDiff())
    return content


def are_images_ignored(spec: Spec) -> bool:
    """Whether a training set may be another one than was trained on."""
    return not {"images", "dataset"}.isdisjoint(spec.lifecycle.ignore_changes)


def is_drift_ignored(drift: Drift, spec: Spec) -> bool:
    """Whether ignore_changes covers it: what is not to be repaired is not reported in every plan."""
    ignored = spec.lifecycle.ignore_changes
    if drift.what == "pair" and None not in (drift.recorded, drift.observed) and "captions" in ignored:
        return True  # only its instruction differs
    if drift.what in ("image", "pair"):
        return are_images_ignored(spec)
    if drift.what == "caption":
        return "captions" in ignored or "dataset" in ignored
    if drift.what == "epoch" and declared_epoch(spec) is None:
        return True  # the service's choice
    return drift.what in ignored

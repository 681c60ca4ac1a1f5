"""A resource's attributes as plans show them and compare them: declared, recorded, and how they differ in labels."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from scenario_apply.manifest.spec import CompositionSpec, Concept, ModelSpec
from scenario_apply.model.remote import RemoteModel
from scenario_apply.planning.epochs import epoch_change
from scenario_apply.planning.reasons import (
    DescriptionChanged,
    EpochChanged,
    LabelDrift,
    NameChanged,
    Reason,
    TagsChanged,
)
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.state import Version

Spec = ModelSpec | CompositionSpec


class LabelChange(Struct, frozen=True, kw_only=True):
    """What of name, description, tags and epoch is to be sent, and why. labels: name, description -> new text."""

    labels: Mapping[str, str] = field(default_factory=dict)
    tags_add: tuple[str, ...] = ()
    tags_delete: tuple[str, ...] = ()
    epoch: EpochChanged | None = None
    reasons: tuple[Reason, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.reasons)


def label_change(spec: Spec, version: Version, remote: RemoteModel | None) -> LabelChange:
    """The labels that differ from what the service holds, or from the record: a run may have broken off in between.

    Sending a label that the service holds already does no harm, and updates the record.
    """
    ignored = spec.lifecycle.ignore_changes
    labels: dict[str, str] = {}
    reasons: list[Reason] = []
    name = version.name if remote is None or remote.name is None else remote.name
    if "name" not in ignored and (spec.name != name or spec.name != version.name):
        labels["name"] = spec.name
        reasons += [LabelDrift("name", name)] if name not in (version.name, spec.name) else []
        reasons += [NameChanged(version.name, spec.name)] if spec.name != version.name else []
    # an undeclared description is the service's own: it writes one when a training starts
    ours = spec.description is not None or version.description is not None
    held = version.description if remote is None or version.description is None else remote.short_description
    wanted, known = spec.description or "", version.description or ""
    if "description" not in ignored and ours and (wanted != (held or "") or wanted != known):
        labels["description"] = wanted
        reasons += [LabelDrift("description", held or "")] if (held or "") not in (known, wanted) else []
        reasons += [DescriptionChanged()] if wanted != known else []
    tags = version.tags if remote is None or remote.tags is None else remote.tags
    add = tuple(tag for tag in spec.tags if tag not in tags or tag not in version.tags)
    delete = tuple(tag for tag in version.tags if tag not in spec.tags)
    if "tags" in ignored:
        add = delete = ()
    new, lost = (tuple(tag for tag in add if (tag in version.tags) is had) for had in (False, True))
    reasons += [LabelDrift("tags", ", ".join(lost))] if lost else []
    reasons += [TagsChanged(new, delete)] if new or delete else []
    epoch = epoch_change(spec, version, remote)
    reasons += [] if epoch is None else [epoch]
    return LabelChange(labels=labels, tags_add=add, tags_delete=delete, epoch=epoch, reasons=tuple(reasons))


def declared_parameters(spec: Spec) -> Mapping[str, object]:
    """Training parameters as declared; a composition has none."""
    return spec.parameters if isinstance(spec, ModelSpec) else {}


def declared_attributes(spec: Spec) -> dict[str, object]:
    """What the manifest says of a resource; secrets masked."""
    attributes: dict[str, object] = {"name": spec.name, "type": spec.type}
    if spec.description is not None:
        attributes["description"] = spec.description
    if spec.tags:
        attributes["tags"] = list(spec.tags)
    if isinstance(spec, ModelSpec):
        if spec.epoch is not None:
            attributes["epoch"] = spec.epoch
        attributes["parameters"] = {key: plain_parameter(value) for key, value in spec.parameters.items()}
    else:
        attributes["concepts"] = [
            {**_part(concept), "scale": concept.scale, **_pinned(concept.epoch)} for concept in spec.concepts
        ]
    return attributes


def _part(concept: Concept) -> dict[str, object]:
    if concept.model is not None:
        return {"model": str(concept.model)}
    if concept.find is not None:
        return {"find": {"name": concept.find[0], "type": concept.find[1]}}
    return {"modelId": concept.model_id}


def _pinned(epoch: str | None) -> dict[str, object]:
    return {} if epoch is None else {"epoch": epoch}


def recorded_attributes(version: Version) -> dict[str, object]:
    """What the state says of a version, in the same shape, with its id."""
    attributes: dict[str, object] = {"id": version.id, "name": version.name, "type": version.type}
    if version.description is not None:
        attributes["description"] = version.description
    if version.tags:
        attributes["tags"] = list(version.tags)
    if version.epoch is not None:
        attributes["epoch"] = version.epoch
    if version.concepts:
        attributes["concepts"] = [
            {"modelId": concept.model_id, "scale": concept.scale, **_pinned(concept.epoch)}
            for concept in version.concepts
        ]
    else:
        attributes["parameters"] = dict(version.parameters)
    return attributes

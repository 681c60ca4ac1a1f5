"""An `import:` block: a model that exists on the service becomes the record of a declared resource. Nothing is sent.

The service returns names of images, not their bytes: images are matched with the manifest's by name.
Parameters are taken over where the manifest declares them, so that what the service filled in by itself is no change.
"""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.dataset.types import Contents
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import Import
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.model.secret import MASK
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.model.yaml_word import yaml_word
from scenario_apply.planning.attributes import Spec, declared_parameters
from scenario_apply.planning.observed import PHASE_OF, Observed
from scenario_apply.planning.ownership import is_own
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.state import ConceptRecord, ImageRecord, PairRecord, Record, State, Version


def imported(wanted: Import, spec: Spec, contents: Contents, state: State, observed: Observed) -> Record | Diagnostic:
    """The record of the model that the block names, or why there can be none."""
    model_id = ModelId(wanted.model_id)
    owner = _owner(state, model_id)
    if owner is not None:
        return Diagnostic(
            code="import-recorded",
            message=f"{model_id} is recorded as {owner} already",
            location=wanted.place,
            hint=f"moved: {{ from: {yaml_word(str(owner))}, to: {yaml_word(str(wanted.target))} }} gives it the new "
            "address",
        )
    remote = observed.models.get(model_id)
    if remote is None and not observed.refreshed:
        return Diagnostic(
            code="import-unseen",
            message=f"{model_id} can only be imported by a plan that asks the service",
            location=wanted.place,
            hint="leave out --no-refresh",
        )
    if remote is None:
        return Diagnostic(
            code="import-nothing", message=f"the service knows of no model {model_id}", location=wanted.place
        )
    if not is_own(remote, observed.owners, observed.own or ()):  # before anything about it is shown
        return Diagnostic(
            code="import-foreign",
            message=f"{model_id} is not one of the project's own models",
            location=wanted.place,
            hint="import a model of this project; another's public model can be a part of a composition: modelId",
        )
    if remote.type != spec.type:
        return Diagnostic(
            code="import-type",
            message=f"{model_id} is of type {remote.type}, {wanted.target} is declared as {spec.type}",
            location=wanted.place,
            hint=f"declare type: {remote.type}",
        )
    return Record(current=_version(remote, spec, contents), protected=bool(spec.lifecycle.prevent_destroy))


def taken_address(wanted: Import, record: Record) -> Diagnostic | None:
    """Why a block cannot import onto an address that records another model; None when it did so already."""
    if any(version.id == wanted.model_id for version in record.versions()):
        return None
    return Diagnostic(
        code="import-taken",
        message=f"{wanted.target} records {record.current.id} already: {wanted.model_id} is not imported over it",
        location=wanted.place,
        hint=f"take the import block out, or forget the record first: scenario-apply state rm {wanted.target}",
    )


def _owner(state: State, model_id: ModelId) -> Address | None:
    for address, record in state.records.items():
        if any(version.id == model_id for version in record.versions()):
            return address
    return None


def _version(remote: RemoteModel, spec: Spec, contents: Contents) -> Version:
    digests = {image.path: image.sha256 for image in contents.images}
    return Version(
        number=1,
        id=remote.id,
        phase=PHASE_OF.get(remote.status or "", "building"),
        name=remote.name or spec.name,
        type=remote.type,
        description=remote.short_description if spec.description is not None else None,
        tags=tuple(tag for tag in remote.tags or () if tag in spec.tags),
        parameters=_parameters(declared_parameters(spec), remote.parameters or {}),
        concepts=tuple(ConceptRecord(c.model_id, c.scale, c.epoch) for c in remote.concepts or ()),
        images=tuple(
            ImageRecord(image.name, digests.get(image.name, ""), image.id, image.description)
            for image in remote.images or ()
        ),
        pairs=tuple(PairRecord(p.source_id, p.target_id, p.instruction) for p in remote.pairs or ()),
        job_id=remote.job_id,
    )


def _parameters(declared: Mapping[str, object], remote: Mapping[str, object]) -> dict[str, object]:
    return {
        key: MASK if key in SECRET_PARAMETERS else plain_parameter(remote.get(key, value))
        for key, value in declared.items()
    }

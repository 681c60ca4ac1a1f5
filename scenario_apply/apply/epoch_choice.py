"""Epochs of trainings as the service has them: read before one is chosen, and named when one does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scenario_apply.errors import ApplyError, NotFound, Refused
from scenario_apply.manifest.spec import CompositionSpec
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import ModelId, RemoteConcept, RemoteModel
from scenario_apply.model.steps import UpdateModel
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.epochs import declared_epoch, epoch_names
from scenario_apply.state.state import State


def with_epochs(
    api: ScenarioApi, state: State, desired: Desired, models: Mapping[ModelId, RemoteModel]
) -> dict[ModelId, RemoteModel]:
    """The models, with the epochs of those whose choice is to change: an answer about many may leave them out."""
    found = dict(models)
    for model_id in dict.fromkeys(_to_be_chosen(state, desired)):
        model = found.get(model_id)
        if model is not None and model.status == "trained" and model.epochs is None:
            try:
                found[model_id] = api.get_model(model_id)
            except NotFound:
                del found[model_id]
    return found


def _to_be_chosen(state: State, desired: Desired) -> Iterable[ModelId]:
    """Recorded models of which another epoch is declared than was used until now."""
    for address, spec in desired.specs.items():
        record = state.records.get(address)
        epoch = declared_epoch(spec)
        if epoch is not None and record is not None and record.current.epoch != epoch:
            yield record.current.id
        if isinstance(spec, CompositionSpec):
            used = () if record is None else [(part.model_id, part.epoch) for part in record.working.concepts]
            for concept in spec.concepts:
                part = None if concept.model is None else state.records.get(concept.model)
                if part is not None and concept.epoch and (part.current.id, concept.epoch) not in used:
                    yield part.current.id


def update_model(
    step: UpdateModel, model_id: ModelId, concepts: Sequence[RemoteConcept] | None, api: ScenarioApi
) -> RemoteModel:
    """Carries out an update. Raises ApplyError for an epoch that the training does not have, naming those it has."""
    try:
        model = api.update_model(
            model_id, name=step.name, short_description=step.description, concepts=concepts, epoch=step.epoch or None
        )
    except Refused as refused:
        if not step.epoch:
            raise
        raise _refused_choice(refused, api, step.address, model_id, step.epoch) from refused
    if step.epoch and model.epoch not in (None, step.epoch):
        raise ApplyError(f"Scenario keeps epoch {model.epoch} of {step.address} in use, not {step.epoch}")
    return model


def _refused_choice(refused: Refused, api: ScenarioApi, address: Address, model_id: ModelId, epoch: str) -> Exception:
    """What to raise for a refused choice: an error that names the epochs there are, else the refusal itself."""
    if isinstance(refused, NotFound) or refused.status not in (400, 422):
        return refused
    model = api.get_model(model_id)
    known = epoch_names(model)
    if epoch in known or model.status != "trained":
        return refused
    kept = "its training is done and stays as it is"
    if not known:
        return ApplyError(
            f"Scenario shows no epochs of {address} to choose from, and epoch {epoch} is asked for: {kept}",
            hint=f"remove `epoch:` of {address}; not every type has epochs ({model.type})",
        )
    return ApplyError(
        f"{address} has no epoch {epoch}, only {listed(known)}: {kept}",
        hint=f"set `epoch:` to one of them, such as {known[-1]}, and apply again",
    )

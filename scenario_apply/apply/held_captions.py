"""Reads the captions that the service holds for the models of a dataset. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from scenario_apply.apply.environment import Environment
from scenario_apply.apply.refresh import read_models
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.planning.as_sent import as_sent
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import State, Version


class HeldModel(Struct, frozen=True, kw_only=True):
    """A recorded model and how the service shows it; remote None: it is gone."""

    address: Address
    version: Version
    remote: RemoteModel | None


def held_models(environment: Environment, state: State, addresses: Iterable[Address]) -> Mapping[Address, HeldModel]:
    """The recorded ones of these models with all their images, in one request for each 50 of them."""
    assert environment.api is not None
    versions = {address: state.records[address].working for address in addresses if address in state.records}
    models: dict[ModelId, RemoteModel] = {}
    if versions:
        models = read_models(environment.api, [version.id for version in versions.values()], images=True)
    shown = as_sent(Observed(models=models, refreshed=True), state).models
    return {
        address: HeldModel(address=address, version=version, remote=shown.get(version.id))
        for address, version in versions.items()
    }

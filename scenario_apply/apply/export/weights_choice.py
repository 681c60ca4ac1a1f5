"""Which weights are meant: addresses, a version and an epoch, as an export asks for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scenario_apply.apply.export.weights_record import WeightsKey
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.state.state import Record, State, Version

_LONGEST_NAME = 120
_ODD = re.compile(r"[^A-Za-z0-9_.+-]")


class WeightsTarget(NamedTuple):
    """One file to be. epoch: as it is asked for, None for the service's choice. stem: of its name."""

    address: Address
    version: Version
    epoch: str | None
    stem: str

    @property
    def key(self) -> WeightsKey:
        return WeightsKey(self.version.id, self.version.launched_at, self.epoch)


class NotChosen(NamedTuple):
    """What was asked for and is not there, in a sentence."""

    address: Address
    why: str
    hint: str | None = None


def chosen_weights(
    state: State, addresses: Sequence[Address], *, version: int | None, epoch: str | None
) -> tuple[list[WeightsTarget], list[NotChosen]]:
    """addresses: empty for every trained model. version None: the current one. epoch None: the one in use."""
    targets: list[WeightsTarget] = []
    missing: list[NotChosen] = []
    for address in dict.fromkeys(_expanded(state, addresses)):
        record = state.records.get(address)
        found = _one(address, record, state, version, epoch)
        if isinstance(found, WeightsTarget):
            targets.append(found)
        elif addresses or record is None or version is not None:
            missing.append(found)
    return targets, missing


def stem_of_weights(address: Address, number: int, epoch: str | None) -> str:
    """kael-v3, kael-lr.fast-v1-epoch8: the name of a file without its ending. Never hidden, never a path."""
    name = f"{address.name}.{address.label}" if address.label else address.name
    kind = "-composition" if address.kind == "composition" else ""
    chosen = "" if epoch is None else f"-epoch{_ODD.sub('-', epoch)[:40]}"
    return f"{_ODD.sub(',', name)[:_LONGEST_NAME]}{kind}-v{number}{chosen}"


def _expanded(state: State, addresses: Sequence[Address]) -> Iterable[Address]:
    """Without addresses every model; the name of a matrix stands for its children."""
    if not addresses:
        yield from (address for address in sorted(state.records) if address.kind == "model")
    for address in addresses:
        children = [a for a in sorted(state.records) if (a.kind, a.name) == (address.kind, address.name) and a.label]
        if address in state.records or address.label or not children:
            yield address
        else:
            yield from children


def _one(
    address: Address, record: Record | None, state: State, number: int | None, epoch: str | None
) -> WeightsTarget | NotChosen:
    if record is None:
        hint = did_you_mean(str(address), map(str, state.records)) or "scenario-apply state list shows what is recorded"
        return NotChosen(address, "it is not recorded", hint)
    if address.kind == "composition" and epoch is not None:
        return NotChosen(address, "a composition has no epochs", "its parts have: name a model")
    version = next((v for v in record.versions() if number in (None, v.number)), None)
    if version is None:
        known = ", ".join(str(v.number) for v in sorted(record.versions(), key=lambda v: v.number))
        return NotChosen(address, f"it has no version {number}", f"recorded versions: {known}")
    if not version.is_usable:
        others = [v.number for v in record.versions() if v.is_usable]
        waits = "scenario-apply apply waits for its training" if version.phase == "training" else None
        trained = f"--version {max(others)} is trained" if others else waits
        return NotChosen(address, f"version {version.number} is not trained", trained)
    wanted = epoch if epoch is not None else version.epoch
    return WeightsTarget(address, version, wanted, stem_of_weights(address, version.number, wanted))

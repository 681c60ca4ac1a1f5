"""Which weights draw samples: those of a version of a resource, of one of its trainings and of one epoch."""

from __future__ import annotations

from msgspec import Struct

from scenario_apply.model.address import Address
from scenario_apply.state.state import Record, Version


class Weights(Struct, frozen=True):
    """What drew a column. training: launched_at of it; epoch: the one chosen, None for the service's choice."""

    address: Address
    number: int
    training: str | None
    epoch: str | None = None


def weights_of(address: Address, record: Record) -> list[Weights]:
    """All weights that drew something or could, oldest first: of each version its trainings, each in its last epoch."""
    found: list[Weights] = []
    for version in sorted(record.versions(), key=lambda one: one.number):
        earlier = dict.fromkeys(s.training for s in version.samples if s.training != version.launched_at)
        for training in sorted(earlier, key=lambda at: at or ""):
            epoch = [s.epoch for s in version.samples if s.training == training][-1]
            found.append(Weights(address, version.number, training, epoch))
        if version.is_usable or version.current_samples or version is record.pending:
            found.append(in_use(address, version))
    return found


def in_use(address: Address, version: Version) -> Weights:
    """The weights of a version's last training, of the epoch that was chosen."""
    return Weights(address, version.number, version.launched_at, version.epoch)


def epochs_drawn(address: Address, version: Version) -> list[Weights]:
    """The weights of each epoch of the last training that drew samples, in the order of epochs, with that in use."""
    names = {s.epoch for s in version.samples if s.training == version.launched_at} | {version.epoch}
    return [Weights(address, version.number, version.launched_at, name) for name in sorted(names, key=epoch_order)]


def epoch_order(name: str | None) -> tuple[int, int, str]:
    """Epochs by number; names that are none after them, and the service's choice last."""
    if name is None:
        return 2, 0, ""
    return (0, int(name), "") if name.isascii() and name.isdigit() and len(name) < 10 else (1, 0, name)

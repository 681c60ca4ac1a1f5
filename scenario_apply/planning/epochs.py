"""Which epoch of a training is used: what is to be chosen, and epochs that a training does not have. Pure.

`epoch:` of a model is chosen on the service for free, once its training has ended. Left out, the service's choice is
left alone; a rollback keeps that of its version.
"""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.manifest.spec import CompositionSpec, ModelSpec
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.remote import RemoteModel
from scenario_apply.planning.reasons import EpochChanged, EpochLeft
from scenario_apply.state.state import Version

Spec = ModelSpec | CompositionSpec


def declared_epoch(spec: Spec | None) -> str | None:
    """The epoch that the manifest asks for; None: it leaves the choice to the service."""
    return spec.epoch if isinstance(spec, ModelSpec) else None


def epoch_change(spec: Spec, version: Version, remote: RemoteModel | None) -> EpochChanged | None:
    """The epoch that a trained version is to use and does not, or is not recorded to use."""
    epoch = declared_epoch(spec)
    if epoch is None or not version.is_usable:
        return None
    shown = version.epoch if remote is None or remote.epoch is None else remote.epoch
    if epoch == shown == version.epoch:
        return None
    return EpochChanged(shown, epoch, drifted=version.epoch == epoch)


def epoch_left(spec: Spec, version: Version) -> EpochLeft | None:
    """A chosen epoch that the manifest no longer names: it stays in use."""
    if not isinstance(spec, ModelSpec) or spec.epoch is not None or version.epoch is None or not version.is_usable:
        return None
    return EpochLeft(version.epoch)


def epoch_missing(asked: str, who: str, remote: RemoteModel | None, place: Location | None) -> Diagnostic | None:
    """Why an epoch cannot be used: the model's epochs are known, and it is none of them. who: asks for it."""
    known = epoch_names(remote)
    if not known or asked in known:
        return None
    return Diagnostic(
        code="epoch-unknown",
        message=f"{who} epoch {asked}, and the training has epoch{'' if len(known) == 1 else 's'} {listed(known)}",
        location=place,
        hint=f"choose one of them: epoch: {known[-1]}",
    )


def epoch_names(remote: RemoteModel | None) -> tuple[str, ...]:
    """The epochs that can be chosen of a trained model; empty where they are not known."""
    if remote is None or remote.status != "trained":
        return ()
    return tuple(epoch.name for epoch in remote.epochs or ())


def exported_epoch(remote: RemoteModel) -> int | str | None:
    """The epoch that was chosen, as a manifest writes it; None for the last one, which a training leaves in use."""
    known = epoch_names(remote)
    if remote.status != "trained" or remote.epoch is None or (known and remote.epoch == known[-1]):
        return None
    return as_written(remote.epoch)


def as_written(epoch: str) -> int | str:
    """A numbered epoch as a number."""
    return int(epoch) if epoch.isdecimal() and str(int(epoch)) == epoch else epoch


def epoch_beyond(asked: str, who: str, parameters: Mapping[str, object], place: Location | None) -> Diagnostic | None:
    """Why a training that is still to be paid for cannot have that epoch: it is declared to have fewer."""
    count = parameters.get("nbEpochs")
    if not asked.isdecimal() or isinstance(count, bool) or not isinstance(count, int | float):
        return None
    if parameters.get("maxTrainSteps") is not None or 1 <= int(asked) <= count:
        return None  # steps that are declared decide, instead of epochs
    return Diagnostic(
        code="epoch-unknown",
        message=f"{who} epoch {asked}, and the training has {count:g} (nbEpochs)",
        location=place,
        hint=f"choose 1 to {count:g}, or raise nbEpochs",
    )

"""What a manifest is to say so that a version or an epoch is the one in use: for `promote`. Pure.

A previous version is asked for by the parameters that it was trained with: the next plan finds it and brings it back
without training. Images and captions are files of people, and are not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.errors import StateError
from scenario_apply.manifest.spec import BestVersion, Json, ModelSpec
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.planning.epochs import as_written, epoch_names
from scenario_apply.planning.ignore_changes import is_ignored
from scenario_apply.planning.reasons import Reason, TrainedOnOther
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.state.state import Record, Version


class Choice(Struct, frozen=True, kw_only=True):
    """What a person chose. number, epoch: None where not named. by, at, why: as they are recorded."""

    number: int | None
    epoch: str | None
    by: str
    at: str
    why: str | None


Obstacle = Literal["content", "same", "kept"]


class Promotion(Struct, frozen=True, kw_only=True):
    """spec: the model as it is to be declared. values: what differs from now: best, epoch, type, parameters.NAME.

    removed: keys that go. left: how the manifest still differs from what the version was trained on. obstacle: why a
    plan would not bring the version back: content: its images or captions are others, as left says; same: another
    version was trained on the same; kept: on_change is not replace.
    """

    address: Address
    version: Version
    spec: ModelSpec
    values: Mapping[str, Json]
    removed: tuple[str, ...]
    obstacle: Obstacle | None = None
    left: tuple[Reason, ...] = ()


def promotion(given: Inputs, spec: ModelSpec, record: Record, choice: Choice) -> Promotion:
    """Raises StateError for a version or epoch that cannot be chosen."""
    version = record.current if choice.number is None else _version(spec.address, record, choice.number)
    _check_epoch(given, spec, version, choice.epoch)
    meant, obstacle = spec, None
    if choice.number is None:
        left = _left(given, spec, version)
    else:
        meant, left = _asked_for(given, spec, version)
        if version is not record.current:
            obstacle = "content" if left else _obstacle(given, meant, record, version)
    epoch = choice.epoch
    if epoch is None:
        epoch = spec.epoch if version is record.current else version.epoch
    meant = replace(meant, epoch=epoch, best=_best(spec.best, version.number, epoch, choice))
    values, removed = _differences(spec, meant)
    return Promotion(
        address=spec.address,
        version=version,
        spec=meant,
        values=values,
        removed=removed,
        obstacle=obstacle,
        left=left,
    )


def _asked_for(given: Inputs, spec: ModelSpec, version: Version) -> tuple[ModelSpec, tuple[Reason, ...]]:
    """The declaration that asks for a version; where there is none, the one of now, and how that version differs."""
    if not _left(given, spec, version):
        return spec, ()
    restored = _as_trained(spec, version)
    left = _left(given, restored, version)
    return (spec if left else restored), left


def _left(given: Inputs, spec: ModelSpec, version: Version) -> tuple[Reason, ...]:
    """How a declaration differs from what a version was trained on."""
    if given.up_to_date.is_what_is_wanted(spec, version, ()):
        return ()
    return tuple(given.up_to_date.differences(spec, version, ())[0]) or (TrainedOnOther(),)


def _obstacle(given: Inputs, meant: ModelSpec, record: Record, version: Version) -> Obstacle | None:
    """Why the next plan would not bring this previous version back: see the rule `restored`."""
    if meant.lifecycle.on_change not in (None, "replace"):
        return "kept"
    wanted = (one for one in (record.current, *record.previous) if one.is_usable)
    first = next((one for one in wanted if given.up_to_date.is_what_is_wanted(meant, one, ())), None)
    return None if first is version else "same"


def _version(address: Address, record: Record, number: int) -> Version:
    version = next((one for one in record.versions() if one.number == number), None)
    if version is None:
        known = sorted(one.number for one in record.versions() if one.is_usable)
        raise StateError(
            f"{address} has no version {number}",
            code="version-unknown",
            hint=f"it has version{'' if len(known) == 1 else 's'} {listed(map(str, known))}"
            if known
            else "none of its versions is trained",
        )
    return version


def _check_epoch(given: Inputs, spec: ModelSpec, version: Version, epoch: str | None) -> None:
    if not version.is_usable:
        raise StateError(
            f"version {version.number} of {spec.address} is not trained ({version.phase})", code="version-unknown"
        )
    known = epoch_names(given.remote(version))
    if epoch is not None and known and epoch not in known:
        raise StateError(
            f"version {version.number} of {spec.address} has no epoch {epoch}",
            code="epoch-unknown",
            hint=f"it has {listed(known)}",
        )


def _as_trained(spec: ModelSpec, version: Version) -> ModelSpec:
    """The declaration with the type and parameters of a version. Secrets are not recorded: they stay as declared."""
    kept = {key: value for key, value in spec.parameters.items() if key in SECRET_PARAMETERS or is_ignored(spec, key)}
    trained = {
        key: value
        for key, value in version.parameters.items()
        if key not in SECRET_PARAMETERS and not is_ignored(spec, key)
    }
    return replace(spec, type=version.type, parameters={**kept, **trained})


def _best(known: BestVersion | None, number: int, epoch: str | None, choice: Choice) -> BestVersion:
    """Who chose it first, and when, stays as long as nothing else is said."""
    is_known = known is not None and (known.version, known.epoch) == (number, epoch)
    if is_known and choice.why in (None, known.why if known is not None else None):
        assert known is not None
        return known
    return BestVersion(version=number, epoch=epoch, by=choice.by, at=choice.at, why=choice.why)


def _differences(spec: ModelSpec, meant: ModelSpec) -> tuple[dict[str, Json], tuple[str, ...]]:
    """best comes first: of values that are new, the one that is written first comes last."""
    values: dict[str, Json] = {}
    removed: list[str] = []
    if meant.best is not None and meant.best != spec.best:
        values["best"] = best_as_written(meant.best)
    if meant.epoch is None and spec.epoch is not None:
        removed.append("epoch")
    elif meant.epoch is not None and meant.epoch != spec.epoch:
        values["epoch"] = as_written(meant.epoch)
    if meant.type != spec.type:
        values["type"] = meant.type
    for key, value in meant.parameters.items():
        if key not in spec.parameters or spec.parameters[key] != value:
            values[f"parameters.{key}"] = value if not isinstance(value, tuple) else list(value)  # type: ignore[assignment]  # no secret differs
    removed += [f"parameters.{key}" for key in spec.parameters if key not in meant.parameters]
    return values, tuple(removed)


def best_as_written(best: BestVersion) -> dict[str, Json]:
    """`best:` of a manifest, without what is not known."""
    fields: dict[str, Json] = {
        "version": best.version,
        "epoch": None if best.epoch is None else as_written(best.epoch),
        "by": best.by,
        "at": best.at,
        "why": best.why,
    }
    return {key: value for key, value in fields.items() if value is not None}

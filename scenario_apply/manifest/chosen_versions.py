"""What people chose once models were trained: `epoch:` and `best:` of models, `epoch:` of concepts."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.manifest.fields import child, text, whole
from scenario_apply.manifest.positions import Map, Node
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.spec import BestVersion
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import listed
from scenario_apply.model.training_types import EPOCH_TYPES, TrainingType


def epoch_text(value: Node) -> str:
    """The API takes text; 8 and 8.0 are the same epoch."""
    return str(int(value)) if isinstance(value, int | float) else str(value).strip()


def chosen_epoch(
    address: Address, training: TrainingType, fields: Map, parameters: Mapping[str, object], report: Report
) -> str | None:
    """The epoch that the model uses; None: the service's choice. parameters: as they will be sent."""
    value = fields.get("epoch")
    if value is None or not isinstance(value, str | int | float):
        return None
    mark, epoch = fields.value_mark("epoch"), epoch_text(value)
    if training.known and training.name not in EPOCH_TYPES:
        what = f"{address}: choosing an epoch is documented for {listed(EPOCH_TYPES)}, not for {training.name}"
        report.warn("epoch-type", what, mark, "the service may refuse it; leave it out to use the last one")
    most = parameters.get("nbEpochs")
    if epoch.isdecimal() and isinstance(most, int) and int(epoch[:20]) > most and not report.is_wrong(mark):
        what = f"{address} uses epoch {epoch[:20]}, but is trained for {most} epochs"
        report.error("epoch-range", what, mark, f"use 1 to {most}, or leave it out to use the last one")
    return epoch


def best_version(address: Address, fields: Map, report: Report, *, of_all: bool) -> BestVersion | None:
    """What a person found best. of_all: it is written for all children of a matrix, if there is one."""
    block = child(fields, "best")
    if block is not None and address.label and of_all:
        what = f"best: of model.{address.name} does not say of which child of its matrix"
        hint = "write it in an entry of the matrix's include:"
        report.error("best-of-matrix", what, fields.key_mark("best"), hint)
        return None
    version = whole(block, "version") if block is not None else None
    if block is None or version is None:
        return None
    epoch = block.get("epoch")
    return BestVersion(
        version=version,
        epoch=None if epoch is None else epoch_text(epoch),
        by=text(block, "by"),
        at=text(block, "at"),
        why=text(block, "why"),
    )

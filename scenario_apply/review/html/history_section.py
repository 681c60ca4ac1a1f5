"""The training history of every resource: its versions with parameters and charges, and samples of their epochs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from scenario_apply.manifest.spec import BestVersion
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.model.remote import ModelId
from scenario_apply.model.timestamps import from_iso
from scenario_apply.review.best_words import best_text
from scenario_apply.review.epoch_samples import sample_prompts
from scenario_apply.review.html.page import Section
from scenario_apply.review.part_words import KnownModel, known_models, name_of
from scenario_apply.review.screen import counted, duration
from scenario_apply.review.values import value_text
from scenario_apply.state.state import Record, State, Version

NOT_ASKED = "Sample pictures are not shown: Scenario was not asked."
NO_SAMPLES = "Scenario has no sample pictures of this version."


class SamplePicture(NamedTuple):
    """data: a data: URL of a small copy; None where it could not be shown, and why then says so."""

    name: str
    data: str | None
    width: int = 0
    height: int = 0
    why: str = ""


class SampledEpoch(NamedTuple):
    epoch: str
    pictures: tuple[SamplePicture, ...]


class ModelSamples(NamedTuple):
    """The samples of one model. note: what is missing, in a sentence; "" when nothing is. in_use: an epoch."""

    epochs: tuple[SampledEpoch, ...] = ()
    note: str = ""
    in_use: str | None = None


class EpochRow(NamedTuple):
    """A prompt that the training drew with each epoch. prompt: "" where none is recorded. pictures: None: not drawn."""

    name: str
    prompt: str
    pictures: tuple[SamplePicture | None, ...]


class VersionView(NamedTuple):
    """facts: pairs of a name and a text."""

    title: str
    status: str
    tone: str
    facts: tuple[tuple[str, str], ...]
    samples: ModelSamples
    prompts: tuple[str, ...] = ()

    @property
    def epoch_rows(self) -> tuple[EpochRow, ...]:
        """The samples of epochs as a grid: a row for each prompt."""
        count = max((len(epoch.pictures) for epoch in self.samples.epochs), default=0)
        return tuple(
            EpochRow(
                f"sample {at + 1}",
                self.prompts[at] if at < len(self.prompts) else "",
                tuple(one.pictures[at] if at < len(one.pictures) else None for one in self.samples.epochs),
            )
            for at in range(count)
        )


class ResourceHistory(NamedTuple):
    address: str
    name: str
    versions: tuple[VersionView, ...]


_TONES = {"trained": "good", "failed": "bad", "canceled": "bad", "training": "busy"}


NONE_BEST: Mapping[Address, BestVersion] = {}


def history_section(
    state: State,
    samples: Mapping[ModelId, ModelSamples] | None,
    records: Mapping[Address, Record] | None = None,
    bests: Mapping[Address, BestVersion] = NONE_BEST,
) -> Section:
    """samples: by model, of those that the service was asked about; None: it was not asked.

    records: to name parts by, where the state was narrowed to some resources; None: those of the state. bests: what the
    manifest says is best.
    """
    known = known_models(state.records if records is None else records)
    histories = tuple(
        _history(address, record, samples, known, bests.get(address))
        for address, record in sorted(state.records.items())
    )
    note = NOT_ASKED if samples is None and histories else ""
    view = {"resources": histories, "note": note}
    count = sum(len(history.versions) for history in histories)
    return Section("history", "Training history", "history.html.jinja", view, counted(count, "version"))


def _history(
    address: Address,
    record: Record,
    samples: Mapping[ModelId, ModelSamples] | None,
    known: Mapping[str, KnownModel],
    best: BestVersion | None,
) -> ResourceHistory:
    versions = [version for version in (record.pending, record.current, *record.previous) if version is not None]
    views = []
    for version in versions:
        shown = ModelSamples() if samples is None else samples.get(version.id, ModelSamples(note=NO_SAMPLES))
        if address.kind == "composition" and not shown.epochs:
            shown = ModelSamples()
        views.append(_version(version, _place(version, record), shown, known, best))
    return ResourceHistory(str(address), record.working.name, tuple(views))


def _place(version: Version, record: Record) -> str:
    if version is record.pending:
        return "being made"
    return "current" if version is record.current else "previous"


def _version(
    version: Version, place: str, samples: ModelSamples, known: Mapping[str, KnownModel], best: BestVersion | None
) -> VersionView:
    return VersionView(
        title=f"Version {version.number}, {place}",
        status=version.phase,
        tone=_TONES.get(version.phase, "dim"),
        facts=tuple(_facts(version, known, best)),
        samples=samples if version.epoch is None else samples._replace(in_use=version.epoch),
        prompts=sample_prompts(version),
    )


def _facts(version: Version, known: Mapping[str, KnownModel], best: BestVersion | None) -> Iterator[tuple[str, str]]:
    yield "ID", version.id
    yield "Type", version.type
    if version.epoch is not None:
        yield "Epoch", version.epoch
    if best is not None and best.version == version.number:
        yield "Best", best_text(best)
    if version.launched_at is not None:
        yield "Launched", version.launched_at
    started, ended = from_iso(version.launched_at or ""), from_iso(version.ended_at or "")
    if started is not None and ended is not None and ended >= started:
        yield "Took", duration(ended - started)
    if version.charged is not None:
        yield "Charged", f"{amount(version.charged)} CU"
    if version.pairs:
        yield "Trained on", counted(len(version.pairs), "pair")
    elif version.images:
        yield "Trained on", counted(len(version.images), "picture")
    if version.concepts:
        yield "Parts", "; ".join(f"{name_of(one.model_id, known)} at {one.scale:g}" for one in version.concepts)
    if version.parameters:
        yield "Parameters", ", ".join(f"{key} {value_text(value)}" for key, value in sorted(version.parameters.items()))
    if version.epoch is not None:
        yield "Epoch in use", version.epoch
    if version.reason:
        yield "Reason", version.reason

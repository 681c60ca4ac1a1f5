"""The account of what trainings and samples cost: an entry for each launch, which outlives its model. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.training_types import training_steps
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.sample_account import with_renamed_samples
from scenario_apply.state.state import HISTORY_KEPT, TRAININGS_KEPT, SampleEntry, State, TrainingEntry, Version

Key = tuple[str, str]


Entry = TrainingEntry | SampleEntry


class Sum(Struct, frozen=True, kw_only=True):
    """CU of several trainings and samples. charged: what is known of it; unknown: those whose charge is not; refunded:
    failed ones that were charged nothing in the end. quoted: of those that were quoted. samples_charged: the part of
    charged that samples make."""

    trainings: int
    samples: int = 0
    charged: float
    quoted: float
    unknown: int
    refunded: int
    samples_charged: float = 0.0


class RunSum(Struct, frozen=True, kw_only=True):
    """The trainings and samples of one run: those launched since the line of history before.

    serial None: they are older than the history, or of a run that has not saved yet.
    """

    sum: Sum
    serial: int | None = None
    at: str | None = None
    who: str | None = None
    command: str | None = None


def sum_of(entries: Iterable[Entry]) -> Sum:
    """What these trainings and samples were charged."""
    found = list(entries)
    known = [entry.charged for entry in found if entry.charged is not None]
    samples = [entry for entry in found if isinstance(entry, SampleEntry)]
    return Sum(
        trainings=len(found) - len(samples),
        samples=len(samples),
        samples_charged=total(entry.charged for entry in samples if entry.charged is not None),
        charged=total(known),
        quoted=total(entry.quoted for entry in found if entry.quoted is not None),
        unknown=len(found) - len(known),
        refunded=sum(entry.charged == 0 and entry.phase == "failed" for entry in found),
    )


def months_of(entries: Iterable[Entry]) -> dict[str, dict[Address, Sum]]:
    """Month (such as 2026-11, UTC, of the launch) -> resource -> its sum."""
    grouped: dict[str, dict[Address, list[Entry]]] = {}
    for entry in entries:
        grouped.setdefault(entry.at[:7], {}).setdefault(entry.address, []).append(entry)
    return {
        month: {address: sum_of(of_month[address]) for address in sorted(of_month)}
        for month, of_month in sorted(grouped.items())
    }


def resources_of(entries: Iterable[Entry]) -> dict[Address, Sum]:
    """Resource -> its sum, also of resources that are no longer recorded."""
    grouped: dict[Address, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.address, []).append(entry)
    return {address: sum_of(grouped[address]) for address in sorted(grouped)}


def runs_of(state: State) -> tuple[RunSum, ...]:
    """The runs that launched anything, oldest first. A killed run counts with the next one, which saved it."""
    left, runs = list(entries_of(state)), []
    for number, line in enumerate(state.history):
        of_run = [entry for entry in left if entry.at <= line.at]
        left = [entry for entry in left if entry.at > line.at]
        if not of_run:
            continue
        if number == 0 and len(state.history) == HISTORY_KEPT:  # lines before it may have been dropped
            runs.append(RunSum(sum=sum_of(of_run)))
            continue
        runs.append(RunSum(sum=sum_of(of_run), serial=line.serial, at=line.at, who=line.who, command=line.command))
    if left:
        runs.append(RunSum(sum=sum_of(left)))
    return tuple(runs)


def quote_terms(type: str, parameters: Mapping[str, object], images: int) -> str:
    """What the price of a training depends on, as a short text: two of the same terms cost the same.

    images: of the model, a picture that several pairs share counted once; 0 for a composition.
    """
    terms = [type, images, {key: plain_parameter(value) for key, value in parameters.items()}]
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def accounted(state: State, address: Address, version: Version) -> State:
    """The state with the entry of this version's training as it is now. Doing it twice changes nothing."""
    if version.launched_at is None:
        return state
    count = len(version.pairs) or len(version.images)
    entry = TrainingEntry(
        at=version.launched_at,
        address=address,
        version=version.number,
        model_id=version.id,
        type=version.type,
        phase=version.phase,
        job_id=version.job_id,
        ended_at=version.ended_at,
        images=count,
        steps=training_steps(version.type, version.parameters, count),
        quoted=None if version.quote is None else version.quote.cu,
        charged=version.charged,
        discount=version.discount,
        details=version.cost_details,
    )
    known = {_key(one): one for one in state.trainings}
    earlier = known.get(_key(entry))
    if earlier is not None:  # what was trained on then, under the name that it has now
        entry = replace(entry, images=earlier.images, steps=earlier.steps, address=earlier.address)
    known[_key(entry)] = entry
    return replace(state, trainings=in_order(known.values()))


def trainings_of(state: State) -> tuple[TrainingEntry, ...]:
    """Every training the state knows of, by time: also those of versions that an older release recorded."""
    whole = state
    known = {_key(one) for one in state.trainings}
    for address, record in state.records.items():
        for version in record.versions():
            if version.launched_at is not None and (version.id, version.launched_at) not in known:
                whole = accounted(whole, address, version)
    return whole.trainings


def entries_of(state: State) -> tuple[Entry, ...]:
    """Every training and sample that the state knows of, by time."""
    if not state.samples:
        return trainings_of(state)
    return tuple(sorted((*trainings_of(state), *state.samples), key=lambda entry: entry.at))


def renamed(state: State, names: Mapping[Address, Address]) -> State:
    """The state with the entries of resources that were renamed under their new address."""
    state = with_renamed_samples(state, names)
    if not names or not state.trainings:
        return state
    entries = tuple(replace(one, address=names.get(one.address, one.address)) for one in state.trainings)
    return replace(state, trainings=entries)


def both(ours: Iterable[TrainingEntry], theirs: Iterable[TrainingEntry]) -> tuple[TrainingEntry, ...]:
    """The entries of two states; of the same training the one that has ended, or whose charge is known."""
    known: dict[Key, TrainingEntry] = {}
    for entry in (*ours, *theirs):
        held = known.setdefault(_key(entry), entry)
        if (held.ended_at is None, held.charged is None) > (entry.ended_at is None, entry.charged is None):
            known[_key(entry)] = entry
    return in_order(known.values())


def in_order(entries: Iterable[TrainingEntry]) -> tuple[TrainingEntry, ...]:
    """By time, the newest TRAININGS_KEPT."""
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.model_id)))[-TRAININGS_KEPT:]


def _key(entry: TrainingEntry) -> Key:
    return entry.model_id, entry.at

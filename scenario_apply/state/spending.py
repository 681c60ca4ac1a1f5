"""The account of what trainings cost: an entry for each launch, which outlives the model it was for. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.training_types import training_steps
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.state import TRAININGS_KEPT, State, TrainingEntry, Version

Key = tuple[str, str]


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
        steps=training_steps(version.type, version.parameters, count),
        quoted=None if version.quote is None else version.quote.cu,
        charged=version.charged,
        discount=version.discount,
        details=version.cost_details,
    )
    known = {_key(one): one for one in state.trainings}
    earlier = known.get(_key(entry))
    if earlier is not None:  # what was trained on then, under the name that it has now
        entry = replace(entry, steps=earlier.steps, address=earlier.address)
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


def renamed(state: State, names: Mapping[Address, Address]) -> State:
    """The state with the entries of resources that were renamed under their new address."""
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

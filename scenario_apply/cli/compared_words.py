"""The words of compare: which of them are addresses, and which weights they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from scenario_apply.errors import StateError, UsageError
from scenario_apply.model.address import KINDS, Address
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.globs import has_magic
from scenario_apply.review.drawing_weights import Weights, epochs_drawn, in_use, weights_of
from scenario_apply.state.state import Record, State

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.model.remote import ModelId, RemoteModel

PREVIOUS = "@previous"
_WORD = re.compile(r"(?P<address>[^@#]+)(?:@(?P<version>[^@#]*))?(?:#(?P<epoch>[^@#]*))?")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_EPOCH = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_EXAMPLES = "as in model.kael, model.kael@2, model.kael#8, model.kael-lr/* or model.kael @previous"


class NamedWeights(NamedTuple):
    """A word of the command line. version: a number, "previous" or None; epoch: its name, None for the one in use."""

    text: str
    address: str
    version: str | None = None
    epoch: str | None = None


def split_words(words: Sequence[str], manifest: str | None, cwd: str) -> tuple[list[NamedWeights], str | None]:
    """What is compared, and the manifest: the word that is no address, or that exists. Raises UsageError."""
    named: list[NamedWeights] = []
    others: list[str] = []
    for word in words:
        if _is_address(word) and not os.path.exists(os.path.join(cwd, word)):
            named.append(_named(word))
        else:
            others.append(word)
    if len(others) > 1:
        raise UsageError(f"unexpected argument {others[1]!r}", hint="compare takes addresses and one manifest")
    if not named:
        raise UsageError("name what to compare", hint=_EXAMPLES)
    if named[0].text == PREVIOUS:
        raise UsageError("@previous has no address before it", hint=_EXAMPLES)
    return named, others[0] if others else manifest


def chosen_weights(named: Sequence[NamedWeights], state: State, *, epochs: bool = False) -> list[Weights]:
    """The columns, in the order of the words, each once. One address alone: all its versions.

    epochs: every epoch that drew samples, of each. Raises UsageError and StateError for what is not recorded.
    """
    if len(named) == 1 and named[0].version is None and named[0].epoch is None and not epochs:
        addresses = _matching(named[0], state)
        if len(addresses) == 1:
            found = weights_of(addresses[0], state.records[addresses[0]])
            return found or [in_use(addresses[0], state.records[addresses[0]].current)]
    chosen: list[Weights] = []
    last: list[Weights] = []
    for word in named:
        if word.text == PREVIOUS:
            before = [_previous(one, state) for one in last]
            for one, earlier in zip(last, before, strict=True):
                chosen.insert(chosen.index(one), earlier)
            last = before
        else:
            last = [weights for address in _matching(word, state) for weights in _of_word(word, address, state, epochs)]
            chosen += last
    return [*dict.fromkeys(chosen)]


def epochs_of(world: Environment, named: Sequence[NamedWeights], state: State) -> dict[ModelId, RemoteModel]:
    """The models of these words with their epochs; none where Scenario is not asked. Raises ApiError and StateError."""
    if world.api is None:
        return {}
    from scenario_apply.apply.sample_pictures import models_with_epochs

    records = [state.records[address] for word in named if word.text != PREVIOUS for address in _matching(word, state)]
    ids = dict.fromkeys(version.id for record in records for version in record.versions() if version.is_usable)
    return {model.id: model for model in models_with_epochs(world.api, [*ids])}


def refuse_unknown_epochs(chosen: Sequence[Weights], state: State, remote: Mapping[ModelId, RemoteModel]) -> None:
    """Raises StateError for an epoch that a training does not have, where that is known."""
    for weights in chosen:
        version = next(v for v in state.records[weights.address].versions() if v.number == weights.number)
        names = [] if version.id not in remote else [epoch.name for epoch in remote[version.id].epochs or ()]
        drew = any(sample.epoch == weights.epoch for sample in version.samples)
        if weights.epoch is not None and names and weights.epoch not in names and not drew:
            what = f"version {weights.number} of {weights.address} has no epoch {weights.epoch}"
            raise StateError(what, code="epoch-unknown", hint=f"it has {', '.join(names)}")


def _is_address(word: str) -> bool:
    return word.startswith("@") or has_magic(word) or word.partition(".")[0] in KINDS


def _named(word: str) -> NamedWeights:
    if word == PREVIOUS:
        return NamedWeights(word, "")
    match = _WORD.fullmatch(word)
    version, epoch = (None, None) if match is None else (match["version"], match["epoch"])
    if (
        match is None
        or (version is not None and version != "previous" and not _NUMBER.fullmatch(version))
        or (epoch is not None and not _EPOCH.fullmatch(epoch))
    ):
        raise UsageError(f"{word!r} names nothing to compare", hint=_EXAMPLES)
    return NamedWeights(word, match["address"], version, epoch)


def _matching(word: NamedWeights, state: State) -> list[Address]:
    """Those of an address, of a glob, or of the children of a matrix. Raises StateError where there are none."""
    core = word.address
    found = [a for a in sorted(state.records) if fnmatchcase(str(a), core) or str(a).startswith(core + "/")]
    if not found:
        hint = did_you_mean(core, map(str, state.records)) or "scenario-apply state list shows what is"
        raise StateError(f"{core} is not recorded", code="not-recorded", hint=hint)
    return found


def _of_word(word: NamedWeights, address: Address, state: State, epochs: bool) -> Iterator[Weights]:
    record = state.records[address]
    weights = in_use(address, record.current)
    if word.version == "previous":
        weights = _previous(weights, state)
    elif word.version is not None:
        version = next((v for v in record.versions() if v.number == int(word.version or 0)), None)
        if version is None:
            raise _no_version(f"{address} has no version {word.version}", record)
        weights = in_use(address, version)
    if word.epoch is not None:
        yield replace(weights, epoch=word.epoch)
    elif epochs:
        version = next(v for v in record.versions() if v.number == weights.number)
        yield from epochs_drawn(address, version)
    else:
        yield weights


def _previous(weights: Weights, state: State) -> Weights:
    """The trained weights before these, in the epoch that was in use."""
    record = state.records[weights.address]
    order = weights_of(weights.address, record)
    before = [w for w in order if (w.number, w.training or "") < (weights.number, weights.training or "")]
    if not before:
        raise _no_version(f"{weights.address} has no version before version {weights.number}", record)
    return before[-1]


def _no_version(message: str, record: Record) -> StateError:
    numbers = ", ".join(str(number) for number in sorted(v.number for v in record.versions()))
    return StateError(message, code="not-recorded", hint=f"recorded: version {numbers}")

"""The base model that draws samples of a type: from the table, as given, or by what the known bases say they take.

Nothing is guessed: where several bases take a type, or none does, the manifest has to say which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenario_apply.errors import Diagnostic, NotFound, Refused
from scenario_apply.model.ports import Clock, GenerationApi
from scenario_apply.model.remote import BaseInputs, ModelId
from scenario_apply.model.sample_bases import KNOWN_BASES, SAMPLE_BASES, SampleBase, WantedBase
from scenario_apply.model.samples import MOST_LORAS
from scenario_apply.state.stores.base_notes import BaseNotes

BaseFound = SampleBase | Diagnostic

_HINT = "name the base model that its samples are drawn with: samples: { base: MODEL_ID, prompts: [...] }"


def find_bases(
    api: GenerationApi | None, clock: Clock, wanted: Iterable[WantedBase], notes: BaseNotes | None = None
) -> dict[WantedBase, BaseFound]:
    """The base of each, or an error without a place that says what was looked at. Each base is read once at most.

    api None: offline; then a base that is given counts unchecked. notes: what was read in the last days.
    Raises ApiError where a base cannot be read.
    """
    lookup = _Lookup(api, {} if notes is None else notes.fresh(clock.now()))
    try:
        return {one: lookup.find(one) for one in dict.fromkeys(wanted)}
    finally:
        if notes is not None:
            notes.keep(lookup.read, clock.now())


class _Lookup:
    """read: bases that were asked for. refused: the service's words about those that it does not show."""

    def __init__(self, api: GenerationApi | None, known: Mapping[ModelId, BaseInputs]) -> None:
        self._api = api
        self._known = known
        self.read: dict[ModelId, BaseInputs] = {}
        self._refused: dict[ModelId, str] = {}

    def find(self, wanted: WantedBase) -> BaseFound:
        listed = SAMPLE_BASES.get(wanted.type)
        if wanted.base is None:
            return listed or self._among_known(wanted.type)
        if listed is not None and listed.id == wanted.base:
            return listed
        return self._given(wanted.type, wanted.base)

    def _given(self, type: str, base: ModelId) -> BaseFound:
        inputs = self._inputs(base)
        if inputs is None and base in self._refused:
            return _problem(f"base model {base} cannot be used: {self._refused[base]}", "check the ID after base:")
        if inputs is None:
            return next((known for known in KNOWN_BASES if known.id == base), SampleBase(id=base))
        if not _takes(inputs, type):
            taken = ", ".join(dict.fromkeys((*inputs.loras, *inputs.compositions)))
            what = f"it takes {taken}" if taken else "its inputs take no LoRA and no composition"
            hint = "choose another base, or leave it out"
            return _problem(f"base model {base} draws no samples of {type}: {what}", hint)
        return _as_base(inputs)

    def _among_known(self, type: str) -> BaseFound:
        if self._api is None and not self._known:
            return _problem(f"no base model is known that draws samples of {type}, and the service is not asked", _HINT)
        found = [inputs for base in KNOWN_BASES if (inputs := self._inputs(base.id)) and _takes(inputs, type)]
        looked_at = ", ".join(base.id for base in KNOWN_BASES)
        if not found:
            return _problem(f"no base model is known that draws samples of {type}; looked at {looked_at}", _HINT)
        if len(found) > 1:
            fitting = ", ".join(inputs.id for inputs in found)
            return _problem(f"several base models draw samples of {type}: {fitting}", _HINT)
        return _as_base(found[0])

    def _inputs(self, base: ModelId) -> BaseInputs | None:
        """None where it cannot be asked for, or the service does not show it."""
        known = self.read.get(base) or self._known.get(base)
        if known is not None or self._api is None or base in self._refused:
            return known
        try:
            self.read[base] = self._api.get_base(base)
        except NotFound:
            self._refused[base] = "Scenario has no model of that ID"
        except Refused as refused:
            if refused.status not in (400, 403):
                raise
            self._refused[base] = refused.message
        return self.read.get(base)


def _takes(inputs: BaseInputs, type: str) -> bool:
    return type in (inputs.compositions if type.endswith("-composition") else inputs.loras)


def _as_base(inputs: BaseInputs) -> SampleBase:
    most = MOST_LORAS if inputs.most_loras is None else min(MOST_LORAS, inputs.most_loras)
    return SampleBase(id=inputs.id, needs_reference=inputs.needs_reference, most_loras=most)


def _problem(message: str, hint: str) -> Diagnostic:
    return Diagnostic(code="sample-base", message=message, hint=hint)

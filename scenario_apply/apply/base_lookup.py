"""Finds the base model that draws with models of a type, by what the bases say that they take. Nothing is guessed."""

from __future__ import annotations

from scenario_apply.errors import NotFound, Refused
from scenario_apply.model.ports import GenerationApi
from scenario_apply.model.remote import BaseInputs, ModelId
from scenario_apply.model.sample_bases import KNOWN_BASES, SampleBase
from scenario_apply.planning.owed_samples import BaseAnswer, BaseQuestion

MOST_TYPES_NAMED = 5


class BaseLookup:
    """Answers each question once, and reads each base once. api None: nothing can be asked."""

    def __init__(self, api: GenerationApi | None) -> None:
        self._api = api
        self._answers: dict[BaseQuestion, BaseAnswer] = {}
        self._inputs: dict[ModelId, BaseInputs | None] = {}

    def __call__(self, question: BaseQuestion) -> BaseAnswer:
        """The base, or why there is none, in words. Raises ApiError where the service cannot be asked."""
        if question not in self._answers:
            self._answers[question] = self._found(question)
        return self._answers[question]

    def _found(self, question: BaseQuestion) -> BaseAnswer:
        if self._api is None:
            if question.base is not None:
                return SampleBase(id=ModelId(question.base))
            return f"which base model takes {question.type} is not known, and the plan was made without Scenario"
        if question.base is not None:
            return self._named(self._api, ModelId(question.base), question.type)
        for known in KNOWN_BASES:
            inputs = self._read(self._api, known.id)
            if inputs is not None and question.type in (*inputs.loras, *inputs.compositions):
                return _base_of(inputs)
        return f"no base model is known that takes {question.type}"

    def _named(self, api: GenerationApi, base: ModelId, type: str) -> BaseAnswer:
        inputs = self._read(api, base)
        if inputs is None:
            return f"Scenario shows no model {base}"
        taken = (*inputs.loras, *inputs.compositions)
        if type in taken:
            return _base_of(inputs)
        listed = ", ".join(taken[:MOST_TYPES_NAMED]) or "no model at all"
        return f"{base} does not take {type}; it takes {listed}"

    def _read(self, api: GenerationApi, base: ModelId) -> BaseInputs | None:
        if base not in self._inputs:
            try:
                self._inputs[base] = api.get_base(base)
            except Refused as refused:
                if not isinstance(refused, NotFound) and refused.status != 403:
                    raise
                self._inputs[base] = None
        return self._inputs[base]


def _base_of(inputs: BaseInputs) -> SampleBase:
    most = SampleBase(id=inputs.id).most_loras if inputs.most_loras is None else inputs.most_loras
    return SampleBase(id=inputs.id, needs_reference=inputs.needs_reference, most_loras=most)

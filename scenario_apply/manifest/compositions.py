"""Compositions as declared -> CompositionSpec, their concepts resolved against the models."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.manifest.blocks import lifecycle
from scenario_apply.manifest.chosen_versions import epoch_text
from scenario_apply.manifest.expansion import Expansion
from scenario_apply.manifest.fields import child, flag, is_extension, maps, number, service_id, text, texts
from scenario_apply.manifest.merge import layered
from scenario_apply.manifest.models import Models, display_name, warn_of_legacy
from scenario_apply.manifest.positions import Map, Mark
from scenario_apply.manifest.report import Places, Report
from scenario_apply.manifest.sample_specs import SampleSpecs
from scenario_apply.manifest.spec import CompositionSpec, Concept
from scenario_apply.manifest.templating.template_text import Trigger
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import did_you_mean, listed
from scenario_apply.model.training_types import (
    COMPOSITION_TYPE,
    MOST_CONCEPTS,
    SCALE_BOUNDS,
    composable,
    training_type,
)

_SOURCES = ("model", "modelId", "find")


class Compositions:
    def __init__(
        self,
        document: Map,
        defaults: Map | None,
        models: Models,
        samples: SampleSpecs,
        report: Report,
        expansion: Expansion,
    ) -> None:
        self.specs: dict[Address, CompositionSpec] = {}
        self.fields: dict[Address, Map] = {}  # merged, for the expanded manifest
        self._all = child(document, "compositions") or Map(document.start)
        self._models = models
        self._samples = samples
        self._report = report
        self._legacy: dict[str, list[Mark]] = {}
        for name, fields in self._all.items():
            if isinstance(fields, Map) and not is_extension(name):
                mark, joined = self._all.key_mark(name), layered(defaults, fields)
                expansion.add(joined, mark)
                self._build(name, joined, mark)
        for kind, marks in self._legacy.items():
            warn_of_legacy(kind, marks[0], len(marks), "compositions", report)

    def _build(self, name: str, fields: Map, mark: Mark) -> None:
        address = Address("composition", name)
        kind = self._type(fields)
        if "concepts" not in fields:
            hint = "add `concepts:` with at least one `- { model: ..., scale: ... }`"
            self._report.error("no-concepts", f"{address} has no concepts", mark, hint)
        concepts: list[Concept] = []
        seen: dict[object, Mark] = {}
        for entry, where in maps(fields, "concepts"):
            concept = self._concept(address, kind, entry, where)
            if concept is None:
                continue
            part = concept.model or concept.model_id or concept.find
            if part in seen:
                what = f"{address} uses {part} twice"
                self._report.warn("concept-twice", what, where, f"the first is at {self._report.place(seen[part])}")
            seen[part] = where
            concepts.append(concept)
        if len(concepts) > MOST_CONCEPTS:
            what = f"{address} has {len(concepts)} concepts; Scenario's web app merges at most {MOST_CONCEPTS}"
            hint = "keep the ones that matter most: the service may refuse more"
            self._report.warn("many-concepts", what, concepts[MOST_CONCEPTS].place, hint)
        self.fields[address] = fields
        self.specs[address] = CompositionSpec(
            address=address,
            name=display_name(address, fields, mark, self._report),
            type=kind,
            concepts=tuple(concepts),
            samples=self._samples.of(address, fields, self._trigger(address, concepts), training_type(kind)),
            description=text(fields, "description"),
            license=text(fields, "license"),
            tags=texts(fields, "tags"),
            lifecycle=lifecycle(fields),
            enabled=flag(fields, "enabled", True),
            place=self._report.place(mark),
            places=Places(self._report, fields),
        )

    def _trigger(self, address: Address, concepts: Sequence[Concept]) -> Trigger:
        """That of the one declared part that has one: which of several is meant is not guessed."""
        parts = [self._models.specs.get(concept.model) for concept in concepts if concept.model is not None]
        triggers = {str(part.address): self._models.trigger(part) for part in parts if part is not None}
        known = {part: trigger for part, trigger in triggers.items() if trigger is not None}
        if len(known) == 1:
            return Trigger(next(iter(known.values())))
        own = f"or give {address} `samples:` of its own, [] for none"
        if not known:
            hint = f"write the triggers of its parts into the prompt, {own}"
            return Trigger(None, f"trigger is not defined: no declared part of {address} has one", hint)
        what = f"trigger is not defined: {listed(known)} of {address} each have one"
        return Trigger(None, what, f"write the triggers out: {', '.join(known.values())}, {own}")

    def _type(self, fields: Map) -> str:
        kind = text(fields, "type") or COMPOSITION_TYPE
        if not composable(kind):
            return COMPOSITION_TYPE  # the schema check has reported it
        if training_type(kind).legacy:
            self._legacy.setdefault(kind, []).append(fields.value_mark("type"))
        return kind

    def _concept(self, address: Address, kind: str, entry: Map, mark: Mark) -> Concept | None:
        report = self._report
        given = [key for key in _SOURCES if entry.get(key) is not None]
        if len(given) != 1:
            what = f"a concept of {address} has {listed(given)}" if given else f"a concept of {address} names no model"
            report.error("concept", what, mark, "give exactly one of model, modelId and find")
            return None
        scale = self._scale(entry)
        epochs = [key for key in ("epoch", "modelEpoch") if entry.get(key) is not None]
        if len(epochs) == 2:
            report.error(
                "concept", "epoch and modelEpoch mean the same", entry.key_mark("modelEpoch"), "keep one of them"
            )
        model = self._declared(address, kind, entry) if given[0] == "model" else None
        find = self._find(address, kind, entry) if given[0] == "find" else None
        model_id = service_id(entry, "modelId", report)
        if scale is None or (model is None and find is None and model_id is None):
            return None
        return Concept(
            model=model,
            model_id=model_id,
            find=find,
            scale=scale,
            epoch=epoch_text(entry[epochs[0]]) if epochs else None,
            place=report.place(mark),
        )

    def _scale(self, entry: Map) -> float | None:
        scale = number(entry, "scale")
        if scale is None:
            return None
        low, high = SCALE_BOUNDS
        mark = entry.value_mark("scale")
        if not low <= scale <= high:
            if not self._report.is_wrong(mark):
                what = f"scale is {scale:g}, out of range"
                self._report.error("scale-range", what, mark, f"use {low:g} to {high:g}; 0 to 1 is usual")
            return None
        if not 0 <= scale <= 1:
            what = f"scale {scale:g} is outside 0 to 1, the range in the guides"
            self._report.warn("scale-unusual", what, mark)
        return float(scale)

    def _declared(self, address: Address, kind: str, entry: Map) -> Address | None:
        written = text(entry, "model")
        if written is None:
            return None
        mark = entry.value_mark("model")
        if written == str(address) or (written == address.name and written not in self._models.labels):
            self._report.error("composition-of-itself", f"{address} uses itself", mark, "list the models it combines")
            return None
        if (
            written.removeprefix("composition.") in self._all
            and written.removeprefix("model.") not in self._models.labels
        ):
            what = f"{address} uses the composition {written}; only models can be composed"
            self._report.error("composition-of-composition", what, mark, f"name one of type {listed(composable(kind))}")
            return None
        name, _, label = written.removeprefix("model.").partition("/")
        labels = self._models.labels.get(name)
        if labels is None or label not in labels:
            self._unknown(address, written, name, labels, mark)
            return None
        found = Address("model", name, label)
        spec = self._models.specs.get(found)
        if spec is not None and spec.type not in composable(kind):
            what = f"{address} uses {found}, a {spec.type}; a {kind} is made of {listed(composable(kind))}"
            other = training_type(spec.type).composable_as
            hint = f"it is declared at {spec.place}" + (f"; with `type: {other}` it can be used" if other else "")
            self._report.error("not-composable", what, mark, hint)
        return found

    def _unknown(self, address: Address, written: str, name: str, labels: list[str] | None, mark: Mark) -> None:
        if labels is not None and labels != [""]:
            what = f"{address} uses {written}, which a matrix expands to several models"
            hint = f"name one of {listed(f'{name}/{label}' for label in labels)}"
            self._report.error("unknown-reference", what, mark, hint)
            return
        what = f"{address} uses model.{written.removeprefix('model.')}, which no manifest declares"
        known = [f"{n}/{label}" if label else n for n, children in self._models.labels.items() for label in children]
        self._report.error("unknown-reference", what, mark, did_you_mean(written.removeprefix("model."), known))

    def _find(self, address: Address, kind: str, entry: Map) -> tuple[str, str] | None:
        block = child(entry, "find")
        name = text(block, "name") if block else None
        if block is None or name is None:
            return None
        wanted = text(block, "type") or composable(kind)[0]
        if wanted not in composable(kind):
            what = f"{address} looks for a {wanted}; a {kind} is made of {listed(composable(kind))}"
            code = "not-composable" if training_type(wanted).known else "unknown-type"
            self._report.error(code, what, block.value_mark("type"), f"write `type: {composable(kind)[0]}`")
            return None
        return name, wanted

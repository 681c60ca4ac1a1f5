"""Models as declared -> ModelSpec: extends, matrix and defaults resolved, types and parameters checked."""

from __future__ import annotations

from collections.abc import Callable

from scenario_apply.manifest.blocks import lifecycle
from scenario_apply.manifest.chosen_versions import best_version, chosen_epoch
from scenario_apply.manifest.datasets import Datasets
from scenario_apply.manifest.expansion import Expansion
from scenario_apply.manifest.fields import child, flag, is_extension, text, texts
from scenario_apply.manifest.matrix import MODEL_FIELDS, children
from scenario_apply.manifest.merge import Inheritance, layered
from scenario_apply.manifest.model_lint import severity_for
from scenario_apply.manifest.parameters import ParameterCheck
from scenario_apply.manifest.positions import Map, Mark
from scenario_apply.manifest.report import Places, Report
from scenario_apply.manifest.sample_forms import unify_in
from scenario_apply.manifest.sample_specs import SampleSpecs
from scenario_apply.manifest.spec import DatasetSpec, ModelSpec
from scenario_apply.manifest.templating.template_text import Trigger
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import did_you_mean, listed
from scenario_apply.model.limits import NAME_LENGTH
from scenario_apply.model.training_types import TRAINING_TYPES, TrainingType, training_type


class Models:
    """Builds every model; keeps the addresses and types for compositions."""

    def __init__(
        self,
        document: Map,
        defaults: Map | None,
        datasets: Datasets,
        samples: SampleSpecs,
        report: Report,
        expansion: Expansion,
        check_matrix: Callable[[Map], None],
    ) -> None:
        """check_matrix: reports what is wrong with fields of a model that its matrix gives."""
        self.specs: dict[Address, ModelSpec] = {}
        self.fields: dict[Address, Map] = {}  # merged, for the expanded manifest
        self.labels: dict[str, list[str]] = {}  # key -> labels of its children, [""] without a matrix
        self._all = child(document, "models") or Map(document.start)
        self._defaults = defaults
        self._datasets = datasets
        self._samples = samples
        self._report = report
        self._expansion = expansion
        self._check_matrix = check_matrix
        self._parameters = ParameterCheck(report)
        self._inheritance = Inheritance(self._all, report)
        self._allow_unknown = flag(document, "allow_unknown_type", False)
        self._legacy: dict[str, tuple[Mark, list[str]]] = {}
        self._single_images: dict[tuple[str, str], tuple[Mark, list[str]]] = {}  # type, dataset -> where, addresses
        for name, fields in self._all.items():
            if isinstance(fields, Map) and not is_extension(name):
                self._build(name)
        self._parameters.report_dropped()
        self._report_legacy()
        self._report_single_images()

    def _build(self, name: str) -> None:
        mark = self._all.key_mark(name)
        labels = self.labels[name] = []
        own = self._inheritance.resolved(name)
        for label, fields in children(own, f"model.{name}", self._report):
            labels.append(label)
            if label:
                self._check_fields(fields, own)
            address = Address("model", name, label)
            joined = layered(self._defaults, fields)
            self._expansion.add(joined, mark)
            spec = self._spec(address, joined, fields, mark)
            if spec is not None:
                self.specs[address] = spec
                self.fields[address] = joined

    def _check_fields(self, child: Map, own: Map) -> None:
        """Those that the matrix gives: the schema takes any value in a matrix."""
        given = Map(child.start)
        for key in sorted(MODEL_FIELDS.intersection(child)):
            if child.marks[key] != own.marks.get(key) and not (key == "type" and isinstance(child[key], str)):
                given.put(key, child[key], child.marks[key])
        if given:
            self._check_matrix(given)
            unify_in(child)

    def _spec(self, address: Address, merged: Map, own: Map, mark: Mark) -> ModelSpec | None:
        training = self._type(address, merged, mark)
        by_matrix = self._given_by_matrix(address, "dataset", own)
        own_dataset = f"{address.name}/{address.label}" if by_matrix else address.name
        dataset = self._datasets.reference(merged, address.name, own_dataset, mark)
        if training is None or dataset is None:
            return None
        self._check_shape(address, training, dataset, merged)
        parameters = child(merged, "parameters")
        written, owner = child(own, "parameters"), self._datasets.specs[dataset]
        taken = self._parameters.checked(training, parameters, written, str(address), owner) if parameters else {}
        return ModelSpec(
            address=address,
            name=display_name(address, merged, mark, self._report, self._given_by_matrix(address, "name", own)),
            type=training.name,
            dataset=dataset,
            parameters=taken,
            inherited=frozenset(name for name in taken if written is None or name not in written),
            samples=self._samples.of(address, merged, trigger_of(owner), training),
            epoch=chosen_epoch(address, training, merged, taken, self._report),
            best=best_version(address, merged, self._report, of_all=not self._given_by_matrix(address, "best", own)),
            description=text(merged, "description"),
            license=text(merged, "license"),
            tags=texts(merged, "tags"),
            lifecycle=lifecycle(merged),
            enabled=flag(merged, "enabled", True),
            place=self._report.place(mark),
            places=Places(self._report, merged),
        )

    def trigger(self, model: ModelSpec) -> str | None:
        """That of the model's dataset."""
        return self._datasets.specs[model.dataset].trigger

    def _given_by_matrix(self, address: Address, field: str, own: Map) -> bool:
        written = self._inheritance.resolved(address.name)
        return bool(address.label) and own.marks.get(field) != written.marks.get(field)

    def _type(self, address: Address, merged: Map, mark: Mark) -> TrainingType | None:
        name = text(merged, "type")
        if name is None:
            if "type" not in merged or merged["type"] is None:
                hint = "add `type: flux.1-lora`, here or under defaults.models"
                self._report.error("no-type", f"model.{address.name} has no type", mark, hint)
            return None
        where = merged.value_mark("type")
        training = TRAINING_TYPES.get(name)
        if training is None:
            if self._allow_unknown or flag(merged, "allow_unknown_type", False):
                self._report.warn("unknown-type", f"{name} is not a known type; it is sent unchanged", where)
                return training_type(name)
            if not self._report.is_wrong(where):
                unknown_type(name, where, self._report)
            return None
        if training.is_composition:
            if not self._report.is_wrong(where):
                unknown_type(name, where, self._report)
            return None
        if training.legacy:
            self._legacy.setdefault(name, (where, []))[1].append(str(address))
        return training

    def _report_legacy(self) -> None:
        for name, (mark, addresses) in self._legacy.items():
            warn_of_legacy(name, mark, len(addresses), "models", self._report)

    def _report_single_images(self) -> None:
        for (kind, dataset), (mark, addresses) in self._single_images.items():
            used = f"dataset.{dataset} of {listed(addresses, 3)}"
            what = f"{kind} is trained on edit pairs, but {used} contains single images"
            hint = "give the dataset before: and after:, or use flux.1-lora; the service may refuse single images"
            self._report.warn("single-images", what, mark, hint)

    def _check_shape(self, address: Address, training: TrainingType, dataset: str, merged: Map) -> None:
        spec = self._datasets.specs[dataset]
        if not training.known or spec.is_pairs == (training.dataset == "pairs"):
            return
        mark = merged.value_mark("dataset")
        if not spec.images and not spec.is_pairs:
            return  # the dataset itself is wrong, which is reported
        if training.images_too:
            self._single_images.setdefault((training.name, dataset), (mark, []))[1].append(str(address))
            return
        if spec.is_pairs:
            what = f"{training.name} is trained on single images, but dataset.{dataset} contains edit pairs"
            hint = "use images:, or an edit type such as flux.2-klein-9b-edit-lora"
        else:
            what = f"{training.name} is trained on edit pairs, but dataset.{dataset} contains single images"
            hint = "give the dataset before: and after:, or pairs:, or use a type without -edit-"
        if (severity := severity_for("M01", [spec])) is not None:
            self._report.add("M01", f"model.{address.name}: {what}", mark, hint, severity)


def trigger_of(dataset: DatasetSpec) -> Trigger:
    """What `{{ trigger }}` is in the prompts of samples."""
    hint = "add `trigger:` to the dataset, or give the model `samples:` of its own without {{ trigger }}"
    return Trigger(dataset.trigger, f"trigger is not defined: dataset.{dataset.name} has none", hint)


def warn_of_legacy(name: str, mark: Mark, count: int, things: str, report: Report) -> None:
    """Warns once of a retired type, however many resources use it."""
    many = f" ({count} {things})" if count > 1 else ""
    successor = "flux.1-composition" if training_type(name).is_composition else "flux.1-lora"
    what = f"{name}{many} is retired: the live service may answer 410 and refuse it"
    report.warn("legacy-type", what, mark, f"use {successor} instead")


def unknown_type(name: str, mark: Mark, report: Report) -> None:
    """Reports a type that no model can have, with the nearest known types."""
    if name in TRAINING_TYPES:
        what = f"{name} is made of models, not trained on images"
        report.error("type-shape", what, mark, "move it to compositions:")
        return
    hint = did_you_mean(name, (n for n, known in TRAINING_TYPES.items() if not known.is_composition))
    more = "allow_unknown_type: true accepts a type newer than this release"
    report.error("unknown-type", f"{name} is not a training type", mark, f"{hint} {more}" if hint else more)


def display_name(address: Address, fields: Map, mark: Mark, report: Report, by_matrix: bool = False) -> str:
    """name, else the key; a matrix child's label is appended, unless the matrix sets the names (by_matrix)."""
    base = text(fields, "name") or address.name
    name = f"{base} ({address.label})" if address.label and not by_matrix else base
    if len(name) > NAME_LENGTH:
        where = fields.value_mark("name") if "name" in fields else mark
        if not report.is_wrong(where):
            what = f"the name {name!r} has {len(name)} characters; at most {NAME_LENGTH} are allowed"
            report.error("name-too-long", what, where, "shorten `name:`")
    return name

"""Models of the service as resources and datasets of a manifest: which keys, folders, files, captions and fields. Pure.

Models that were trained on the same pictures with the same captions share a dataset. What cannot be exported is named
with its reason and holds nothing else up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from msgspec import Struct, field

from scenario_apply.model.address import Address, Kind
from scenario_apply.model.limits import NAME_LENGTH
from scenario_apply.model.local_names import resource_key
from scenario_apply.model.remote import AssetId, ModelId, RemoteModel, TrainingImage
from scenario_apply.model.training_types import (
    COMPOSITION_TYPE,
    SCALE_BOUNDS,
    TRAINING_TYPES,
    composable,
    training_type,
)
from scenario_apply.planning.epochs import as_written, exported_epoch
from scenario_apply.planning.exported_parameters import exported_parameters, short_number
from scenario_apply.planning.picture_stems import complete_pairs, pairs_of, picture_stems
from scenario_apply.planning.shared_starts import SharedStart, shared_start

LONGEST_DESCRIPTION = 256
_LONGEST_TAG = 1000
MOST_PICTURES = 1000
"""Of a dataset; as many as are read of one."""


class NotExported(NamedTuple):
    """Something that is left out. what: a model, or a picture of one."""

    what: str
    why: str


class ExportedDataset(Struct, frozen=True, kw_only=True):
    """key: also the name of its folder. identity: the same for the same pictures with the same captions.

    stems: paths within the folder without ending, by picture. texts: captions or instructions that get a file, by such
    a path. fields: of the manifest, but for the folder.
    """

    key: str
    identity: str
    is_pairs: bool
    stems: Mapping[AssetId, list[str]]
    names: Mapping[AssetId, str]
    texts: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)
    own_captions: int = 0


class ExportedResource(Struct, frozen=True, kw_only=True):
    """fields: of the manifest. is_incomplete: its manifest entry asks for less than the service holds.

    notes: what is not exported of it, without harm.
    """

    address: Address
    remote: RemoteModel
    dataset: str | None
    fields: Mapping[str, object]
    is_incomplete: bool = False
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return title_of(self.remote)


class ExportLayout(Struct, frozen=True, kw_only=True):
    resources: tuple[ExportedResource, ...] = ()
    datasets: tuple[ExportedDataset, ...] = ()
    problems: tuple[NotExported, ...] = ()


def title_of(model: RemoteModel) -> str:
    """How messages name a model of the service."""
    return f"{model.name} ({model.id})" if model.name else model.id


def why_not(model: RemoteModel) -> str | None:
    """Why no manifest can declare a model; None when one can."""
    known = TRAINING_TYPES.get(model.type)
    if known is None:
        return f"its type, {model.type or 'which the service does not name'}, is none that a manifest can train"
    if known.is_composition:
        if not model.concepts:
            return "the service shows none of its parts"
        low, high = SCALE_BOUNDS
        odd = next((c for c in model.concepts if not low <= c.scale <= high), None)
        return (
            None if odd is None else f"its part {odd.model_id} has the scale {odd.scale:g}, out of {low:g} to {high:g}"
        )
    if model.images is None:
        return "the service does not show all of its training images"
    if not model.images:
        return "it has no training images"
    if len(model.images) > MOST_PICTURES:
        return f"it has {len(model.images):,} training images; a dataset has at most {MOST_PICTURES:,}"
    if known.dataset == "pairs" and not known.images_too and not complete_pairs(_held(model), pairs_of(model)):
        return "it is trained on edit pairs, and the service shows none"
    return None


def identity_of(model: RemoteModel) -> str:
    """Of the dataset that a model was trained on."""
    rows = sorted(f"{image.id} {image.description}" for image in model.images or ())
    rows += sorted(f"{pair.source_id} {pair.target_id} {pair.instruction}" for pair in pairs_of(model))
    return sha256("\n".join(rows).encode("utf-8", "replace")).hexdigest()


class DeclaredPart(NamedTuple):
    """A model that compositions may name by its address."""

    address: Address
    type: str


class LayoutMaker(Struct):
    """Lays out one export. taken: keys and folders that exist, without case. places: folders and datasets among them.

    fixed: addresses that models are to get. parts: models that the manifest declares already. folders: of an earlier
    export that was broken off, by the identity of their datasets.
    """

    taken: set[str]
    places: frozenset[str] = frozenset()
    fixed: Mapping[ModelId, Address] = field(default_factory=dict)
    parts: Mapping[ModelId, DeclaredPart] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    _datasets: dict[str, ExportedDataset] = field(default_factory=dict)
    _lost: dict[str, list[NotExported]] = field(default_factory=dict)  # pictures, by dataset

    def layout(self, models: Sequence[RemoteModel]) -> ExportLayout:
        """models: the first one of a name gets the plainest key."""
        self.taken |= {address.name.casefold() for address in self.fixed.values()}
        problems = [NotExported(title_of(m), why) for m in models if (why := why_not(m)) is not None]
        kept = [model for model in models if why_not(model) is None]
        addresses = {model.id: self._address(model) for model in kept}
        declared = {m.id: DeclaredPart(addresses[m.id], m.type) for m in kept} | dict(self.parts)
        resources = [
            self._composition(model, addresses[model.id], declared) if training_type(model.type).is_composition
            else self._model(model, addresses[model.id], problems)
            for model in kept
        ]  # fmt: skip
        resources.sort(key=lambda resource: (resource.address.kind == "composition", resource.address.name))
        datasets = sorted(self._datasets.values(), key=lambda dataset: dataset.key)
        return ExportLayout(resources=tuple(resources), datasets=tuple(datasets), problems=tuple(problems))

    def _address(self, model: RemoteModel) -> Address:
        kind: Kind = "composition" if training_type(model.type).is_composition else "model"
        if model.id in self.fixed:
            return self.fixed[model.id]
        known = None if kind == "composition" else self.folders.get(identity_of(model))
        if known is not None and all(dataset.key != known for dataset in self._datasets.values()):
            self.taken.discard(known.casefold())
        return Address(kind, resource_key(model.name or "", model.id, self.taken))

    def _model(self, model: RemoteModel, address: Address, problems: list[NotExported]) -> ExportedResource:
        identity = identity_of(model)
        dataset = self._datasets.get(identity)
        if dataset is None:
            key = self.folders.get(identity) or self._folder(address)
            dataset, lost = exported_dataset(model, key, identity)
            self._datasets[identity], self._lost[identity] = dataset, lost
        lost = self._lost[identity]
        problems += [NotExported(f"{title_of(model)}: {what}", why) for what, why in lost]
        pictures = len(pairs_of(model)) or len(model.images or ())
        parameters = exported_parameters(training_type(model.type), model.parameters or {}, pictures)
        fields, notes = _labels(model, address)
        fields |= {"type": model.type, "dataset": dataset.key}
        if (epoch := exported_epoch(model)) is not None:
            fields["epoch"] = epoch
        if parameters.values:
            fields["parameters"] = parameters.values
        if parameters.left_out:
            notes.append(f"parameters left out: {', '.join(parameters.left_out)}")
        notes += _untrained(model, fields)
        if dataset.own_captions:
            notes.append(f"{dataset.own_captions} of its images have Scenario's own captions, which are not written")
        return ExportedResource(
            address=address,
            remote=model,
            dataset=identity,
            fields=fields,
            is_incomplete=bool(lost),
            notes=tuple(notes),
        )

    def _folder(self, address: Address) -> str:
        """A folder for the dataset of a model: of its own name, which nothing else has."""
        used = {dataset.key.casefold() for dataset in self._datasets.values()}
        return resource_key(address.name, "images", used | self.places)

    def _composition(
        self, model: RemoteModel, address: Address, declared: Mapping[ModelId, DeclaredPart]
    ) -> ExportedResource:
        usable = composable(model.type)
        fields, notes = _labels(model, address)
        if model.type != COMPOSITION_TYPE:
            fields["type"] = model.type
        concepts = []
        for part in model.concepts or ():
            known = declared.get(part.model_id)
            is_usable = known is not None and known.type in usable
            concept: dict[str, object] = {"modelId": part.model_id}
            if known is not None and is_usable:
                concept = {"model": _named(known.address)}
            concept["scale"] = short_number(part.scale)
            if part.epoch is not None:
                concept["epoch"] = as_written(part.epoch)
            concepts.append(concept)
        fields["concepts"] = concepts
        notes += _untrained(model, fields)
        return ExportedResource(address=address, remote=model, dataset=None, fields=fields, notes=tuple(notes))


def exported_dataset(model: RemoteModel, key: str, identity: str) -> tuple[ExportedDataset, list[NotExported]]:
    """The dataset of a model, and what of its pictures has no place in it."""
    images = {image.id: image for image in model.images or ()}
    stems = picture_stems(images.values(), pairs_of(model))
    names = {image.id: image.name or image.id for image in images.values()}
    is_pairs = bool(complete_pairs(images, pairs_of(model)))
    lost = [
        NotExported(names[asset_id], "it is in none of the edit pairs") for asset_id in images if asset_id not in stems
    ]
    whole = {(pair.source_id, pair.target_id) for pair in complete_pairs(images, pairs_of(model))}
    lost += [
        NotExported(f"the pair {pair.source_id}, {pair.target_id}", "one of its pictures is not attached")
        for pair in pairs_of(model)
        if (pair.source_id, pair.target_id) not in whole
    ]
    texts, fields, own = _instructions(model, images, stems) if is_pairs else _captions(images.values(), stems)
    dataset = ExportedDataset(
        key=key, identity=identity, is_pairs=is_pairs, stems=stems, names=names, texts=texts, fields=fields,
        own_captions=own,
    )  # fmt: skip
    return dataset, lost


_Texts = tuple[Mapping[str, str], dict[str, object], int]
"""Texts by path, fields of the dataset, and how many captions are the service's own."""


def _captions(images: Iterable[TrainingImage], stems: Mapping[AssetId, list[str]]) -> _Texts:
    texts = {stems[image.id][0]: caption for image in images if (caption := caption_of(image))}
    own = sum(map(len, stems.values())) - len(texts)
    if not texts:
        return {}, {"captions": "auto"}, own
    fields: dict[str, object] = {}
    start = shared_start(texts) if not own else SharedStart(None, "", texts)
    if start.key is not None:
        fields[start.key] = start.value
    if own:
        fields["missing"] = "auto"
    return start.texts, fields, own


def caption_of(image: TrainingImage) -> str | None:
    """The caption that a person gave an image; None for the service's own, and for blanks."""
    text = image.description
    return text if text.strip() and text != image.automatic_caption else None


def _instructions(
    model: RemoteModel, held: Mapping[AssetId, TrainingImage], stems: Mapping[AssetId, list[str]]
) -> _Texts:
    """One instruction of all pairs is a field; others are texts beside the second picture."""
    pairs = complete_pairs(held, pairs_of(model))
    instructions = {pair.instruction for pair in pairs}
    only = next(iter(instructions))
    if len(instructions) == 1 and only.strip() and "{" not in only:  # in a manifest it would be a template
        return {}, {"instruction": only}, 0
    order: dict[AssetId, int] = {}
    texts: dict[str, str] = {}
    for pair in pairs:
        afters = [stem for stem in stems[pair.target_id] if stem.startswith("after/")]
        place = order.get(pair.target_id, 0)
        order[pair.target_id] = place + 1
        if pair.instruction.strip():
            texts[afters[place]] = pair.instruction
    return texts, {}, 0


def _labels(model: RemoteModel, address: Address) -> tuple[dict[str, object], list[str]]:
    """name, description and tags as a manifest may say them, and what it may not."""
    fields: dict[str, object] = {}
    notes: list[str] = []
    name, description = model.name or "", model.short_description or ""
    if name.strip() and name != address.name and len(name) <= NAME_LENGTH:
        fields["name"] = name
    elif len(name) > NAME_LENGTH:
        notes.append(f"its name has more than {NAME_LENGTH} characters")
        fields["lifecycle"] = {"ignore_changes": ["name"]}
    if description.strip() and len(description) <= LONGEST_DESCRIPTION:
        fields["description"] = description
    elif description.strip():
        notes.append(f"its description has more than {LONGEST_DESCRIPTION} characters and is left out")
    tags = list(dict.fromkeys(tag for tag in model.tags or () if tag.strip() and len(tag) <= _LONGEST_TAG))
    if tags:
        fields["tags"] = tags
    return fields, notes


def _untrained(model: RemoteModel, fields: dict[str, object]) -> Iterable[str]:
    if model.status not in ("trained", "training", "copying"):
        fields["lifecycle"] = {**_lifecycle(fields), "train": "manual"}
        yield "it is not trained: `train: manual` keeps apply from training it unasked"


def _lifecycle(fields: Mapping[str, object]) -> Mapping[str, object]:
    held = fields.get("lifecycle")
    return held if isinstance(held, Mapping) else {}


def _held(model: RemoteModel) -> Mapping[AssetId, TrainingImage]:
    return {image.id: image for image in model.images or ()}


def _named(address: Address) -> str:
    return f"{address.name}/{address.label}" if address.label else address.name

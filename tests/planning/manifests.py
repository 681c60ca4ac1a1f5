"""Manifests and datasets as values, made by hypothesis or by hand, without files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from hypothesis import strategies as st
from msgspec.structs import replace

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Contents, Dataset, Image, Pair
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import (
    CompositionSpec,
    Concept,
    Json,
    Lifecycle,
    Manifest,
    ModelSpec,
    Moved,
    Removed,
    SampleSpec,
    SamplesSpec,
)
from scenario_apply.model.address import Address
from scenario_apply.model.secret import Secret

HERE = Location(file="scenario.yaml", line=1, column=1)
SECRET = "hunter2-hunter2"


def model(name: str, dataset: str = "set", *, label: str = "", type: str = "flux.1-lora", **more: object) -> ModelSpec:
    """A model; more: fields of ModelSpec."""
    values: dict[str, object] = {"name": name, "parameters": {"nbEpochs": 10}} | more
    return ModelSpec(address=Address("model", name, label), type=type, dataset=dataset, place=HERE, **values)  # type: ignore[arg-type]  # fields by name


def composition(name: str, concepts: Sequence[Concept], **more: object) -> CompositionSpec:
    """A composition; more: fields of CompositionSpec."""
    return CompositionSpec(
        address=Address("composition", name),
        type="flux.1-composition",
        concepts=tuple(concepts),
        place=HERE,
        **({"name": name} | more),  # type: ignore[arg-type]  # fields by name
    )


def part(name: str, scale: float = 0.5) -> Concept:
    return Concept(model=Address("model", name), scale=scale, place=HERE)


def picture(path: str, bytes_: str, caption: str | None = None, size: int = 1000) -> Image:
    """An image whose digest is that of a word."""
    return Image(
        path=path,
        file=f"pictures/{path}",
        sha256=sha256(bytes_.encode()).hexdigest(),
        size_bytes=size,
        mime="image/png",
        width=1024,
        height=1024,
        caption=caption,
    )


def dataset(name: str, images: Sequence[Image], pairs: Sequence[Pair] = ()) -> Dataset:
    contents = Contents(images=tuple(images), pairs=tuple(pairs))
    return Dataset(
        name=name,
        digest=digest_of(contents),
        source_digest=digest_of(contents, as_files=True),
        altered=sum(bool(image.recipe) for image in contents.images),
        image_count=len(images),
        pair_count=len(pairs),
        problems=(),
        load=lambda: contents,
    )


def manifest(
    *specs: ModelSpec | CompositionSpec, moved: Sequence[Moved] = (), removed: Sequence[Removed] = ()
) -> Manifest:
    """A manifest of these resources."""
    return Manifest(
        path="scenario.yaml",
        root="/nowhere",
        name="scenario",
        is_folder=False,
        digest="sha256:0",
        files=("scenario.yaml",),
        models={spec.address: spec for spec in specs if isinstance(spec, ModelSpec)},
        compositions={spec.address: spec for spec in specs if isinstance(spec, CompositionSpec)},
        moved=tuple(moved),
        removed=tuple(removed),
    )


# -- hypothesis

_WORDS = ["ash", "birch", "cedar", "elm", "fir", "hazel", "lime", "maple", "oak", "pine", "rowan", "yew"]
_LARGE = "yew"
_SET_NAMES = ["left", "right"]
_MODELS = [("kael", ""), ("props", ""), ("lr", "slow"), ("lr", "fast"), ("old", "")]


@st.composite
def images(draw: st.DrawFn) -> list[Image]:
    """1 to 12 pictures; the same bytes may come twice, under other names and captions."""
    words = draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=12))
    captions = draw(st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=len(words), max_size=len(words)))
    return [
        picture(f"{number:02}.png", word, caption, 5_000_000 if word == _LARGE else 1000)
        for number, (word, caption) in enumerate(zip(words, captions, strict=True), start=1)
    ]


@st.composite
def datasets(draw: st.DrawFn) -> dict[str, Dataset]:
    return {name: dataset(name, draw(images())) for name in _SET_NAMES}


_IGNORABLE = ["name", "tags", "captions", "parameters", "parameters.nbEpochs", "images", "dataset", "type", "concepts"]


@st.composite
def lifecycles(draw: st.DrawFn) -> Lifecycle:
    return Lifecycle(
        on_change=draw(st.sampled_from([None, None, "replace", "retrain", "keep"])),
        keep_versions=draw(st.sampled_from([1, 1, 0, 2])),
        train=draw(st.sampled_from(["auto", "auto", "auto", "manual"])),
        prevent_destroy=draw(st.sampled_from([None, None, False, True])),
        ignore_changes=tuple(draw(st.lists(st.sampled_from(_IGNORABLE), max_size=1))),
    )


@st.composite
def models(draw: st.DrawFn, name: str, label: str) -> ModelSpec:
    parameters: dict[str, Json | Secret] = {"nbEpochs": draw(st.sampled_from([10, 12]))}
    if draw(st.booleans()):
        parameters["learningRate"] = draw(st.sampled_from([1e-4, 2.0, 0.5]))
    if draw(st.integers(0, 3)) == 0:
        parameters["wandbKey"] = Secret(SECRET)
    type_name = draw(st.sampled_from(["flux.1-lora", "flux.1-lora", "flux.1-lora", "sd-xl-lora"]))
    prompts = draw(st.sampled_from([(), ("rain",), ("rain", "night")])) if type_name == "flux.1-lora" else ()
    return model(
        name,
        draw(st.sampled_from(_SET_NAMES)),
        label=label,
        type=type_name,
        samples=SamplesSpec(samples=tuple(SampleSpec(name=one, prompt=one, seed=1, place=HERE) for one in prompts)),
        parameters=parameters,
        description=draw(st.sampled_from([None, None, "described"])),
        tags=tuple(draw(st.lists(st.sampled_from(["x", "y"]), unique=True, max_size=2))),
        lifecycle=draw(lifecycles()),
        enabled=draw(st.sampled_from([True, True, True, True, False])),
    )


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Up to five models, matrix children among them, and two compositions of them."""
    specs: list[ModelSpec | CompositionSpec] = []
    for name, label in _MODELS:
        if draw(st.sampled_from([True, True, False])):
            specs.append(draw(models(name, label)))
    usable = [spec for spec in specs if spec.type == "flux.1-lora"]
    for name in ("ink", "wash"):
        parts = draw(st.lists(st.sampled_from(usable), max_size=2, unique_by=lambda s: s.address)) if usable else []
        concepts = [Concept(model=spec.address, scale=draw(st.sampled_from([0.5, 0.8])), place=HERE) for spec in parts]
        if draw(st.booleans()):
            concepts.append(Concept(model_id="model_elsewhere", scale=0.3, place=HERE))
        if concepts:
            specs.append(composition(name, concepts, lifecycle=draw(lifecycles())))
    return manifest(*specs)


def shuffled(made: Manifest, draw: st.DataObject) -> Manifest:
    """The same, declared in another order: as from files of other names."""
    models = draw.draw(st.permutations(list(made.models)))
    compositions = draw.draw(st.permutations(list(made.compositions)))
    return replace(
        made,
        models={address: made.models[address] for address in models},
        compositions={address: made.compositions[address] for address in compositions},
    )


def renamed(sets: Mapping[str, Dataset], draw: st.DataObject) -> dict[str, Dataset]:
    """The same pictures under each other's names."""
    other = {}
    for name, found in sets.items():
        mixed = draw.draw(st.permutations(found.contents.images))
        paths = [image.path for image in found.contents.images]
        other[name] = dataset(name, [replace(i, path=p, file=f"p/{p}") for i, p in zip(mixed, paths, strict=True)])
    return other

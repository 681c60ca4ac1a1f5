"""Which alterations apply to pictures of which only the Git LFS pointer is on this machine. Pure.

Only the picture itself shows whether it has to be turned, for example. A pointer has the digest of its file, and where
that file was sent with the same options, its record has the recipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from scenario_apply.dataset.digest import digest_of
from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.model.picture_options import UNKNOWN_RECIPE
from scenario_apply.model.steps import PlannedStep, UploadImage
from scenario_apply.state.state import State, Version


def with_recorded_recipes(datasets: Mapping[str, Dataset], state: State) -> Mapping[str, Dataset]:
    """The datasets with the recipes that the state records. Those of other pointers stay unknown: they are uploads."""
    if not any(dataset.unknown for dataset in datasets.values()):
        return datasets
    return {name: _resolved(dataset, state) if dataset.unknown else dataset for name, dataset in datasets.items()}


def _resolved(dataset: Dataset, state: State) -> Dataset:
    recipes = _recorded(state, dataset.options.text)
    images = tuple(
        replace(image, recipe=recipes[image.sha256])
        if image.recipe == UNKNOWN_RECIPE and image.sha256 in recipes
        else image
        for image in dataset.contents.images
    )
    return _with_images(dataset, images)


def _with_images(dataset: Dataset, images: tuple[Image, ...]) -> Dataset:
    contents = replace(dataset.contents, images=images)
    return replace(
        dataset,
        digest=digest_of(contents),
        load=lambda: contents,
        altered=sum(image.recipe not in ("", UNKNOWN_RECIPE) for image in images),
        unknown=sum(image.recipe == UNKNOWN_RECIPE for image in images),
    )


def with_known_recipes(state: State, datasets: Mapping[str, Dataset]) -> State:
    """The state with the recipes of pictures that were pointers when their model was imported, and are here now."""
    unknown = {
        address: record
        for address, record in state.records.items()
        if any(image.recipe == UNKNOWN_RECIPE for version in record.versions() for image in version.images)
    }
    if not unknown:
        return state
    known = {
        (dataset.options.text, image.sha256): image.recipe
        for dataset in datasets.values()
        for image in dataset.contents.images
        if image.recipe != UNKNOWN_RECIPE
    }

    def resolved(version: Version) -> Version:
        images = (
            replace(image, recipe=known.get((version.picture_options, image.source), UNKNOWN_RECIPE))
            if image.recipe == UNKNOWN_RECIPE
            else image
            for image in version.images
        )
        return replace(version, images=tuple(images))

    records = {
        address: replace(
            record,
            current=resolved(record.current),
            pending=None if record.pending is None else resolved(record.pending),
            previous=tuple(map(resolved, record.previous)),
        )
        for address, record in unknown.items()
    }
    return replace(state, records={**state.records, **records})


def _recorded(state: State, options: str) -> dict[str, str]:
    """Digest of the file -> recipe, of every image that was sent with those options."""
    found: dict[str, str] = {}
    for record in state.records.values():
        for version in record.versions():
            if version.picture_options == options:
                for image in version.images:
                    if image.recipe == UNKNOWN_RECIPE:
                        continue
                    # a release that altered nothing recorded no recipe: one of this release says more
                    found[image.source] = image.recipe or found.get(image.source, "")
    return found


def as_planned(datasets: Mapping[str, Dataset], saved: Iterable[PlannedStep]) -> Mapping[str, Dataset]:
    """The datasets as the saved plan knew them: with pointers where it had pointers, which may have been pulled since.

    For comparing a plan of them with the saved one. The very same value when that plan had all its pictures.
    """
    pictures = [planned.step.picture for planned in saved if isinstance(planned.step, UploadImage)]
    unknown = {picture.sha256: picture.mime for picture in pictures if picture.recipe == UNKNOWN_RECIPE}
    if not unknown:
        return datasets
    return {name: _with_pointers(dataset, unknown) for name, dataset in datasets.items()}


def _with_pointers(dataset: Dataset, unknown: Mapping[str, str]) -> Dataset:
    """unknown: SHA-256 of the file -> MIME type as the plan gives it, by its name."""
    images = (
        replace(image, recipe=UNKNOWN_RECIPE, mime=unknown[image.sha256], most_bytes=0)
        if image.sha256 in unknown
        else image
        for image in dataset.contents.images
    )
    return _with_images(dataset, tuple(images))

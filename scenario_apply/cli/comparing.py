"""What comparisons are made of: the state, the samples that the manifest declares, and hashes of its pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from scenario_apply.dataset.types import Dataset
from scenario_apply.model.address import Address
from scenario_apply.planning.best_versions import declared_bests
from scenario_apply.review.comparison_view import SampleSources
from scenario_apply.review.drawing_weights import Weights

if TYPE_CHECKING:
    from scenario_apply.manifest.spec import Manifest, SamplesSpec
    from scenario_apply.state.state import State

_HASH_DIGITS = 32  # of a picture; those of its mirror image follow


def sources_of(state: State, manifest: Manifest | None, datasets: Iterable[Dataset]) -> SampleSources:
    """datasets: those whose pictures are compared with samples, as far as they were decoded before."""
    images = (image for dataset in datasets for image in dataset.contents.images)
    hashes = {image.sha256: image.hashes[:_HASH_DIGITS] for image in images if image.hashes}
    declared: dict[Address, list[tuple[str, str, int]]] = {}
    for address, samples in ({} if manifest is None else _declared(manifest)).items():
        declared[address] = [(one.name, one.prompt, one.seed) for one in samples.samples]
    best = {} if manifest is None else declared_bests(manifest)
    return SampleSources(state=state, hashes=hashes, declared=declared, best=best)


def _declared(manifest: Manifest) -> Mapping[Address, SamplesSpec]:
    models = {address: spec.samples for address, spec in manifest.models.items()}
    return models | {address: spec.samples for address, spec in manifest.compositions.items()}


def title_of_weights(chosen: Iterable[Weights]) -> str:
    """'model.kael', or 'model.kael and model.props', or how many there are."""
    names = [*dict.fromkeys(str(one.address) for one in chosen)]
    if len(names) <= 2:
        return " and ".join(names)
    families = {name.partition("/")[0] for name in names}
    return f"{families.pop()}/*" if len(families) == 1 else f"{len(names)} resources"

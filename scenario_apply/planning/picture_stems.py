"""Which file each training image of a model is kept in: by its name on the service, made safe and unique. Pure.

An export writes these files, and an `import:` block finds its images by them where their names say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenario_apply.model.local_names import file_stem, unique_stems
from scenario_apply.model.remote import AssetId, RemoteModel, RemotePair, TrainingImage
from scenario_apply.model.training_types import training_type


def pairs_of(model: RemoteModel) -> tuple[RemotePair, ...]:
    """The edit pairs that a model is trained on; none for a type of single images."""
    return (model.pairs or ()) if training_type(model.type).dataset == "pairs" else ()


def picture_stems(images: Iterable[TrainingImage], pairs: Iterable[RemotePair] = ()) -> Mapping[AssetId, list[str]]:
    """Paths within the dataset, without endings. A picture of several pairs has one for each of them.

    pairs: each is before/STEM and after/STEM, named after its second picture; pictures of no pair have none.
    """
    held = {image.id: image for image in images}
    found: dict[AssetId, list[str]] = {}
    complete = complete_pairs(held, pairs)
    if complete:
        targets = [held[pair.target_id] for pair in complete]
        for pair, stem in zip(complete, _stems(targets), strict=True):
            found.setdefault(pair.source_id, []).append(f"before/{stem}")
            found.setdefault(pair.target_id, []).append(f"after/{stem}")
        return found
    ordered = sorted(held.values(), key=lambda image: image.id)  # not in the order of an answer
    return {image.id: [stem] for image, stem in zip(ordered, _stems(ordered), strict=True)}


def complete_pairs(held: Mapping[AssetId, object], pairs: Iterable[RemotePair]) -> list[RemotePair]:
    """Those of which both pictures are attached, each once, in an order that no answer changes."""
    both = {(p.source_id, p.target_id): p for p in pairs if p.source_id in held and p.target_id in held}
    return [both[ids] for ids in sorted(both)]


def _stems(images: Iterable[TrainingImage]) -> list[str]:
    return unique_stems(file_stem(image.name, image.id) for image in images)

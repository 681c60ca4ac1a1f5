"""What should exist: manifest and scanned datasets, references resolved, as a graph of resources."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from scenario_apply.dataset.types import Contents, Dataset
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CompositionSpec, Import, Manifest, ModelSpec, Moved, Removed
from scenario_apply.model.address import Address
from scenario_apply.planning.attributes import Spec


class Desired(Struct, frozen=True, kw_only=True):
    """Every declared model and composition. needs: address -> addresses that must be trained first."""

    specs: Mapping[Address, Spec]
    datasets: Mapping[str, Dataset]
    needs: Mapping[Address, tuple[Address, ...]]
    moved: tuple[Moved, ...] = ()
    imports: tuple[Import, ...] = ()
    removed: tuple[Removed, ...] = ()
    consumers: Mapping[Address, tuple[Address, ...]] = field(default_factory=dict)

    def dataset_of(self, spec: Spec) -> Dataset | None:
        """The scanned dataset of a model; None for a composition."""
        return self.datasets[spec.dataset] if isinstance(spec, ModelSpec) else None

    def contents_of(self, spec: Spec) -> Contents:
        """Images and pairs of a model; empty for a composition."""
        dataset = self.dataset_of(spec)
        return dataset.contents if dataset is not None else Contents(images=())


def desire(manifest: Manifest, datasets: Mapping[str, Dataset]) -> Desired:
    """The desired graph of a manifest whose datasets were scanned."""
    specs: dict[Address, Spec] = {**manifest.models, **manifest.compositions}
    needs = {
        address: tuple(dict.fromkeys(c.model for c in spec.concepts if c.model is not None))
        if isinstance(spec, CompositionSpec)
        else ()
        for address, spec in specs.items()
    }
    consumers: dict[Address, list[Address]] = {}
    for address, first in needs.items():
        for need in first:
            consumers.setdefault(need, []).append(address)
    return Desired(
        specs=specs,
        datasets=datasets,
        needs=needs,
        moved=manifest.moved,
        imports=manifest.imports,
        removed=manifest.removed,
        consumers={address: tuple(others) for address, others in consumers.items()},
    )


def problems_of_models(manifest: Manifest, datasets: Mapping[str, Dataset]) -> Mapping[Address, tuple[Diagnostic, ...]]:
    """The lint findings of each model's dataset."""
    known = {name: dataset.problems for name, dataset in datasets.items()}
    return {address: known[model.dataset] for address, model in manifest.models.items() if model.dataset in known}

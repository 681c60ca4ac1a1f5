"""Datasets as command lines name them: one of them, or all."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from scenario_apply.errors import UsageError

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.model.address import Address


def one_or_all(parser: argparse.ArgumentParser) -> None:
    """DATASET or --all. Comes before MANIFEST."""
    parser.add_argument("name", nargs="?", metavar="DATASET", help="the dataset's key; not with --all")
    parser.add_argument("--all", action="store_true", help="every dataset of the manifest")


def with_manifest_of_all(call: Invocation) -> Invocation:
    """With --all, the only word is MANIFEST. Raises UsageError for neither a dataset nor --all, and for both."""
    name, manifest = call.arguments.name, call.arguments.manifest
    if not call.arguments.all:
        if name is None:
            raise UsageError("missing: DATASET", hint="name a dataset of the manifest, or use --all")
        return call
    if manifest is not None:
        raise UsageError(f"unexpected argument {manifest!r}", hint="--all takes no DATASET")
    return dataclasses.replace(call, settings=dataclasses.replace(call.settings, manifest=name))


def asked_datasets(call: Invocation, manifest: Manifest) -> list[str]:
    """The keys of the datasets that were asked for. Raises UsageError for one that is not declared."""
    return [*manifest.datasets] if call.arguments.all else [dataset_key(manifest, call.arguments.name)]


def dataset_key(manifest: Manifest, written: str) -> str:
    """The key that was written, with or without `dataset.` before it. Raises UsageError."""
    from scenario_apply.model.did_you_mean import did_you_mean, listed

    name = written.removeprefix("dataset.")
    if name in manifest.datasets:
        return name
    known = list(manifest.datasets)
    raise UsageError(
        f"{manifest.path} has no dataset {name!r}",
        hint=did_you_mean(name, known) or (f"there are {listed(known)}" if known else "it declares none"),
    )


def models_of(manifest: Manifest, dataset: str) -> list[Address]:
    """The models that are trained on a dataset."""
    return [address for address, model in manifest.models.items() if model.dataset == dataset]

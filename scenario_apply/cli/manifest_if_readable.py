"""Where a state is, and its manifest if that can be read: for commands that show what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.wiring import open_manifest, place_of, place_of_manifest, state_alone
from scenario_apply.errors import ManifestError
from scenario_apply.planning.best_versions import declared_bests

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings
    from scenario_apply.cli.state_location import StateLocation
    from scenario_apply.manifest.spec import BestVersion, Manifest
    from scenario_apply.model.address import Address


def bests_if_readable(settings: Settings) -> Mapping[Address, BestVersion]:
    """What the manifest says is best; nothing where a state alone is shown, or the manifest cannot be read."""
    if settings.state is not None and settings.manifest is None:
        return {}
    try:
        return declared_bests(open_manifest(settings))
    except ManifestError:
        return {}


def place_and_manifest(settings: Settings, tell: Callable[[str], None]) -> tuple[StateLocation, Manifest | None]:
    """Where the state is; and the manifest, unless --state is given and it cannot be read. tell: for a sentence."""
    if settings.state is not None and settings.manifest is None:
        return place_of(settings), None  # the manifest in this folder may belong to another state
    try:
        manifest = open_manifest(settings)
    except ManifestError as error:
        if settings.state is None:
            raise state_alone(error) from error
        tell(f"the manifest cannot be read ({error}); only recorded resources are listed")
        return place_of(replace(settings, manifest=None)), None
    return place_of_manifest(manifest, settings), manifest

"""What plan, apply and destroy share: the checked manifest and datasets, and the options of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.cli.address_arguments import address_of, adoption
from scenario_apply.cli.state_location import StateLocation
from scenario_apply.cli.wiring import (
    all_problems,
    open_datasets,
    open_manifest,
    place_of_manifest,
    refuse_errors,
)
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.lint_rules import REFUSED_CODES
from scenario_apply.planning.model_rules import with_step_counts

if TYPE_CHECKING:
    from scenario_apply.apply.prepare import PlanOptions
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan


class PlanRequest(Struct, frozen=True, kw_only=True):
    """A manifest without errors, its datasets, and where its state is."""

    manifest: Manifest
    datasets: Mapping[str, Dataset]
    place: StateLocation


def read_request(
    settings: Settings, *, check: bool = True, depth: Depth = Depth.FEW_PIXELS, state: str | None = None
) -> PlanRequest:
    """Raises ManifestError with every problem of manifest and datasets, before any request is sent.

    check False: errors of datasets are left to the caller. depth: whether pixels are decoded, so that whatever an
    upload would refuse is found here. state: a URL in place of the manifest's own `state:`, trusted as that is.
    """
    manifest = open_manifest(settings)
    manifest = manifest if state is None else with_fields(manifest, state=state, state_place=None)
    datasets = open_datasets(manifest, settings, depth=depth)
    manifest = with_step_counts(manifest, datasets)
    if check:
        refuse_errors(all_problems(manifest, datasets), strict=settings.strict)
    place = place_of_manifest(manifest, settings, endpoint=settings.endpoint)
    refuse_errors(place.notes, strict=settings.strict)
    manifest = with_fields(manifest, problems=(*manifest.problems, *place.notes))  # shown with the plan
    return PlanRequest(manifest=manifest, datasets=datasets, place=place)


def refuse_barred(request: PlanRequest) -> None:
    """Raises ManifestError for files that must not be read: a saved plan made of them would seem to have lost them."""
    found = [p for p in all_problems(request.manifest, request.datasets) if p.code in REFUSED_CODES]
    if found:
        raise ManifestError(found[0].message, problems=found)


def plan_options(call: Invocation, *, destroy: bool = False) -> PlanOptions:
    """The options of a plan from the command line. A destroy allows its own deletes."""
    from scenario_apply.apply.prepare import PlanOptions

    asked = vars(call.arguments)
    settings = call.settings
    return PlanOptions(
        refresh=not asked.get("no_refresh"),
        refresh_only=bool(asked.get("refresh_only")),
        destroy=destroy or bool(asked.get("destroy")),
        replace=tuple(address_of(text) for text in asked.get("replace") or ()),
        train=tuple(address_of(text) for text in asked.get("train") or ()),
        select=tuple(asked.get("select") or ()),
        exclude=tuple(asked.get("exclude") or ()),
        allow_destroy=destroy or bool(asked.get("destroy") or asked.get("allow_destroy")),
        limits=settings.limits,
        variables=settings.variables,
        var_files=settings.var_files,
        poll_interval_s=asked.get("poll_interval"),
        draw=None if asked.get("draw") is None else tuple(address_of(text) for text in asked["draw"]),
        draw_version=asked.get("draw_version"),
        adopt=dict(adoption(text) for text in asked.get("adopt") or ()),
    )


def options_of_saved(call: Invocation, saved: Plan, settings: Settings) -> PlanOptions:
    """What a saved plan was made with, for planning it again. Limits are those of this command line.

    settings: with the plan's manifest and variables.
    """
    flags = saved.source.flags
    return replace(
        plan_options(call),
        destroy=flags.destroy,
        replace=flags.replace,
        train=flags.train,
        select=flags.select,
        exclude=flags.exclude,
        allow_destroy=flags.deletes,
        variables=settings.variables,
        var_files=settings.var_files,
    )

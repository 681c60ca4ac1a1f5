"""Looks for the assets that a plan would use again, 200 in a bulk read: they may be gone, or have other captions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from scenario_apply.errors import Diagnostic, NotFound, Refused
from scenario_apply.model.address import Address
from scenario_apply.model.limits import ASSETS_PER_BULK_READ
from scenario_apply.model.picture_options import content_id
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import AssetId, RemoteAsset
from scenario_apply.model.steps import PlannedStep, UploadImage
from scenario_apply.planning.as_sent import changed_captions
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.image_placement import reused_assets
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.owed_samples import NO_SAMPLES, SampleWork
from scenario_apply.planning.sample_steps import reference_assets
from scenario_apply.state.state import State

FILES_NAMED = 5


def with_reused_assets(
    api: ScenarioApi,
    decisions: Mapping[Address, Decision],
    state: State,
    observed: Observed,
    samples: Mapping[Address, SampleWork] = NO_SAMPLES.works,
) -> Observed:
    """The refresh with the assets that are gone, and with the captions that others have got on the service since.

    Another asset of the same picture is looked for in their place. What the refresh shows on a model is known already.
    """
    shown = {image.id for remote in observed.models.values() for image in remote.images or ()}

    def reused() -> Iterable[AssetId]:
        of_samples = [i for i in reference_assets(samples, decisions.values(), state, observed) if i not in shown]
        return dict.fromkeys((*reused_assets(decisions, state, observed), *of_samples))

    while unread := [i for i in reused() if i not in observed.read_assets]:
        found = existing(api, unread)
        hidden = [asset for asset_id, asset in found.items() if asset_id not in shown]
        observed = replace(
            observed,
            read_assets=observed.read_assets | frozenset(unread),
            gone_assets=observed.gone_assets | frozenset(i for i in unread if i not in found),
            other_captions={**observed.other_captions, **changed_captions(hidden, state.assets())},
        )
    return observed


def uploaded_again(steps: Iterable[PlannedStep], state: State, observed: Observed) -> tuple[Diagnostic, ...]:
    """A note on the images of the plan that were uploaded before, and that the service holds no more."""
    known = state.assets()
    lost = {known[asset_id].content for asset_id in observed.gone_assets if asset_id in known}
    if not lost:
        return ()
    uploads = [planned.step for planned in steps if isinstance(planned.step, UploadImage)]
    files = list(
        dict.fromkeys(s.picture.file for s in uploads if content_id(s.picture.sha256, s.picture.recipe) in lost)
    )
    if not files:
        return ()
    named = ", ".join(files[:FILES_NAMED]) + (f" and {len(files) - FILES_NAMED} more" if files[FILES_NAMED:] else "")
    what, verb = ("1 image", "is") if len(files) == 1 else (f"{len(files):,} images", "are")
    text = f"{what} that an earlier run uploaded {verb} gone from Scenario, and {verb} uploaded again: {named}"
    return (Diagnostic(code="asset-gone", message=text, severity="warning"),)


def existing(api: ScenarioApi, asset_ids: Sequence[AssetId]) -> dict[AssetId, RemoteAsset]:
    """Those that exist, and are of this project. asset_ids: each once.

    One that a bulk read leaves out is read by itself: an asset of a moment ago may be shown late, and would be uploaded
    twice.
    """
    found: dict[AssetId, RemoteAsset] = {}
    for start in range(0, len(asset_ids), ASSETS_PER_BULK_READ):
        try:
            found.update(api.get_assets(asset_ids[start : start + ASSETS_PER_BULK_READ]))
        except Refused as refused:
            if refused.status not in (400, 404):  # refused whole, perhaps for one of them
                raise
    for asset_id in asset_ids:
        if asset_id in found:
            continue
        try:
            found[asset_id] = api.get_asset(asset_id)
        except Refused as refused:
            if not isinstance(refused, NotFound) and refused.status != 403:
                raise
    return found

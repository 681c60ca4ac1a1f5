"""What a run works with: service, state and clock. Built in one place and passed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.ports import Clock, PictureApi, RequestCounter, ScenarioApi
from scenario_apply.model.remote import AssetId
from scenario_apply.state.state import DrawnPicture
from scenario_apply.state.stores.base_notes import BaseNotes
from scenario_apply.state.stores.state_store import StateStore

Thumbnails = Callable[[Sequence[AssetId]], Mapping[AssetId, DrawnPicture]]
"""Small copies of drawn pictures, beside the state. One that cannot be had is left out."""


class Environment(Struct, frozen=True, kw_only=True):
    """api None: offline. rate_limit: requests a minute, 0 for no limit. counter None: requests are not counted.

    pictures: of the same service; None offline. base_notes: of base models, beside the manifest. thumbnails: makes
    small copies of drawn samples beside the state; None: none are made. state_url: of a state in a store,
    as it is shown.
    """

    api: ScenarioApi | None
    store: StateStore
    clock: Clock
    endpoint: str
    project: str | None
    tool_version: str
    rate_limit: int = REQUESTS_PER_MINUTE
    counter: RequestCounter | None = None
    pictures: PictureApi | None = None
    thumbnails: Thumbnails | None = None
    base_notes: BaseNotes | None = None
    state_url: str | None = None

"""Small copies of drawn samples, beside a manifest. What makes them is imported once there is one to make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.model.remote import AssetId

if TYPE_CHECKING:
    from scenario_apply.apply.drawn_pictures import SampleLooker
    from scenario_apply.model.ports import PictureApi
    from scenario_apply.model.remote_urls import RemoteAccess
    from scenario_apply.state.state import DrawnPicture


class LazyLooker(NamedTuple):
    """root: the folder .scenario/ is in. check: raises Interrupted when the run is to end."""

    root: str
    pictures: PictureApi
    access: RemoteAccess
    check: Callable[[], None]

    def open(self) -> SampleLooker:
        from scenario_apply.apply.drawn_pictures import SampleLooker
        from scenario_apply.apply.signed_pictures import SignedSource
        from scenario_apply.state.stores.sample_store import SampleStore

        return SampleLooker(SignedSource(self.pictures, self.access, self.check), SampleStore(self.root))

    def look(self, assets: Sequence[AssetId]) -> Mapping[AssetId, DrawnPicture]:
        """As SampleLooker does."""
        return self.open()(assets)

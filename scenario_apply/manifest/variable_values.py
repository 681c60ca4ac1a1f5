"""The values of a manifest's variables, and which of them are secret."""

from __future__ import annotations

from typing import cast

from msgspec import Struct, field

from scenario_apply.manifest.fields import plain
from scenario_apply.manifest.positions import Node
from scenario_apply.manifest.spec import Json
from scenario_apply.model.secret import MASK


class Variables(Struct):
    """Values by name; secret: the names whose values must never be shown."""

    values: dict[str, Node] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)

    def plain(self) -> dict[str, Json]:
        """As plain values, secrets masked."""
        return {k: MASK if k in self.secret else cast(Json, plain(v)) for k, v in self.values.items()}

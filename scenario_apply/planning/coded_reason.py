"""What all reasons have: a stable code, which JSON tells them apart by."""

from __future__ import annotations

from msgspec import Struct


class Coded(Struct, frozen=True, tag_field="code"):
    """What all reasons have."""

    @property
    def code(self) -> str:
        return str(self.__struct_config__.tag)

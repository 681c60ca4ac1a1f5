"""A resource's name for life: model.knight, model.knight-lr/fast. Parse, print, sort."""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Literal, NoReturn, cast

Kind = Literal["model", "composition", "dataset"]
KINDS: tuple[Kind, ...] = ("model", "composition", "dataset")

NAME_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
"""What a key of models, compositions or datasets may look like."""

_LABEL = r"[A-Za-z0-9_.+-]+(?:,[A-Za-z0-9_.+-]+)*"
ADDRESS_PATTERN = rf"({'|'.join(KINDS)})\.({NAME_PATTERN})(?:/({_LABEL}))?"
_ADDRESS = re.compile(ADDRESS_PATTERN)


@total_ordering
class Address:
    """kind, name and, for a matrix child, its label; ordered by kind, name, label. Frozen.

    A plain class on purpose: msgspec reads and writes dataclasses as objects, and an address is a text in JSON.
    """

    __slots__ = ("_key", "kind", "label", "name")
    __match_args__ = ("kind", "name", "label")

    kind: Kind
    name: str
    label: str
    _key: tuple[str, str, str]

    def __init__(self, kind: Kind, name: str, label: str = "") -> None:
        for field, value in (("kind", kind), ("name", name), ("label", label), ("_key", (kind, name, label))):
            object.__setattr__(self, field, value)

    def __setattr__(self, field: str, value: object) -> NoReturn:
        raise AttributeError(f"an address is frozen: {field} cannot be set")

    def __reduce__(self) -> tuple[type[Address], tuple[str, str, str]]:
        return Address, self._key

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Address) else NotImplemented

    def __lt__(self, other: Address) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Address({self.kind!r}, {self.name!r}, {self.label!r})"

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}/{self.label}" if self.label else f"{self.kind}.{self.name}"

    @property
    def env_name(self) -> str:
        """MODEL_KAEL: the address as the name of an environment variable."""
        return re.sub(r"[^A-Z0-9]+", "_", str(self).upper())


def parse_address(text: str) -> Address:
    """The address that text names. Raises ValueError, with a sentence for the user, when it names none."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no address; one looks like model.kael, model.kael-lr/fast or composition.winter")
    kind, name, label = match.groups()
    return Address(cast(Kind, kind), name, label or "")

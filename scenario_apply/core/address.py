"""A resource's name for life: model.knight, model.knight-lr/fast. Parse, print, sort."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

Kind = Literal["model", "composition", "dataset"]
KINDS: tuple[Kind, ...] = ("model", "composition", "dataset")

NAME_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
"""What a key of models, compositions or datasets may look like."""

_LABEL = r"[A-Za-z0-9_.+-]+(?:,[A-Za-z0-9_.+-]+)*"
ADDRESS_PATTERN = rf"({'|'.join(KINDS)})\.({NAME_PATTERN})(?:/({_LABEL}))?"
_ADDRESS = re.compile(ADDRESS_PATTERN)


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """kind, name and, for a matrix child, its label; ordered by kind, name, label."""

    kind: Kind
    name: str
    label: str = ""

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

"""A text that must be sent and never shown or stored: a Weights & Biases key.

Secret is a str, so it goes to the service as it is. print, repr, f-strings and format give `(secret)`. JSON and YAML
encoders write the real text, so whoever stores or shows a value that may hold one passes it through without_secrets.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenario_apply.core.manifest.spec import Json

MASK = "(secret)"


class Secret(str):
    """A str that does not show itself. reveal() gives a plain str of the text, digest what may be stored."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def reveal(self) -> str:
        return "".join(self)

    @property
    def digest(self) -> str:
        """sha256:<hex> of the text: tells whether it changed, not what it is."""
        return f"sha256:{sha256(self.reveal().encode()).hexdigest()}"


def without_secrets(value: Json) -> Json:
    """The value with every Secret in it replaced by its digest: for states, plans, fingerprints and screens."""
    if isinstance(value, Secret):
        return f"(secret {value.digest})"
    if isinstance(value, dict):
        return {key: without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value

"""A text that must be sent and never shown or stored: a Weights & Biases key.

Secret is no str: what writes text, JSON or YAML either gets `(secret)` or fails with a TypeError. Only the code that
builds the body of a request calls reveal().
"""

from __future__ import annotations

from typing import NoReturn

MASK = "(secret)"
"""What stands for a secret on a screen, in a plan, in a state and in a journal."""


class Secret:
    """A text that does not show itself. Two of them are equal when their texts are; no str is equal to one."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, to be sent."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def without_secrets(value: object) -> object:
    """The value with MASK in place of every Secret in it, and plain dicts and lists around them."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, dict):
        return {key: without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value

"""Ids of things: a prefix and 22 random characters. Opaque: nothing may be read from them."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_id(prefix: str) -> str:
    """`model_` and the like, followed by 22 characters with 130 random bits."""
    number = secrets.randbits(130)
    letters = []
    for _ in range(22):
        number, digit = divmod(number, 62)
        letters.append(_ALPHABET[digit])
    return prefix + "".join(letters)

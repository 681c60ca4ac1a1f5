"""Reads the JSON of an answer, also where a text in it is damaged: one model's name must not hide a whole project.

The fast reader refuses half a surrogate pair, NaN and bytes that are no UTF-8. Such an answer is read again by the
standard library, with a replacement character for what is no text and null for what is no number. What is cut off or no
JSON at all stays refused.
"""

from __future__ import annotations

import json
import math

from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit

_BYTE_ORDER_MARK = "\ufeff"


def utf8_of(content: bytes) -> bytes:
    """The text of an answer in UTF-8 without a byte order mark, from UTF-8, UTF-16 or UTF-32."""
    encoding = json.detect_encoding(content[:4])
    if encoding == "utf-8":
        return content
    return content.decode(encoding, "replace").removeprefix(_BYTE_ORDER_MARK).encode()


def read_json(content: bytes) -> object:
    """The value of a JSON text in UTF-8. Raises Misfit when it holds none."""
    try:
        return codec.parsed(content)
    except Misfit as refused:
        try:
            return _replaced(_read_again(content))
        except (ValueError, RecursionError):
            raise refused from None


def _read_again(content: bytes) -> object:
    value: object = json.loads(
        content.decode("utf-8", "replace"), strict=False, parse_float=_finite, parse_constant=lambda _: None
    )
    return value


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _replaced(value: object) -> object:
    """The value with a replacement character for each half of a surrogate pair."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_replaced(item) for item in value]
    if isinstance(value, dict):
        return {_replaced(key): _replaced(item) for key, item in value.items()}
    return value

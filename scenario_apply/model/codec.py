"""Converts between JSON and typed values with msgspec, including addresses and secrets.

All files and responses are decoded here. A value of the wrong type raises Misfit, which names the path, the expected
and the actual value. Values are never coerced.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, TypeVar, overload

import msgspec

from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.ids import ID_IN_WORDS, ID_OR_EMPTY_PATTERN, ID_PATTERN
from scenario_apply.model.secret import MASK, Secret

Value = TypeVar("Value")

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""An integer that every JSON parser can represent exactly."""

DEEPEST: Final = 32
"""The deepest nesting of free-form values, such as training parameters."""

_WORDS: Final = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "an integer",
    "null": "null",
    "object": "an object",
    "str": "text",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?: (.*?))?(?:, got `([^`]+)`)?")
_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_KEY_UNKNOWN = "[...]"


class Misfit(ValueError):
    """A value that does not have the expected type. at: its path, "" for the whole document; what: the error text."""

    def __init__(self, what: str, at: str = "") -> None:
        super().__init__(f"{at}: {what}" if at else what)
        self.what = what
        self.at = at

    def below(self, path: str) -> Misfit:
        """The same error with a path that starts at the value which contains this one at `path`."""
        between = "." if self.at and not self.at.startswith("[") else ""
        return Misfit(self.what, f"{path}{between}{self.at}")


def parsed(content: bytes) -> object:
    """Decodes JSON to plain values. Raises Misfit, also for NaN, lone surrogates and a byte order mark."""
    return decoded(content, object)


@overload
def decoded(content: bytes, type_: type[Value]) -> Value: ...
@overload
def decoded(content: bytes, type_: Any) -> Any: ...
def decoded(content: bytes, type_: Any) -> Any:
    """Decodes JSON to a value of a type. Raises Misfit."""
    try:
        return _decoder(type_).decode(content)
    except msgspec.ValidationError as error:
        raise _located(error, content, type_) from None
    except UnicodeDecodeError:
        raise Misfit("it is not UTF-8 text") from None
    except msgspec.DecodeError as error:
        raise Misfit(_no_json(content, error)) from None
    except RecursionError:
        raise Misfit("it is nested too deeply") from None


@overload
def fitted(plain: object, type_: type[Value], at: str = "") -> Value: ...
@overload
def fitted(plain: object, type_: Any, at: str = "") -> Any: ...
def fitted(plain: object, type_: Any, at: str = "") -> Any:
    """Converts plain values to a value of a type. at: the path of the values, for errors. Raises Misfit."""
    _decoder(type_)  # for what msgspec has to know of the type
    try:
        return msgspec.convert(plain, type_, dec_hook=_from_plain)
    except msgspec.ValidationError as error:
        misfit = _misfit(str(error), plain, type_)
        raise (misfit.below(at) if at else misfit) from None
    except RecursionError:
        raise Misfit("it is nested too deeply", at) from None


def plain(value: object) -> Any:
    """Converts a value to plain values that JSON can represent. Secrets are masked."""
    try:
        return msgspec.json.decode(_plain_encoder().encode(value))
    except UnicodeEncodeError:  # half an emoji, which JSON can only escape
        return json.loads(json.dumps(msgspec.to_builtins(value, enc_hook=_to_plain, str_keys=True)))


def line(value: object) -> bytes:
    """Encodes a value as one line of JSON with a line break. Sets are sorted."""
    return _line_encoder().encode(value) + b"\n"


def document(value: object) -> bytes:
    """Encodes a value as readable JSON: sorted keys, an indentation of two, a line break at the end."""
    return msgspec.json.format(compact(value), indent=2) + b"\n"


def compact(value: object) -> bytes:
    """Encodes a value as canonical JSON: sorted keys, no blanks."""
    return _document_encoder().encode(value)


def check_free_form(values: Mapping[str, object]) -> None:
    """Raises ValueError for values that were decoded but cannot be encoded again."""
    for key, value in values.items():
        _check_writable(key, value, DEEPEST)


def is_free_form(value: object) -> bool:
    """Whether the value can be written again as it was read."""
    try:
        _check_writable("", value, DEEPEST)
    except ValueError:
        return False
    return True


def _check_writable(key: str, value: object, left: int) -> None:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{key} holds an integer of more than 64 bits")
    if isinstance(value, list | tuple | dict):
        if not left:
            raise ValueError(f"{key} is nested too deeply")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_writable(key, inner, left - 1)


_building = threading.Lock()


@cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    """Builds what msgspec knows of a type and its parts, one type at a time.

    msgspec does that at the first use and shows it to other threads half done, which ends the process with SIGSEGV.
    """
    with _building:
        return msgspec.json.Decoder(type_, dec_hook=_from_plain)


@cache
def _plain_encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(enc_hook=_to_plain)


@cache
def _line_encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(enc_hook=_to_plain, order="deterministic")


@cache
def _document_encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(enc_hook=_to_plain, order="sorted")


def _from_plain(type_: type, value: object) -> object:
    if type_ is object:  # free-form
        return value
    if type_ is Address:
        if not isinstance(value, str):
            raise ValueError("expected an address such as model.kael")
        return parse_address(value)
    raise NotImplementedError(f"nothing is read as {type_.__name__}")


def _to_plain(value: object) -> object:
    if isinstance(value, Address):
        return str(value)
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


# -- errors


def _no_json(content: bytes, error: Exception) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark, which JSON does not allow"
    if not content.strip():
        return "it is empty"
    return f"it is not JSON ({error})"


def _located(error: msgspec.ValidationError, content: bytes, type_: Any) -> Misfit:
    """The error with its path. msgspec omits the keys of maps, so the value is found by a second, plain decoding."""
    try:
        values = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        return _misfit(str(error), None, type_)
    return _misfit(str(error), values, type_)


def _misfit(text: str, values: object, type_: Any) -> Misfit:
    found = _AT.search(text)
    at = "" if found is None else found.group(1)
    if found is not None:
        text = text[: found.start()]
    missing = _MISSING.fullmatch(text)
    if missing is not None:
        at, text = f"{at}.{missing.group(1)}" if at else missing.group(1), "it is missing"
    if _KEY_UNKNOWN in at:
        return _with_key(at, text, values, type_)
    return Misfit(_in_words(text, _at_path(values, at)), at)


def _with_key(at: str, text: str, values: object, type_: Any) -> Misfit:
    """The error with the key of a top-level map: the first entry that causes the same error on its own."""
    name, after = at.split(_KEY_UNKNOWN, 1)
    entries = values.get(name) if isinstance(values, dict) else None
    if isinstance(entries, dict) and isinstance(values, dict):
        for key, entry in entries.items():
            try:
                msgspec.convert(values | {name: {key: entry}}, type_, dec_hook=_from_plain)
            except msgspec.ValidationError as error:
                if f"`$.{at}`" in str(error) or text == "it is missing":
                    return Misfit(_in_words(text, _at_path(entry, after)), f'{name}["{key}"]{after}')
    return Misfit(_in_words(text, None), f"{name}[…]{after}")


def _at_path(values: object, path: str) -> object:
    """The value at a path in msgspec's notation; None if there is none."""
    for step in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        try:
            values = values[int(step[1:-1])] if step.startswith("[") else values[step]  # type: ignore[index]  # caught below
        except (LookupError, TypeError):
            return None
    return values


def _in_words(text: str, value: object) -> str:
    if text == "Number out of range" or text == "Integer value out of range":
        return "the number is out of range"
    if text.startswith(("Invalid enum value", "Invalid value")):
        return f"{_shown(value)} is not one of the known values"
    match = _EXPECTED.fullmatch(text)
    if match is None:
        return text
    kind, more, got = match.groups()
    if more and (ID_PATTERN in more.replace("\\\\", "\\") or ID_OR_EMPTY_PATTERN in more.replace("\\\\", "\\")):
        return f"expected an id ({ID_IN_WORDS}), got {_shown(value)}"
    words = [_WORDS.get(one, one) for one in kind.split(" | ")]
    if "a number" in words and "an integer" in words:
        words.remove("an integer")
    expected = " or ".join(words)
    if more:
        expected += f" {more}".replace("matching regex", "of the form")
    return f"expected {expected}, got {_WORDS.get(got, got) if got else _shown(value)}"


def _shown(value: object) -> str:
    """A value for an error message: short, on one line, without control characters."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Hides credentials and signed URLs in every text that leaves the API client."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"

_SHORTEST = 4  # a shorter "secret" is no secret, and hiding it would garble every sentence
_SHORTEST_ECHO = 8  # in answers, where a shorter one could be part of an id or of a status
_ALONE_BELOW = 12  # below this length only a word of its own is hidden
_AUTHORIZATION = re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{4,}")
_URL_USER = re.compile(r"(?i)\b(https?://)[^\s/@'\"<>]+@")
_WORD = re.compile(r"[^\s'\"<>]+")
_IN_A_URL = re.compile(r"(?i)https?://")
_SIGNED = re.compile(r"(?i)signature|x-amz-|token=|policy=|key-pair-id")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def basic_credentials(key: str, secret: str) -> str:
    """The value of an Authorization header. Raises ValueError when key or secret is not ASCII."""
    try:
        pair = f"{key}:{secret}".encode("ascii")
    except UnicodeEncodeError:
        raise ValueError("an API key and its secret are made of ASCII characters") from None
    return "Basic " + b64encode(pair).decode("ascii")


class Mask:
    """Calling it with a text gives the text without secrets, control characters and line breaks."""

    __slots__ = ("_echoes", "_patterns")

    def __init__(self, secrets: Iterable[str] = (), sent: Iterable[str] = ()) -> None:
        """sent: secrets that requests carry, which an answer might repeat."""
        echoed = [secret for secret in sent if len(secret) >= _SHORTEST_ECHO]
        self._echoes = tuple(sorted({form for text in echoed for form in _in_json(text)}, key=len, reverse=True))
        forms = {form for secret in (*secrets, *sent) for form in (secret, quote(secret, safe=""))}
        self._patterns = tuple(
            _pattern(form) for form in sorted(forms, key=len, reverse=True) if len(form) >= _SHORTEST
        )

    def hide(self, text: str) -> str:
        """The text without the secrets, else as it is."""
        for pattern in self._patterns:
            text = pattern.sub(HIDDEN, text)
        return text

    def hide_echoes(self, content: bytes) -> bytes:
        """The body of an answer without the secrets that were sent: it may go into a state, a plan or a log."""
        for form in self._echoes:
            content = content.replace(form, HIDDEN.encode())
        return content

    def __call__(self, text: str) -> str:
        text = self.hide(text)
        text = _AUTHORIZATION.sub(rf"\1 {HIDDEN}", text)
        text = _URL_USER.sub(rf"\1{HIDDEN}@", text)
        if "?" in text:
            text = _WORD.sub(_without_queries, text)
        return _CONTROL.sub(" ", text)

    def __repr__(self) -> str:
        return "Mask()"


def _without_queries(word: re.Match[str]) -> str:
    """A word without what follows the "?" of a URL, or of a path whose query is signed.

    One pass over each word: a regular expression for whole URLs takes quadratic time on a text of slashes.
    """
    text = word[0]
    signed_at = max((match.start() for match in _SIGNED.finditer(text)), default=-1)
    start = 0
    while (mark := text.find("?", start)) >= 0:
        in_a_url = _IN_A_URL.search(text, start, mark)
        if in_a_url or (mark < signed_at and "/" in text[start:mark]):
            query = text[mark + 1 :]
            end = query[len(query.rstrip(").,;:")) :]
            return f"{text[: mark + 1]}{HIDDEN if query != end else ''}{end}"
        start = mark + 1
    return text


def _in_json(text: str) -> tuple[bytes, ...]:
    """A text as a JSON answer may hold it, without the quotes."""
    return tuple(
        dict.fromkeys(json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode() for ascii_only in (True, False))
    )


def _pattern(secret: str) -> re.Pattern[str]:
    escaped = re.escape(secret)
    return re.compile(escaped if len(secret) >= _ALONE_BELOW else rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])")

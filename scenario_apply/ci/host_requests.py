"""Requests to the API of GitHub or GitLab: JSON in and out, bounded retries, a token that is never shown.

The token goes to the address that the environment names and to no other: redirects are not followed, and plain http
only leads to this machine, unless the caller allows it. A request that creates something is not repeated here once it
may have been carried out.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import IO, TYPE_CHECKING, Protocol, cast
from urllib.parse import urlencode

from msgspec import Struct

from scenario_apply.api.masking import Mask
from scenario_apply.api.urls import host_of, parse_base_url, stays_on_this_machine
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.model.secret import Secret

TRIES = 4
LONGEST_WAIT_S = 60.0
"""A host that asks for more seconds than this is not asked again."""

_SOCKET_S, _EXCHANGE_S = 30.0, 90.0
_LARGEST_ANSWER = 32 << 20
_MOST_PAGES = 200
_MAY_PASS = (429, 500, 502, 503, 504)
_REASON_CHARACTERS = 300
_sleep = time.sleep

Json = Mapping[str, object]


class HostError(ScenarioApplyError):
    """GitHub or GitLab could not be reached, or gave an answer that is of no use."""

    code = "host"


class HostRefused(HostError):
    """The host refused a request. status: of HTTP."""

    code = "host-refused"

    def __init__(self, what: str, *, status: int, hint: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.status = status


class HostAnswerLost(HostError):
    """A request left and no whole answer came: whether it was carried out is unknown."""

    code = "host-answer-lost"


class HostAnswer(Struct, frozen=True):
    """headers: names in lower case. value: the body as JSON; None for an empty one."""

    status: int
    headers: Mapping[str, str]
    value: object


class _Body(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:  # fmt: skip
        return None


class HostRequests:
    """The API below one address, with one token."""

    def __init__(
        self,
        host: str,
        base_url: str,
        token: Secret,
        *,
        header: str = "Authorization",
        prefix: str = "Bearer ",
        allow_http: bool = False,
    ) -> None:
        """host: its name, for messages. Raises HostError for an address that the token is not sent to."""
        self.host = host
        self._base = parse_base_url(base_url)
        is_local = stays_on_this_machine(self._base)
        if self._base.lower().startswith("http:") and not is_local and not allow_http:
            raise HostError(
                f"the API of {host} is at http://{host_of(self._base)}: the token would be sent unencrypted",
                hint="use https://, or allow it with --allow-http",
            )
        self._headers = {
            header: prefix + token.reveal(),
            "Accept": "application/json",
            "User-Agent": f"scenario-apply/{VERSION}",
        }
        self._mask = Mask((token.reveal(),))
        proxies = [urllib.request.ProxyHandler({})] if is_local else []
        self._opener = urllib.request.build_opener(_NoRedirect, *proxies)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> HostAnswer:
        """Raises HostError."""
        return self.send("GET", path + (f"?{urlencode(query)}" if query else ""))

    def pages(self, path: str, query: Mapping[str, str] | None = None, key: str | None = None) -> Iterator[Json]:
        """The objects of all pages of a list, as they come; key: where the list is in the answer. Raises HostError."""
        for page in range(1, _MOST_PAGES + 1):
            answer = self.get(path, {**(query or {}), "per_page": "100", "page": str(page)})
            value = object_of(answer.value).get(key) if key is not None else answer.value
            found = value if isinstance(value, list) else []
            yield from (one for one in found if isinstance(one, dict))
            if not _has_more(answer.headers, len(found)):
                return
        raise HostError(f"{self.host} lists more than {_MOST_PAGES} pages at {path}")

    def send(self, method: str, path: str, body: object = None, *, repeats: bool = True) -> HostAnswer:
        """Carry out a request. repeats: whether it may be sent again when its answer was lost.

        Raises HostRefused, HostAnswerLost where the request may have been carried out, HostError for anything else.
        """
        for attempt in range(1, TRIES + 1):
            try:
                answer, wait_s = self._exchange(method, path, body), None
            except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
                if not repeats and not _never_left(error):
                    what = f"{self.host} gave no answer to {method} {path}: {self._reason(error)}"
                    raise HostAnswerLost(what) from error
                if attempt == TRIES:
                    what = f"{self.host} cannot be reached at {host_of(self._base)}: {self._reason(error)}"
                    raise HostError(what, hint="check the network and the proxy of this machine") from error
                wait_s = 2.0 ** (attempt - 1)
            else:
                if answer.status < 300:
                    return answer
                wait_s = _wait_of(answer, attempt)
                if not repeats and answer.status >= 500:
                    raise HostAnswerLost(f"{self.host} answered {method} {path} with {answer.status}")
                if wait_s is None or wait_s > LONGEST_WAIT_S or attempt == TRIES:
                    raise self._refusal(method, path, answer)
            _sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _exchange(self, method: str, path: str, body: object) -> HostAnswer:
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if data is not None else {})
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310  # checked above
        try:
            with self._opener.open(request, timeout=_SOCKET_S) as response:
                return self._answer(response.status, response.headers, response)
        except urllib.error.HTTPError as error:
            with error:
                return self._answer(error.code, error.headers, cast(_Body, error))

    def _answer(self, status: int, headers: Message, file: _Body) -> HostAnswer:
        until, pieces, size = time.monotonic() + _EXCHANGE_S, [], 0
        while piece := file.read1(1 << 16):  # what has come: read() waits for all of it, however slowly that drips
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST_ANSWER or time.monotonic() > until:
                raise TimeoutError("the answer does not end")
        content = b"".join(pieces)
        try:
            value = json.loads(content) if content.strip() else None
        except (ValueError, RecursionError):
            if status < 300:
                raise HostError(f"{self.host} did not answer with JSON", hint="check the address of its API") from None
            value = None
        return HostAnswer(status, {name.lower(): text for name, text in headers.items()}, value)

    def _refusal(self, method: str, path: str, answer: HostAnswer) -> HostRefused:
        message = object_of(answer.value).get("message")
        reason = f": {self._mask(str(message))[:_REASON_CHARACTERS]}" if message else ""
        what = f"{self.host} refused {method} {path.partition('?')[0]} with {answer.status}{reason}"
        return HostRefused(what, status=answer.status, hint=_hint(answer))

    def _reason(self, error: Exception) -> str:
        return self._mask(str(getattr(error, "reason", None) or error) or type(error).__name__)[:_REASON_CHARACTERS]


def object_of(value: object) -> Json:
    """A map of JSON; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """A text of JSON; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def whole_number(value: object) -> int | None:
    """A number above 0, written as a number or as text; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:18])
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _has_more(headers: Mapping[str, str], count: int) -> bool:
    """Whether a page follows. GitHub says so in Link, GitLab in X-Next-Page; else a full page has a successor.

    The address in Link is not used: the token would go wherever it leads.
    """
    if "x-next-page" in headers:
        return bool(headers["x-next-page"].strip())
    if "link" in headers:
        return 'rel="next"' in headers["link"]
    return count >= 100


def _wait_of(answer: HostAnswer, attempt: int) -> float | None:
    """Seconds to wait before another try; None when trying again cannot help."""
    asked = answer.headers.get("retry-after", "")
    if asked.isascii() and asked.isdecimal() and answer.status in (403, *_MAY_PASS):
        return float(asked[:9])
    return 2.0 ** (attempt - 1) if answer.status in _MAY_PASS else None


def _never_left(error: Exception) -> bool:
    """Whether a request surely did not reach the host."""
    inner = getattr(error, "reason", error)
    return isinstance(inner, ConnectionRefusedError) or type(inner).__name__ in ("gaierror", "SSLCertVerificationError")


def _hint(answer: HostAnswer) -> str | None:
    if answer.headers.get("x-ratelimit-remaining") == "0":
        return "the limit of requests of this token is used up; run it again later"
    if answer.status == 401:
        return "the token is not valid any more, or of another host"
    if answer.status in (403, 404):
        return (
            "the token may not do this. On GitHub the job needs `permissions: pull-requests: write` (`issues: write` "
            "for an issue), and a pull request from a fork gets a token that only reads. On GitLab it takes a project "
            "access token with the scope `api`, as a CI job token cannot write notes"
        )
    return None

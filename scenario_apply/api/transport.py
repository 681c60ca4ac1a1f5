"""The way to the service: connections, credentials, time limits, TLS, proxies. The one file that imports requests.

An exchange ends in a Reply or in a NoAnswer; nothing of requests comes out of here. Proxies and certificate bundles are
taken from the environment as requests does, but no proxy is used on the way to this machine itself; logins in a .netrc
never are, and redirects are not followed, so that credentials reach no host but the one they were given for.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from msgspec import Struct

from scenario_apply.api.exchange import Body, NoAnswer, Outcome, Reply, Request, Safety
from scenario_apply.api.json_answers import utf8_of
from scenario_apply.api.masking import Mask, basic_credentials
from scenario_apply.api.proxies import Proxy, ProxyProblem, proxy_of
from scenario_apply.api.urls import host_of, is_loopback_host, parse_base_url
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    import requests

THREADS = 32
"""Connections kept open: one for each thread that may be sending."""

LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes after which an answer is given up: no call of the contract comes near."""

_HIDE_ADDRESSES = Mask()
_BASE_URL_HINT = "check SCENARIO_BASE_URL and the network"


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds. upload_connect also bounds how long one piece of a large body may take to leave."""

    connect: float = 5.0
    read: float = 60.0
    first_read: float = 9.0  # until the service has answered once: a wrong address must not cost minutes
    advisory_read: float = 15.0  # of what nothing depends on
    upload_connect: float = 20.0
    upload_bytes_per_s: float = 100_000.0  # a slower line than this is given up

    def of(self, size_bytes: int) -> tuple[float, float]:
        """(connect, read) for a request with so many bytes of body."""
        if size_bytes <= 64 * 1024:
            return self.connect, self.read
        return max(self.connect, self.upload_connect), self.read + size_bytes / self.upload_bytes_per_s


class Route(Struct, frozen=True):
    """proxy: None for none. verify: the certificate check, or a bundle. cert: of the client."""

    proxy: Proxy | None
    verify: bool | str
    cert: str | tuple[str, str] | None


class Transport:
    """One pool of connections for all threads of a run. close() when done; also a context manager."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        api_secret: str,
        *,
        timeouts: Timeouts | None = None,
        sent: Collection[str] = (),
        address_hint: str = _BASE_URL_HINT,
    ) -> None:
        """sent: secrets that bodies of requests carry; no answer and no message repeats one.

        Without key and secret, requests carry no credentials. address_hint: where the address may have been set wrong.
        Raises ApiError (code base-url) for an odd address, ValueError for credentials that are not ASCII.
        """
        import requests

        from scenario_apply.api.exchange_deadline import deadline_adapter

        self.base_url = parse_base_url(base_url)
        self.timeouts = timeouts or Timeouts()
        self.has_answered = False
        authorization = basic_credentials(api_key, api_secret) if api_key or api_secret else ""
        self.mask = Mask((api_secret, api_key, authorization.removeprefix("Basic ")), sent)
        self._headers = {"User-Agent": f"scenario-apply/{VERSION}", "Accept": "application/json"}
        self._authorization = {"Authorization": authorization} if authorization else {}
        self._address_hint = address_hint
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, deadline_adapter(pool_connections=8, pool_maxsize=THREADS))
        logging.getLogger("urllib3.connectionpool").addFilter(_hide_in_log)  # it logs signed addresses
        self._routes: dict[str, Route] = {}
        self._routes_lock = threading.Lock()

    def exchange(self, request: Request) -> Outcome:
        """Carry out one attempt of a call.

        It goes to the service with credentials, or to the signed address of a part without any and outside the project.
        Such an address comes from the service, so it must be https, or plain http where the service itself is; and it
        may lead to this machine only where the service is on this machine.
        """
        import requests
        from urllib3.exceptions import HTTPError

        from scenario_apply.api.exchange_deadline import exchange_deadline

        body = request.body
        url, headers = self._address_of(request)
        if request.signed_url is not None and (refusal := self._refused_part_address(url)) is not None:
            return NoAnswer(what=refusal, sent=False, hopeless=True)
        size = 0 if body is None else len(body)
        connect_s, read_s = self.timeouts.of(size)
        if not self.has_answered:
            read_s = min(read_s, self.timeouts.first_read)
        if request.is_advisory:
            read_s = min(read_s, self.timeouts.advisory_read)
        until = time.monotonic() + connect_s + read_s + size / self.timeouts.upload_bytes_per_s
        watched = None if body is None else _Watched(body, until)
        try:
            # Prepared without the session, which would look into .netrc for hosts it has no login for.
            prepared = requests.Request(request.method, url, headers=headers, data=watched).prepare()
            if body is not None and not len(body):
                prepared.headers["Content-Length"] = "0"
            route = self._route(url)
            if (wrong := self.proxy_problem(url)) is not None:
                return NoAnswer(what=wrong.what, sent=False, hopeless=True, hint=wrong.hint)
            with exchange_deadline(until, fresh=request.safety is Safety.ONCE):
                response = self._session.get_adapter(url).send(
                    prepared,
                    stream=True,
                    timeout=(connect_s, read_s),
                    verify=route.verify,
                    cert=route.cert,
                    proxies={} if route.proxy is None else route.proxy.for_requests(),
                )
                try:
                    content = _content(response)
                finally:
                    response.close()
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            return self._no_answer(error, url, watched)
        self.has_answered = True
        return Reply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            content=self.mask.hide_echoes(utf8_of(content)),
        )

    def proxy_problem(self, url: str) -> ProxyProblem | None:
        """Why the proxy that the environment names for a URL cannot be used; None when it may work."""
        proxy = self._route(url).proxy
        return None if proxy is None else proxy.problem()

    def _address_of(self, request: Request) -> tuple[str, dict[str, str]]:
        """The URL that a request goes to, and its headers."""
        if request.signed_url is not None:
            return request.signed_url, {"User-Agent": self._headers["User-Agent"]}
        url = self.base_url + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        headers = {**self._headers, "Accept-Encoding": "gzip", **self._authorization}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return url, {**headers, **request.headers}

    def _refused_part_address(self, url: str) -> str | None:
        """Why a part is not sent to this address; None when it may be."""
        scheme = url.partition(":")[0].lower()
        is_plain = self.base_url.lower().startswith("http:")
        if scheme != "https" and not (scheme == "http" and is_plain):
            return f"the upload address {host_of(url)} is not https, so nothing was sent to it"
        if is_loopback_host(url) and not is_loopback_host(self.base_url):
            return f"the upload address {host_of(url)} leads to this machine, so nothing was sent to it"
        return None

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Transport({host_of(self.base_url)})"

    def _route(self, url: str) -> Route:
        """The route to a URL's host, as the environment says; looked up once."""
        from requests.utils import select_proxy

        start = "/".join(url.split("/", 3)[:3])
        with self._routes_lock:
            found = self._routes.get(start)
            if found is None:
                given = self._session.merge_environment_settings(url, {}, True, None, None)
                verify = given["verify"]
                proxy = proxy_of(url, select_proxy(url, dict(given["proxies"])))
                found = Route(proxy, True if verify is None else verify, given["cert"])
                self._routes[start] = found
        return found

    def _no_answer(self, error: Exception, url: str, body: _Watched | None) -> NoAnswer:
        host = host_of(url)
        proxy = self._route(url).proxy
        known = None if body is not None and body.has_left else _never_sent(error, host, proxy, self._address_hint)
        if known is not None:
            return known
        chain = list(_chain(error))
        is_late = any(isinstance(e, TimeoutError) or "timed out" in str(e).lower() for e in chain)
        if body is not None and not body.has_left:
            what = f"{host} was not ready in time" if is_late else f"the connection to {host} broke"
            return NoAnswer(what=f"{what}, before anything was sent", sent=False)
        if is_late:
            return NoAnswer(what=f"no answer from {host} in time", sent=True, timed_out=True)
        if isinstance(error, _TooLong):
            return NoAnswer(what=f"{host} sent an answer without end", sent=True, hopeless=True)
        reason = self.mask(_innermost(chain))
        return NoAnswer(what=f"the connection to {host} broke before the answer was complete ({reason})", sent=True)


def _hide_in_log(record: logging.LogRecord) -> bool:
    record.msg, record.args = _HIDE_ADDRESSES(record.getMessage()), ()
    return True


class _Watched:
    """A body that knows whether any of it has been asked for: if not, the service cannot have the request."""

    __slots__ = ("_body", "_until", "has_left")

    def __init__(self, body: Body, until: float) -> None:
        self._body = body
        self._until = until
        self.has_left = False

    def __len__(self) -> int:
        return len(self._body)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        self.has_left = True
        for piece in self._body:
            if time.monotonic() > self._until:
                raise TimeoutError("timed out")
            yield piece


class _TooLong(OSError):
    """An answer longer than any answer can be."""


def _content(response: requests.Response) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_content(64 * 1024):
        pieces.append(piece)
        size += len(piece)
        if size > LONGEST_ANSWER:
            raise _TooLong
    return b"".join(pieces)


def _never_sent(error: Exception, host: str, proxy: Proxy | None, address_hint: str) -> NoAnswer | None:
    """The NoAnswer for an error that surely came before the request left; None for any other."""
    import requests
    from urllib3.exceptions import LocationParseError, NameResolutionError, NewConnectionError

    chain = list(_chain(error))
    if isinstance(error, requests.exceptions.ProxyError) and proxy is not None:
        wrong = proxy.refused(host, chain)
        return NoAnswer(what=wrong.what, sent=False, hint=wrong.hint)
    for e in chain:
        if isinstance(e, ssl.SSLCertVerificationError):
            hint = "if a proxy of yours answers with its own certificate, name its bundle in REQUESTS_CA_BUNDLE"
            what = f"the certificate of {host} is not trusted: {e.verify_message or e.reason}"
            return NoAnswer(what=what, sent=False, hopeless=True, hint=hint)
        if isinstance(e, NameResolutionError):
            return NoAnswer(what=f"host not found: {host}", sent=False, hint=address_hint)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return NoAnswer(what=f"{host} did not take the connection in time", sent=False, hint=address_hint)
    if isinstance(error, requests.exceptions.SSLError) and any(_is_handshake(e) for e in chain):
        hint = f"https:// may be wrong for this port; {address_hint}"
        what = f"no secure connection to {host}: {_tls_reason(chain)}"
        return NoAnswer(what=what, sent=False, hopeless=True, hint=hint)
    if any(isinstance(e, NewConnectionError | ConnectionRefusedError) for e in chain):
        reason = "refused the connection" if _is_refused(chain) else "cannot be reached"
        return NoAnswer(what=f"{host} {reason}", sent=False, hint=address_hint)
    odd = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, LocationParseError, UnicodeError)
    if isinstance(error, odd) or (isinstance(error, OSError) and "CA certificate" in str(error)):
        what = "the certificate bundle of REQUESTS_CA_BUNDLE is not there"
        if isinstance(error, odd):
            what = f"{host} is no valid host"
        return NoAnswer(what=what, sent=False, hopeless=True, hint=address_hint)
    return None


def _is_handshake(error: BaseException) -> bool:
    reason = getattr(error, "reason", None)
    return isinstance(error, ssl.SSLError) and reason in (
        "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "UNKNOWN_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION", "SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_UNRECOGNIZED_NAME", "RECORD_LAYER_FAILURE",
    )  # fmt: skip


def _tls_reason(chain: list[BaseException]) -> str:
    for error in chain:
        if isinstance(error, ssl.SSLError) and error.reason:
            return str(error.reason).lower().replace("_", " ")
    return "the handshake failed"


def _is_refused(chain: list[BaseException]) -> bool:
    return any(isinstance(e, ConnectionRefusedError) or "refused" in str(e).lower() for e in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all it was made of: its cause, and what requests and urllib3 wrap as arguments."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        e = waiting.pop(0)
        if id(e) in seen:
            continue
        seen.add(id(e))
        yield e
        # Not __context__: it may be an error of the caller, being handled while this call is made.
        inner = (*e.args, getattr(e, "reason", None), e.__cause__)
        waiting.extend(i for i in inner if isinstance(i, BaseException))


def _innermost(chain: list[BaseException]) -> str:
    """The plainest words for what happened, without addresses of objects."""
    last = chain[-1]
    text = getattr(last, "strerror", None) or str(last)
    return text if text and "object at 0x" not in text else type(last).__name__

"""Reads single files from web servers, to no address that a manifest must not reach.

obstore would follow redirects and resolve names by itself. Here each host is resolved once, its addresses are judged,
the connection goes to the address that was judged, and each redirect is judged like the first URL.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from errno import ENOENT
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from scenario_apply.api.exchange_deadline import exchange_deadline, use_deadline
from scenario_apply.api.urls import host_of, is_loopback_host
from scenario_apply.dataset.scan.remote_objects import (
    TAGGED_NS,
    RemoteChanged,
    RemoteFailed,
    RemoteObject,
    Sink,
    tag_number,
)
from scenario_apply.model.remote_urls import RemoteAccess, url_problem

if TYPE_CHECKING:
    import urllib3
    from urllib3.response import BaseHTTPResponse

_MOST_REDIRECTS = 5
_LONGEST_S = 600  # of one file, however slowly it drips
_LONGEST_HEAD_S = 60
_PIECE_BYTES = 1 << 20
_LARGEST_SIZE = 1 << 60
_NEWEST_NS = 1 << 62
_METADATA = frozenset(map(ip_address, ("168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254")))
"""Metadata services of Azure, Oracle, Alibaba and AWS at addresses that are not link-local."""
_METADATA_HOSTS = frozenset({"metadata.google.internal", "metadata"})
_IPV4_AT_THE_END = tuple(map(ip_network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
"""Networks of IPv6 whose addresses lead to the IPv4 address in their last 32 bits. Sources: RFC 4291, 2765, 6052."""
_REDIRECTS = (301, 302, 303, 307, 308)


class WebReader:
    """Files by https://, and http:// where the caller consents."""

    def __init__(
        self, access: RemoteAccess, *, is_signed: bool = False, may_ask: Callable[[str], bool] | None = None
    ) -> None:
        """is_signed: URLs are a service's own, which hold a signature: messages name no more of them than the host.

        may_ask: judges where a redirect leads, beside the rules for all addresses.
        """
        self._access = access
        self._is_signed = is_signed
        self._may_ask = may_ask
        self._tls = _trusted()

    def below(self, prefix: str) -> Iterator[RemoteObject]:
        """Nothing: a web server does not say what a folder holds."""
        return iter(())

    def stat(self, url: str) -> RemoteObject | None:
        """What the server says about a file; None when there is none. Raises RemoteFailed."""
        with self._asked("HEAD", url) as answer:
            if answer.status in (404, 410):
                return None
            _check(answer, self._named(url))
            held = answer.headers
        size = held.get("Content-Length", "")
        tag = held.get("ETag", "")
        modified = held.get("Last-Modified", "")
        try:
            mtime_ns = min(int(parsedate_to_datetime(modified).timestamp() * 1_000_000_000), _NEWEST_NS)
        except (ValueError, TypeError, OverflowError, OSError):
            mtime_ns = time.time_ns()  # without a time or a tag nothing tells a change: it counts as new each time
        number = tag_number(tag, size, modified)
        is_number = size.isascii() and size.isdigit() and len(size) <= len(str(_LARGEST_SIZE))
        return RemoteObject(url, int(size) if is_number else 0, TAGGED_NS if tag else mtime_ns, tag, number)

    def fetch(self, url: str, tag: str, out: Sink, most: int) -> None:
        """Writes the bytes of a file. tag: its ETag, "" for any. Raises as BucketReader.fetch."""
        import urllib3

        size, asked = 0, url
        with self._asked("GET", asked) as answer:
            url = self._named(asked)
            if answer.status in (404, 410) and not tag:
                raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
            if answer.status in (404, 410) or (tag and answer.headers.get("ETag", tag) != tag):
                raise RemoteChanged(f"{url} changed while it was read")
            _check(answer, url)
            try:
                # not stream(): it reads a chunk of any length that a server states, and waits for all of a piece
                while piece := answer.read1(_PIECE_BYTES):
                    size += len(piece)
                    if size > most:
                        raise RemoteFailed(f"{url} has more than {most >> 20} MB")
                    out.write(piece)
            except urllib3.exceptions.HTTPError as error:
                raise RemoteFailed(f"{url} was not read to its end") from error

    @contextmanager
    def opened(self, url: str, headers: Mapping[str, str]) -> Iterator[BaseHTTPResponse]:
        """The answer to a GET, whatever its status, with its body unread. Raises RemoteFailed where there is none."""
        with self._asked("GET", url, headers) as answer:
            yield answer

    def _named(self, url: str) -> str:
        """The URL as messages say it."""
        return f"an address of {host_of(url)}" if self._is_signed else url

    @contextmanager
    def _asked(self, method: str, asked: str, headers: Mapping[str, str] | None = None) -> Iterator[BaseHTTPResponse]:
        import urllib3

        url = self._named(asked)
        here, longest_s = asked, _LONGEST_HEAD_S if method == "HEAD" else _LONGEST_S
        with exchange_deadline(time.monotonic() + longest_s, fresh=True):
            for _ in range(_MOST_REDIRECTS + 1):
                try:
                    pool, target = self._pool(here, url, is_redirected=here != asked)
                    use_deadline(pool)
                    answer = pool.urlopen(
                        method,
                        target,
                        headers={
                            "Host": urlsplit(here).netloc.rpartition("@")[2],
                            "Accept-Encoding": "identity",
                            "User-Agent": "scenario-apply",
                            **(headers or {}),
                        },
                        redirect=False,
                        retries=urllib3.Retry(2, redirect=False, backoff_factor=0.2, respect_retry_after_header=False),
                        timeout=urllib3.Timeout(connect=10, read=30),
                        preload_content=False,
                        assert_same_host=False,
                    )
                except urllib3.exceptions.HTTPError as error:
                    raise RemoteFailed(f"{url} cannot be read: {_why(error)}") from error
                except ValueError as error:  # of http.client, for what no request can say
                    raise RemoteFailed(f"{url} redirects to what is no address of a web server") from error
                with pool:
                    location = answer.headers.get("Location")
                    if answer.status not in _REDIRECTS or not location:
                        try:
                            yield answer
                        finally:
                            answer.close()  # what was not read to its end holds a connection
                        return
                    answer.close()
                    try:
                        here = urljoin(here, location)
                    except ValueError:
                        here = ""  # _pool refuses it
        raise RemoteFailed(f"{url} redirects more than {_MOST_REDIRECTS} times")

    def _pool(
        self, here: str, url: str, *, is_redirected: bool
    ) -> tuple[urllib3.connectionpool.HTTPConnectionPool, str]:
        """A connection to the judged address of a URL's host, and what to ask it for. url: what messages name."""
        import urllib3

        try:
            parts = urlsplit(here)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            host, port = "", 0
        is_odd = not (is_redirected or self._is_signed) and url_problem(here) is not None
        if not host or parts.scheme not in ("https", "http") or is_odd:
            raise RemoteFailed(f"{url} redirects to something other than a web server")
        if is_redirected and self._may_ask is not None and not self._may_ask(here):
            hint = f"if that is meant: SCENARIO_APPLY_ALLOW_REMOTE=https://{host}/"
            raise RemoteFailed(f"{url} redirects to {host}, which is no host of the service", hint)
        if parts.scheme == "http" and not self._access.allow_http:
            what = "redirects to an address that is not encrypted" if is_redirected else "is not encrypted"
            raise RemoteFailed(f"{url} {what}", "use https://; --allow-http permits it")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        is_here = self._is_signed and is_loopback_host(here)
        proxy = None if is_here or proxy_bypass(host) else getproxies().get(parts.scheme)
        named = self._access.names(here)
        if proxy is not None:
            _judge(_literal(host), url, named=named)
            manager = _proxy(proxy, self._tls)
            whole = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{target}"
            return manager.connection_from_host(host, port, parts.scheme), (
                target if parts.scheme == "https" else whole
            )
        address = self._address(host, port, url, named=named)
        if parts.scheme == "http":
            return urllib3.HTTPConnectionPool(address, port), target
        pool = urllib3.HTTPSConnectionPool(
            address, port, ssl_context=self._tls, server_hostname=host, assert_hostname=host
        )
        return pool, target

    def _address(self, host: str, port: int, url: str, *, named: bool) -> str:
        """An address of the host. All of them must be public, unless the caller named the URL. Never link-local."""
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:  # ValueError: what is no name
            raise RemoteFailed(f"{url} cannot be read: its host was not found") from error
        found = list(dict.fromkeys(str(info[4][0]) for info in infos))
        _judge((host, *found), url, named=named)
        return found[0]


def _judge(found: Iterable[str], url: str, *, named: bool) -> None:
    """Raises RemoteFailed for addresses and names that must not be read. named: private ones may be."""
    for text in found:
        try:
            address = _reached(ip_address(text.partition("%")[0]))
        except ValueError:
            if text.rstrip(".").lower() in _METADATA_HOSTS:
                raise RemoteFailed(f"{url} leads to {text}, which is never read") from None
            continue
        if address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA:
            raise RemoteFailed(f"{url} leads to {address}, which is never read")
        if not (address.is_global or named) or getattr(address, "is_site_local", False):
            hint = "if that is meant, name it in the environment: SCENARIO_APPLY_ALLOW_REMOTE=https://HOST/"
            raise RemoteFailed(f"{url} leads to {address}, an address that is not public", hint)


def _reached(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of IPv4 that one of IPv6 leads to, if it is one that does."""
    if isinstance(address, IPv4Address) or address.is_unspecified or address.is_loopback:
        return address
    if any(address in network for network in _IPV4_AT_THE_END):
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address


def _literal(host: str) -> tuple[str, ...]:
    """What a proxy would be told to reach: a name, or an address in the usual form, also where it is one number."""
    try:
        return (str(IPv4Address(socket.inet_aton(host))),)
    except (OSError, ValueError):
        return ("127.0.0.1",) if host.rstrip(".").lower() == "localhost" else (host,)


def _proxy(address: str, tls: ssl.SSLContext) -> urllib3.ProxyManager:
    """Raises RemoteFailed, without the address, which may hold a password."""
    import urllib3

    address = address if "://" in address else f"http://{address}"
    try:
        user = urlsplit(address).netloc.rpartition("@")[0]
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else {}
        return urllib3.ProxyManager(address, ssl_context=tls, proxy_headers=headers)
    except (urllib3.exceptions.HTTPError, ValueError):
        what = "the proxy that the environment names cannot be used"
        raise RemoteFailed(what, "name one with http:// or https://, or set NO_PROXY") from None


def _trusted() -> ssl.SSLContext:
    """The certificates that requests would trust: of the environment, else those of certifi."""
    named = next((name for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE") if os.environ.get(name)), None)
    if named is None:
        import certifi

        return ssl.create_default_context(cafile=certifi.where())
    path = os.environ[named]
    try:
        if os.path.isdir(path):
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise RemoteFailed(
            f"the certificates that {named} names cannot be read", f"correct or unset {named}"
        ) from error


def _check(answer: BaseHTTPResponse, url: str) -> None:
    if answer.status != 200:
        raise RemoteFailed(f"{url} cannot be read: the server answers with status {answer.status}")


def _why(error: Exception) -> str:
    while (inner := getattr(error, "reason", None)) is not None and isinstance(inner, Exception):
        error = inner
    if isinstance(error, ssl.SSLError) or "SSL" in type(error).__name__ or "certificate" in str(error).lower():
        return "its certificate is not trusted"
    return "the server does not answer"

"""Reads single files from web servers, to no address that a manifest must not reach.

obstore would follow redirects and resolve names by itself. Here each host is resolved once, its addresses are judged,
the connection goes to the address that was judged, and each redirect is judged like the first URL.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from errno import ENOENT
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

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
_LONGEST_S = 600
_PIECE_BYTES = 1 << 20
_AZURE = "168.63.129.16"  # the metadata service of Azure, at an address that looks public
_REDIRECTS = (301, 302, 303, 307, 308)


class WebReader:
    """Files by https://, and http:// where the caller consents."""

    def __init__(self, access: RemoteAccess) -> None:
        self._access = access
        self._tls = _trusted()

    def below(self, prefix: str) -> Iterator[RemoteObject]:
        """Nothing: a web server does not say what a folder holds."""
        return iter(())

    def stat(self, url: str) -> RemoteObject | None:
        """What the server says about a file; None when there is none. Raises RemoteFailed."""
        with self._asked("HEAD", url) as answer:
            if answer.status in (404, 410):
                return None
            _check(answer, url)
            held = answer.headers
        size = held.get("Content-Length", "")
        tag = held.get("ETag", "")
        modified = held.get("Last-Modified", "")
        try:
            mtime_ns = int(parsedate_to_datetime(modified).timestamp() * 1_000_000_000)
        except (ValueError, TypeError, OverflowError):
            mtime_ns = time.time_ns()  # without a time or a tag nothing tells a change: it counts as new each time
        number = tag_number(tag, size, modified)
        return RemoteObject(url, int(size) if size.isdigit() else 0, TAGGED_NS if tag else mtime_ns, tag, number)

    def fetch(self, url: str, tag: str, out: Sink, most: int) -> None:
        """Writes the bytes of a file. tag: its ETag, "" for any. Raises as BucketReader.fetch."""
        import urllib3

        until, size = time.monotonic() + _LONGEST_S, 0
        with self._asked("GET", url) as answer:
            if answer.status in (404, 410) and not tag:
                raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
            if answer.status in (404, 410) or (tag and answer.headers.get("ETag", tag) != tag):
                raise RemoteChanged(f"{url} changed while it was read")
            _check(answer, url)
            try:
                for piece in answer.stream(_PIECE_BYTES):
                    out.write(piece)
                    size += len(piece)
                    if size > most or time.monotonic() > until:
                        raise RemoteFailed(f"{url} has more than {most >> 20} MB, or takes too long")
            except urllib3.exceptions.HTTPError as error:
                raise RemoteFailed(f"{url} was not read to its end") from error

    @contextmanager
    def _asked(self, method: str, url: str) -> Iterator[BaseHTTPResponse]:
        import urllib3

        here = url
        for _ in range(_MOST_REDIRECTS + 1):
            pool, target = self._pool(here, url)
            with pool:
                try:
                    answer = pool.urlopen(
                        method,
                        target,
                        headers={
                            "Host": urlsplit(here).netloc,
                            "Accept-Encoding": "identity",
                            "User-Agent": "scenario-apply",
                        },
                        redirect=False,
                        retries=urllib3.Retry(2, redirect=False, backoff_factor=0.2),
                        timeout=urllib3.Timeout(connect=10, read=30),
                        preload_content=False,
                        assert_same_host=False,
                    )
                except urllib3.exceptions.HTTPError as error:
                    raise RemoteFailed(f"{url} cannot be read: {_why(error)}") from error
                location = answer.headers.get("Location")
                if answer.status not in _REDIRECTS or not location:
                    yield answer
                    return
                answer.close()
                here = urljoin(here, location)
        raise RemoteFailed(f"{url} redirects more than {_MOST_REDIRECTS} times")

    def _pool(self, here: str, url: str) -> tuple[urllib3.connectionpool.HTTPConnectionPool, str]:
        """A connection to the judged address of a URL's host, and what to ask it for."""
        import urllib3

        try:
            parts = urlsplit(here)
            host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            host, port = "", 0
        redirected = here != url
        if not host or parts.scheme not in ("https", "http") or (not redirected and url_problem(here)):
            raise RemoteFailed(f"{url} redirects to something other than a web server")
        if parts.scheme == "http" and not self._access.allow_http:
            what = "redirects to an address that is not encrypted" if redirected else "is not encrypted"
            raise RemoteFailed(f"{url} {what}", "use https://; --allow-http permits it")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        proxy = None if proxy_bypass(host) else getproxies().get(parts.scheme)
        if proxy is not None:
            manager = urllib3.ProxyManager(proxy, ssl_context=self._tls)
            return manager.connection_from_host(host, port, parts.scheme), target if parts.scheme == "https" else here
        address = self._address(host, port, url, named=self._access.names(here))
        if parts.scheme == "http":
            return urllib3.HTTPConnectionPool(address, port), target
        pool = urllib3.HTTPSConnectionPool(
            address, port, ssl_context=self._tls, server_hostname=host, assert_hostname=host
        )
        return pool, target

    def _address(self, host: str, port: int, url: str, *, named: bool) -> str:
        """An address of the host. All of them must be public, unless the caller named the URL. Never link-local."""
        try:
            found = list(
                dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            )
        except (OSError, UnicodeError) as error:
            raise RemoteFailed(f"{url} cannot be read: its host was not found") from error
        for text in found:
            address = ip_address(text.partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            if address.is_link_local or address.is_multicast or address.is_unspecified or str(address) == _AZURE:
                raise RemoteFailed(f"{url} leads to {address}, which is never read")
            if not (address.is_global or named):
                hint = "if that is meant, name it in the environment: SCENARIO_APPLY_ALLOW_REMOTE=https://HOST/"
                raise RemoteFailed(f"{url} leads to {address}, an address that is not public", hint)
        return found[0]


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

"""Proxies on the way to the service: which one the environment names, and what is wrong with it.

As browsers do, and unlike requests, no proxy is used for this machine itself: a proxy elsewhere cannot reach it.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from msgspec import Struct

from scenario_apply.api.urls import host_of, stays_on_this_machine

_SOCKS = frozenset({"socks4", "socks4a", "socks5", "socks5h"})
_SCHEMES = _SOCKS | {"http", "https"}
_SOCKS_HINT = "pip install 'requests[socks]' adds it (pipx: pipx inject scenario-apply pysocks); or unset"


class ProxyProblem(Struct, frozen=True):
    """What is wrong with a proxy, without credentials that its address may hold."""

    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """address: as it is set, perhaps without a scheme. variable: the environment variable that names it."""

    address: str = field(repr=False)
    variable: str

    def problem(self) -> ProxyProblem | None:
        """Why this proxy cannot be used at all; None when it may work."""
        scheme, _, rest = self._url().partition("://")
        try:
            parts = urlsplit(self._url())
            is_odd = not parts.hostname or parts.port == 0 or any(c.isspace() for c in rest)
        except ValueError:
            is_odd = True
        if is_odd or scheme.lower() not in _SCHEMES:
            hint = f"set {self.variable} to an address like http://proxy.example:8080, or unset it"
            return ProxyProblem(f"the proxy that {self.variable} names is no address of a proxy", hint)
        if scheme.lower() in _SOCKS and importlib.util.find_spec("socks") is None:
            what = f"{self.variable} names a SOCKS proxy, {self.host}, and SOCKS support is not installed"
            return ProxyProblem(what, f"{_SOCKS_HINT} {self.variable}")
        return None

    def refused(self, host: str, chain: Iterable[BaseException]) -> ProxyProblem:
        """The words for a proxy that did not let a connection through. chain: the error and what it was made of."""
        from urllib3.exceptions import NameResolutionError

        hint = f"check {self.variable}, or name {host.partition(':')[0]} in NO_PROXY"
        where = f"the proxy {self.host} on the way to {host}"
        for error in chain:
            if isinstance(error, NameResolutionError):
                return ProxyProblem(f"{where} was not found", hint)
            if "Tunnel connection failed" in str(error):
                said = str(error).partition("Tunnel connection failed:")[2].strip(" ')\"")
                if said.startswith("407"):
                    hint = f"the proxy wants a name and a password; check {self.variable}"
                return ProxyProblem(f"{where} refused the connection: {said[:100]}", hint)
        return ProxyProblem(f"{where} refused the connection", hint)

    @property
    def host(self) -> str:
        """host:port, fit for a message."""
        return host_of(self._url())

    def for_requests(self) -> dict[str, str]:
        return {"http": self._url(), "https": self._url()}

    def _url(self) -> str:
        address = self.address.strip()
        return address if "://" in address else f"http://{address.removeprefix('//')}"


def proxy_of(url: str, address: str | None) -> Proxy | None:
    """The proxy for a URL. address: what the environment names for it, NO_PROXY taken into account."""
    if not address or stays_on_this_machine(url):
        return None
    return Proxy(address, _variable(url.partition(":")[0].lower(), address))


def _variable(scheme: str, address: str) -> str:
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    found = (name for name in names if os.environ.get(name) == address)
    return next(found, f"{scheme.upper()}_PROXY")

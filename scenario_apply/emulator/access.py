"""Who may use a route. Each route declares one `Access`, which is checked before the body of a request is read.

A web page can make a browser on this machine send requests here, and a host name that its author controls can point
to 127.0.0.1 (DNS rebinding). So while no key is required, the Host header must name this server, and requests from
other sites are refused. For the owner's routes (the page, the admin API) this always applies.
"""

from __future__ import annotations

import ipaddress
import re
from enum import Enum
from typing import TYPE_CHECKING

from scenario_apply.emulator.addresses import is_loopback
from scenario_apply.emulator.credentials import check_basic
from scenario_apply.emulator.messages import ApiError, Request, bad_request

if TYPE_CHECKING:
    from scenario_apply.emulator.options import EmulatorOptions

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_HTTP_PORT = 80
_FORM_TYPES = ("text/plain", "multipart/form-data")
"""What a form of another site can send without asking; no client of the admin API has a use for them."""


class Access(Enum):
    """What a route requires of a request."""

    CREDENTIALS = "an API key, or a token"
    SIGNATURE = "an address signed by this server"
    OWNER = "to come from the user who runs the server"


class AccessPolicy:
    """The rules of one server, which listens on `port`."""

    def __init__(self, options: EmulatorOptions, port: int) -> None:
        self._options = options
        self._port = port
        self._is_local = is_loopback(options.host)
        self._allowed = frozenset(host.lower() for host in options.allowed_hosts)

    def admit(self, request: Request, access: Access) -> None:
        """Raise the ApiError that refuses a request. Credentials of the API are checked by `credentials`."""
        host = _only_host(request)
        if access is Access.OWNER:
            self._check_owner(request, host)
        elif self._options.api_key is None:
            self._check_host(host)
            if access is Access.CREDENTIALS:
                self._check_site(request, host)

    def _check_owner(self, request: Request, host: str) -> None:
        if not self._is_local and not self._options.admin:
            message = "The admin API is served on loopback only, unless the server is started with --admin"
            raise ApiError(403, message, "FORBIDDEN")
        self._check_host(host)
        self._check_site(request, host)
        if not self._is_local:
            check_basic(self._options, request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() in _FORM_TYPES:
            raise ApiError(415, "The body must be sent as application/json", "UNSUPPORTED_MEDIA_TYPE")

    def _check_host(self, host: str) -> None:
        if not self._is_ours(host):
            message = f"The server does not answer to the host {host[:80]!r}; --allowed-host adds one"
            raise ApiError(403, message, "FORBIDDEN")

    def _check_site(self, request: Request, host: str) -> None:
        """Refuse what a page of another site made the browser send."""
        for origin in request.all("origin"):
            scheme, _, origin_host = origin.lower().partition("://")
            is_own = origin_host == host or self._is_allowed(origin_host)
            if scheme not in ("http", "https") or not is_own:
                raise ApiError(403, "Requests from other sites are not taken", "FORBIDDEN")
        if any(site.lower() not in ("same-origin", "none") for site in request.all("sec-fetch-site")):
            if request.all("origin"):
                return  # an origin that is allowed by name
            raise ApiError(403, "Requests from other sites are not taken", "FORBIDDEN")

    def _is_ours(self, host: str) -> bool:
        if self._is_allowed(host):
            return True
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match["name"].strip("[]")
        is_our_port = int(match["port"] or _HTTP_PORT) == self._port
        if self._is_local:
            return is_our_port and is_loopback(name)
        # an address, unlike a name, can't be pointed here by another site; the port may have been translated
        return _is_address(name) or name == "localhost" or (is_our_port and name == self._options.host.lower())

    def _is_allowed(self, host: str) -> bool:
        return host in self._allowed or host.rpartition(":")[0] in self._allowed


def _only_host(request: Request) -> str:
    """The one Host header, in lower case. Raises 400 when it is missing, repeated, malformed, or not the target's."""
    hosts = request.all("host")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise bad_request("Host: there must be exactly one valid Host header", "BAD_HOST")
    host = hosts[0].lower()
    if request.authority is not None and request.authority.lower() != host:
        raise bad_request("Host: is not the host of the request's target", "BAD_HOST")
    return host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

"""Where calls go: the base URL as people write it, ids as path segments."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scenario_apply.errors import ApiError
from scenario_apply.model.ids import ID_IN_WORDS, is_id

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_HINT = "set SCENARIO_BASE_URL to an address like https://api.cloud.scenario.com/v1"


def parse_base_url(text: str) -> str:
    """The base URL without a slash at its end, its path kept. Raises ApiError (code base-url) for anything odd."""
    stripped = text.strip()
    try:
        parts = urlsplit(stripped)
        port = parts.port
    except ValueError:
        raise _odd("is no address") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise _odd("must start with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise _odd("must not hold credentials")
    if parts.query or parts.fragment:
        raise _odd("must not hold a query or a fragment")
    if not parts.hostname or port == 0 or any(c.isspace() or ord(c) < 0x20 for c in stripped):
        raise _odd(f"names no host: {stripped[:200]!r}")
    return stripped.rstrip("/")


def host_of(url: str) -> str:
    """host or host:port of a URL, fit for a message; what stands there when it is no URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an address that cannot be read"
    if not host:
        return "the same host"
    return f"{host}:{port}" if port is not None else host


def is_loopback_host(url: str) -> bool:
    """Does a URL name this machine: localhost or a loopback, link-local or unspecified address?"""
    address = _address_of(url)
    return address is not None and (address.is_loopback or address.is_link_local or address.is_unspecified)


def stays_on_this_machine(url: str) -> bool:
    """As is_loopback_host, without link-local addresses, which other machines have, and without 0.0.0.0."""
    address = _address_of(url)
    return address is not None and address.is_loopback


def _address_of(url: str) -> IPv4Address | IPv6Address | None:
    """The address of a URL's host, 127.0.0.1 for localhost; None for other names and for what is no URL."""
    import ipaddress

    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
        if host == "localhost" or host.endswith(".localhost"):
            return ipaddress.IPv4Address("127.0.0.1")
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def require_private_channel(base_url: str, *, allow_http: bool) -> None:
    """Raises ApiError (code base-url) for http:// to another machine, unless the caller consents.

    The key and its secret go with every request and could be read on the way.
    """
    if allow_http or base_url.strip().lower().startswith("https:") or stays_on_this_machine(base_url.strip()):
        return
    raise ApiError(
        f"the credentials would be sent unencrypted to {host_of(base_url)}: its address begins with http://",
        code="base-url",
        hint="use https://; in a network that you trust, --allow-http or SCENARIO_APPLY_ALLOW_HTTP=1 permits it",
    )


def segment(kind: str, value: str) -> str:
    """An id as one segment of a path. Raises ApiError (code bad-id) for one that cannot be one."""
    if not is_id(value):
        raise ApiError(f"{value[:140]!r} is no id of {kind}: an id is {ID_IN_WORDS}", code="bad-id")
    return value


def _odd(why: str) -> ApiError:
    return ApiError(f"the service's base URL {why}", code="base-url", hint=_HINT)

"""Network addresses: which belong to this machine, and which are public."""

from __future__ import annotations

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host. Names other than `localhost` are not looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def literal_address(host: str) -> Address | None:
    """The address a host is, in any notation that a resolver takes (`127.1`, `0x7f000001`, `::1`); None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Whether an address is on the internet: not this machine, not a private or link-local network, no multicast.

    IPv6 addresses that stand for an IPv4 address (mapped, 6to4, Teredo, NAT64) are judged by that.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner_addresses(address)
        if inner:
            return all(map(is_public, inner))
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inner_addresses(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []

"""Where an HTTP state server is asked for the document and the lock, and as whom: from the URL and the environment.

The variables are those of Terraform's http backend. They belong to the address in TF_HTTP_ADDRESS; without one, to a
URL that the caller named. A URL out of a manifest gets no credentials that were not meant for its host.

Sources: Terraform, internal/backend/remote-state/http; GitLab, lib/api/terraform/state.rb.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.remote.backend import StoreUnavailable

_LOCKS_BELOW = re.compile(r".*/terraform/state/[^/]+")
_GITLAB = re.compile(r".*/api/v4/projects/[^/]+/terraform/state/[^/]+")
_METHOD = re.compile(r"[A-Z]{1,20}")
_PORTS = {"https": 443, "http": 80}
_JOB_USER = "gitlab-ci-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAddress:
    """origin: scheme, host and port. Paths begin with / and may hold a query. user, password: "" for none.

    has_lock_below: by the form of the path, GitLab's or that of servers which follow it. is_gitlab: GitLab itself.
    """

    origin: str
    path: str
    update_method: str = "POST"
    lock_path: str
    lock_method: str
    unlock_path: str
    unlock_method: str
    has_lock_below: bool
    is_gitlab: bool
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def http_address(url: StateUrl, environment: Mapping[str, str]) -> HttpAddress:
    """Raises StoreUnavailable for variables that cannot be followed. environment: an empty value counts as none."""
    ours = urlsplit(url.shown)
    origin = f"{ours.scheme}://{ours.netloc}"
    user, password = _login(url, environment)
    is_meant = _is_meant(url, environment)
    is_below = _LOCKS_BELOW.fullmatch(ours.path) is not None
    locking = f"{ours.path}/lock" if is_below else ours.path

    def said(name: str) -> str:
        return environment.get(f"TF_HTTP_{name}", "").strip() if is_meant else ""

    def method(name: str, default: str) -> str:
        found = (said(name) or default).upper()
        if not _METHOD.fullmatch(found):
            raise StoreUnavailable(f"TF_HTTP_{name} is no method of HTTP", hint=f"unset it, or set it to {default}")
        return found

    def path(name: str) -> str:
        return _path_of(said(name), f"TF_HTTP_{name}", url) if said(name) else locking

    return HttpAddress(
        origin=origin,
        path=ours.path,
        update_method=method("UPDATE_METHOD", "POST"),
        lock_path=path("LOCK_ADDRESS"),
        lock_method=method("LOCK_METHOD", "POST" if is_below else "LOCK"),
        unlock_path=path("UNLOCK_ADDRESS"),
        unlock_method=method("UNLOCK_METHOD", "DELETE" if is_below else "UNLOCK"),
        has_lock_below=is_below,
        is_gitlab=_GITLAB.fullmatch(ours.path) is not None,
        user=user,
        password=password,
    )


def _is_meant(url: StateUrl, environment: Mapping[str, str]) -> bool:
    """Whether the variables of methods and lock addresses are those of this URL."""
    named = environment.get("TF_HTTP_ADDRESS", "").strip()
    return _plain(named) == _plain(url.shown) if named else url.is_named


def _login(url: StateUrl, environment: Mapping[str, str]) -> tuple[str, str]:
    """User and password for a URL; "" for none."""
    if url.user is not None:
        return url.user, url.password or ""
    named = environment.get("TF_HTTP_ADDRESS", "").strip()
    user, password = environment.get("TF_HTTP_USERNAME", ""), environment.get("TF_HTTP_PASSWORD", "")
    is_for_us = _origin(named) == _origin(url.shown) if named else url.is_named
    if (user or password) and is_for_us:
        return user, password
    token, api = environment.get("CI_JOB_TOKEN", ""), environment.get("CI_API_V4_URL", "").strip()
    if token and api and _plain(url.shown).startswith(f"{_plain(api)}/"):
        return _JOB_USER, token
    return "", ""


def _path_of(address: str, variable: str, url: StateUrl) -> str:
    """The path and query of an address on the same server: the credentials go to no other. Raises StoreUnavailable."""
    if _origin(address) != _origin(url.shown):
        raise StoreUnavailable(
            f"{variable} is not an address on the server of the state {url.shown}",
            hint=f"set it to an address there, or unset it; the default is {url.shown}",
        )
    parts = urlsplit(address)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _origin(address: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port; None for what is no address of HTTP."""
    try:
        parts = urlsplit(address)
        scheme, port = parts.scheme.lower(), parts.port
    except ValueError:
        return None
    return None if scheme not in _PORTS else (scheme, parts.hostname, port or _PORTS[scheme])


def _plain(address: str) -> str:
    """An address as it is compared: scheme and host in lower case, no usual port, no slash at the end."""
    origin = _origin(address)
    if origin is None:
        return address
    scheme, host, port = origin
    return f"{scheme}://{host}:{port}{urlsplit(address).path.rstrip('/')}"

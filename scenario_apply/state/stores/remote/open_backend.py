"""Opens the store that a URL names. Only its own module, and the package this needs, is imported."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

from scenario_apply.errors import StateError
from scenario_apply.model.ports import Clock
from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.remote.backend import StateBackend, StoreUnavailable

_OBJECTS = ("object_backend", "ObjectBackend")
_HTTP = ("http_backend", "HttpBackend")
_BACKENDS = {
    **{"s3": _OBJECTS, "gs": _OBJECTS, "az": _OBJECTS, "https": _HTTP, "http": _HTTP},
    "postgres": ("postgres_backend", "PostgresBackend"),
}
_EXTRAS = {"obstore": ("remote", "obstore"), "psycopg": ("postgres", "psycopg[binary]")}


def open_backend(url: StateUrl, *, clock: Clock, allow_http: bool = False) -> StateBackend:
    """The store of one state. Connects when it is first asked something. allow_http: also to another machine.

    Raises StoreUnavailable for a package that is not installed, StateError for a host that the caller did not name.
    """
    if not (url.is_object or url.is_named or url.is_loopback):
        raise StateError(f"the host of {url} was not named by the caller", code="state-host")
    if url.scheme == "http" and not (allow_http or url.is_loopback):
        raise StoreUnavailable(f"{url} is not encrypted", hint="use https://, or permit it: --allow-http")
    module, name = _BACKENDS[url.scheme]
    try:
        backend: Callable[..., StateBackend] = getattr(import_module(f"{__package__}.{module}"), name)
        return backend(url, clock=clock, allow_http=allow_http)
    except ModuleNotFoundError as error:
        _not_installed(url, error)


def _not_installed(url: StateUrl, error: ModuleNotFoundError) -> NoReturn:
    """Raises StoreUnavailable with the line that installs the package; other modules are bugs."""
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        raise error
    extra, needed = _EXTRAS[package]
    hint = f"pip install 'scenario-apply[{extra}]' (pipx: pipx inject scenario-apply '{needed}')"
    raise StoreUnavailable(f"{url} cannot be used: {package} is not installed", hint=hint) from error

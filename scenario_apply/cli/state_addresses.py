"""States whose place is a URL, in --state or in `state:`: what is accepted, and which hosts may be asked.

--state is the caller's. `state:` may have come with a pull request: a server or database that it names is only asked
where the caller named the host, too, since the request carries credentials of the environment. Object stores are asked
at the endpoints of the environment, whichever bucket is named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.errors import Diagnostic, Location, ManifestError, UsageError
from scenario_apply.state.state_url import BadStateUrl, StateUrl, parse_state_url
from scenario_apply.state.url_texts import without_password

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenario_apply.cli.settings import Settings
    from scenario_apply.manifest.spec import Manifest

SERVERS = ("TF_HTTP_ADDRESS", "CI_API_V4_URL", "CI_SERVER_URL")
"""Variables that name a server of states, or the GitLab that runs the job."""

_PORTS = {"https": 443, "http": 80}
_HTTP = "use https://, or permit it: --allow-http"
_PASSWORDS = {
    "postgres": "leave it out; PGPASSWORD, or the file of PGPASSFILE, has the password",
    "https": "leave it out; TF_HTTP_USERNAME and TF_HTTP_PASSWORD have them",
}


def url_of_option(text: str, settings: Settings, manifest_name: str | None = None) -> StateUrl:
    """The URL of --state, or of another word of the command line. Raises UsageError."""
    try:
        url = parse_state_url(text, manifest_name)
    except BadStateUrl as bad:
        raise UsageError(bad.what, hint=bad.hint) from bad
    if is_refused_http(url, settings):
        raise UsageError(f"{url} is not encrypted", hint=_HTTP)
    return url.named()


def is_refused_http(url: StateUrl, settings: Settings) -> bool:
    """Whether it is not encrypted, on another machine, and the caller does not permit that."""
    return url.scheme == "http" and not (url.is_loopback or settings.allow_http)


def url_of_manifest(manifest: Manifest, settings: Settings) -> StateUrl:
    """The URL of a `state:` that is one. Raises ManifestError, also for a host that the caller did not name."""
    assert manifest.state is not None
    problem = url_problem(manifest)
    if problem is not None:
        raise ManifestError(problem.message, problems=[problem])
    url = parse_state_url(manifest.state, manifest.name)
    if is_refused_http(url, settings):
        raise ManifestError(f"state: {url} is not encrypted", location=manifest.state_place, hint=_HTTP, code="state")
    if url.is_object:
        return url
    if is_named(url, settings):
        return url.named()
    if not url.is_loopback:  # a server of this machine is asked, without credentials of the environment
        raise ManifestError(
            f"state: names {url.host or 'a host'}, and nothing is sent to a host that only the manifest names",
            location=manifest.state_place,
            hint=f"if it is yours, name it: --state {url.written}, or SCENARIO_APPLY_ALLOW_REMOTE={_host_prefix(url)}",
            code="state-host",
        )
    return url


def url_problem(manifest: Manifest) -> Diagnostic | None:
    """What is wrong with a `state:` that is meant as a URL, for every user."""
    assert manifest.state is not None
    try:
        url = parse_state_url(manifest.state, manifest.name)
    except BadStateUrl as bad:
        return Diagnostic(
            code="outside-root", message=f"state: {bad.what}", location=_place_of(manifest), hint=bad.hint
        )
    if url.password is None and (url.user is None or url.scheme == "postgres"):
        return None
    return Diagnostic(
        code="secret-in-clear",
        message="state: holds credentials, which would be kept in version control",
        location=_place_of(manifest),
        hint=_PASSWORDS.get(url.scheme, _PASSWORDS["https"]),
    )


def _place_of(manifest: Manifest) -> Location | None:
    """Where `state:` stands; the line that is shown is without a password."""
    place = manifest.state_place
    return place if place is None or place.text is None else replace(place, text=without_password(place.text))


def is_named(url: StateUrl, settings: Settings) -> bool:
    """Whether the caller's environment names the server of a URL."""
    if settings.remote.names(url.shown):
        return True
    environment = settings.environment
    if url.scheme == "postgres":
        return not url.host or _is_usual_database(url, environment)
    return any(_origin(environment.get(name, "")) == _origin(url.shown) for name in SERVERS)


def _is_usual_database(url: StateUrl, environment: Mapping[str, str]) -> bool:
    usual = environment.get("PGPORT") or "5432"
    hosts = [host.strip().lower() for host in environment.get("PGHOST", "").split(",")]
    return url.host.lower() in hosts and str(url.port or usual) == usual


def _origin(address: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of an address of a server."""
    try:
        url = parse_state_url(address if address.rpartition("://")[2].count("/") else f"{address}/", "state")
    except BadStateUrl:
        return None
    return None if url.is_object else (url.scheme, url.host, url.port or _PORTS.get(url.scheme))


def _host_prefix(url: StateUrl) -> str:
    return url.shown[: url.shown.index("/", len(url.scheme) + 3) + 1]

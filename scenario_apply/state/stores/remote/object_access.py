"""Opens buckets through obstore: S3 and what speaks its language, Google Cloud Storage, Azure.

Endpoint, region and credentials come from the caller's environment, as the stores' own programs read them. Of what a
store answers only a status and a code are shown, because its texts may repeat signatures. Serves states and datasets.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scenario_apply.state.stores.remote.aws_profile import profile_settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>|\(code: (\w{1,60})\)")
_TOKEN_SERVICES = re.compile(r"169\.254\.169\.254|/latest/api/token|computeMetadata|metadata\.google\.internal")
"""Where obstore asks for credentials when the environment names none."""

_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_ALLOW_HTTP = {"s3": "AWS_ALLOW_HTTP", "gs": "GOOGLE_ALLOW_HTTP", "az": "AZURE_ALLOW_HTTP"}
_EXPORT = 'eval "$(aws configure export-credentials --format env)"'
_SILENT = "it does not answer"
_MISSING_OBJECT = ("NoSuchKey", "BlobNotFound")
_PASSING = (408, 429, 500, 502, 503, 504)
_PASSING_CODES = ("SlowDown", "InternalError", "ServiceUnavailable")
"""Of one object, in the answer to a bulk delete."""

_VARIABLES = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL",
    "gs": "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or another of its variables",
}
_HINTS = {
    **dict.fromkeys(("NoSuchBucket", "ContainerNotFound"), "check the name, or create it"),
    **dict.fromkeys(
        ("AccessDenied", "AuthorizationPermissionMismatch"),
        "check the permissions of its credentials; without the one to list, stores do not say what is missing",
    ),
    "NotImplemented": "a state needs conditional writes: use S3, MinIO, R2, Google Cloud Storage or Azure",
    "RequestTimeTooSkewed": "set this machine's clock: the store refuses requests with another time",
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException"), "its credentials have expired: renew them"),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        "set AWS_REGION to the region of the bucket",
    ),
}


_CODES = {"501": "NotImplemented"}
"""Of a status, where obstore leaves out what the store said: 0.10 does for 5xx."""


class NotOpened(Exception):
    """A bucket cannot be used: why, as the end of a sentence, and a hint."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def open_bucket(url: str, *, allow_http: bool, timeout_s: float, connect_timeout_s: float, retries: int) -> ObjectStore:
    """A bucket or container. url: such as s3://bucket. retries: of obstore itself, for a request that failed.

    allow_http: also without encryption; to this machine that is always permitted. Raises NotOpened for a setting that
    is wrong, and ImportError without the extra.
    """
    from obstore.store import from_url

    options: dict[str, Any] = {
        "timeout": timedelta(seconds=timeout_s),
        "connect_timeout": timedelta(seconds=connect_timeout_s),
    }
    endpoint = endpoint_of(url)
    if endpoint and endpoint.startswith("http:"):
        if not _may_be_unencrypted(url, endpoint, allow_http=allow_http):
            raise NotOpened("its endpoint is not encrypted", "--allow-http permits it")
        options["allow_http"] = True
    settings = _s3_settings(endpoint) if url.startswith("s3:") else {}  # obstore reads those of others by itself
    again: Any = {"max_retries": retries, "retry_timeout": timedelta(seconds=60)}
    try:
        # obstore types the settings of each kind of store apart
        opened: ObjectStore = from_url(url, client_options=options, retry_config=again, **settings)  # type: ignore[call-overload]
    except Exception as error:  # obstore's errors have no common base with its ValueErrors
        raise NotOpened(reason(error), hint(url, error)) from None
    return opened


def _s3_settings(endpoint: str | None) -> dict[str, str]:
    """What is not in variables that obstore reads."""
    try:
        profile = profile_settings()
    except (OSError, ValueError):
        raise NotOpened("the profiles of AWS cannot be read", "check ~/.aws/credentials and ~/.aws/config") from None
    return {**profile, "endpoint": endpoint} if endpoint else profile


def endpoint_of(url: str) -> str | None:
    """The endpoint that the environment names for a kind of store; None for the usual one."""
    names = _ENDPOINTS[url.partition(":")[0]]
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _may_be_unencrypted(url: str, endpoint: str, *, allow_http: bool) -> bool:
    """On this machine, or with consent: the manifest does not choose the endpoint."""
    host = urlsplit(endpoint).hostname or ""
    is_local = host == "localhost" or host.startswith("127.") or host == "::1"
    return is_local or allow_http or os.environ.get(_ALLOW_HTTP[url.partition(":")[0]], "").lower() == "true"


def reason(error: Exception) -> str:
    """The status and the code of a store's answer, without its text."""
    said = _said(error)
    if _TOKEN_SERVICES.search(said):
        return "there are no credentials for it"
    status, code = _status(said), _code(said)
    if status or code:
        return " ".join(filter(None, (code, status and f"(status {status})")))
    if "must be specified" in said or "MissingAccount" in said:
        return "its account is not set"
    if "Received redirect" in said:
        return "it is in another region"
    if "credential" in said.lower():
        return "there are no credentials for it"
    return _SILENT if "HTTP error" in said else type(error).__name__


def hint(url: str, error: Exception) -> str:
    """What to check after an error of that bucket."""
    scheme = url.partition(":")[0]
    said = _said(error)
    if "Received redirect" in said:
        return _HINTS["PermanentRedirect"]
    if not _TOKEN_SERVICES.search(said) and (known := _HINTS.get(_code(said) or _CODES.get(_status(said) or "", ""))):
        return known
    if reason(error) == _SILENT:
        return f"check the network, and the endpoint where one is set: {', '.join(_ENDPOINTS[scheme])}"
    more = "; for a public bucket AWS_SKIP_SIGNATURE=true" if scheme == "s3" else ""
    if scheme == "s3" and reason(error) == "there are no credentials for it":
        more = f", or a profile with keys; for single sign-on and roles: {_EXPORT}"
    return f"check the name and the store's variables: {_VARIABLES[scheme]}{more}"


def is_missing_object(error: FileNotFoundError) -> bool:
    """Whether the store said that it has no such object. Else the bucket is missing, or something else answered."""
    return _code(_said(error)) in _MISSING_OBJECT


def may_pass(error: Exception) -> bool:
    """Whether the same request may succeed later; it may have been carried out, and its answer lost."""
    said = _said(error)
    if _TOKEN_SERVICES.search(said):
        return False
    if status := _status(said):
        return int(status) in _PASSING
    return _code(said) in _PASSING_CODES or ("HTTP error" in said and "builder error" not in said)


def _said(error: Exception) -> str:
    """The error without what obstore adds for its own developers."""
    return str(error).partition("\n\nDebug source:")[0]


def _status(said: str) -> str | None:
    found = _STATUS.search(said)
    return found and found[1]


def _code(said: str) -> str | None:
    found = _CODE.search(said)
    return found and (found[1] or found[2])

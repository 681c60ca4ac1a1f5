"""Authentication: Basic keys, bearer tokens that expire, and the literal token that reads public objects."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

import orjson

from scenario_apply.emulator.messages import ApiError, Request

if TYPE_CHECKING:
    from scenario_apply.emulator.options import EmulatorOptions
    from scenario_apply.emulator.world import World

PUBLIC_TOKEN = "public-auth-token"  # noqa: S105 -- a literal of the API, not a secret
TOKEN_LIFE_S = 60


def identify(world: World, request: Request) -> None:
    """Set request.project, or raise 401 (no valid credentials), 403 (token expired, project out of scope)."""
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if PUBLIC_TOKEN in (header, value):
        request.public_only = True
    elif scheme.lower() == "basic":
        _check_key(world.options, value.strip())
    elif scheme.lower() == "bearer" and value.strip():
        _check_token(world, value.strip())
    else:
        raise _unauthorized("Missing credentials")
    request.project = scope(world, request.query.get("projectId"))


def scope(world: World, named: str | None) -> str:
    """The project a request is about. Raises 403 for one out of reach."""
    if not named:
        project = world.default_project
    elif world.options.projects and named not in world.options.projects:
        raise ApiError(403, f"No access to project {named[:80]}", "FORBIDDEN")
    elif len(named) > 100 or not named.isprintable():
        raise ApiError(403, "No access to this project", "FORBIDDEN")
    else:
        project = named
    world.ensure_project(project)
    return project


def issue_token(world: World) -> str:
    """A bearer token that is valid for a minute, signed by this server."""
    expires = world.now_ms() // 1000 + TOKEN_LIFE_S
    claims = _encode(orjson.dumps({"exp": expires, "iss": "scenario-emulator"}))
    unsigned = f"{_encode(orjson.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{claims}"
    return f"{unsigned}.{_encode(hmac.digest(world.secret, unsigned.encode(), 'sha256'))}"


def check_basic(options: EmulatorOptions, request: Request) -> None:
    """Raise a 401, which makes a browser prompt, unless the request carries the API key and secret of the options."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "basic":
            raise _unauthorized("Missing credentials")
        _check_key(options, value.strip())
    except ApiError as problem:
        problem.headers["WWW-Authenticate"] = 'Basic realm="scenario emulator"'
        raise


def _check_key(options: EmulatorOptions, value: str) -> None:
    try:
        key, colon, secret = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise _unauthorized("Unreadable credentials") from None
    if not colon or not key or not secret:
        raise _unauthorized("Missing credentials")
    if options.api_key is None or options.api_secret is None:
        return
    right_key = hmac.compare_digest(key.encode(), options.api_key.encode())
    right_secret = hmac.compare_digest(secret.encode(), options.api_secret.encode())
    if not (right_key and right_secret):
        raise _unauthorized("Wrong API key or secret")


def _check_token(world: World, token: str) -> None:
    unsigned, _, signature = token.rpartition(".")
    expires = _expiry(unsigned)
    if world.options.api_key is not None:
        expected = _encode(hmac.digest(world.secret, unsigned.encode("utf-8", "replace"), "sha256"))
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise _unauthorized("Wrong token")
    if expires is not None and world.now_ms() >= expires * 1000:
        raise ApiError(
            403,
            "User is not authorized to access this resource with an explicit deny",
            "FORBIDDEN",
            headers={"x-amzn-errortype": "AccessDeniedException"},
        )


def _expiry(unsigned: str) -> float | None:
    claims = unsigned.rpartition(".")[2]
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (binascii.Error, ValueError):
        return None
    expires = decoded.get("exp") if isinstance(decoded, dict) else None
    return float(expires) if isinstance(expires, int | float) else None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, message, "AUTHENTICATION_FAILED")

"""Addresses of files, as a CDN serves them: signed, without credentials, changing every day."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from scenario_apply.emulator.messages import ApiError, Request

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_DAY_MS = 86_400_000


def asset_url(world: World, origin: str, asset: str) -> str:
    """Where the bytes of an asset are, for at least 24 hours."""
    return _signed(world, origin, f"/cdn/assets/{asset}")


def export_url(world: World, origin: str, job: str) -> str:
    """Where the file of a weights export is."""
    return _signed(world, origin, f"/cdn/exports/{job}")


def part_url(world: World, origin: str, upload: str, number: int, expires_ms: int) -> str:
    """Where a part of an upload is to be put."""
    path = f"/parts/{upload}/{number}"
    return f"{origin}{path}?expires={expires_ms}&signature={_signature(world, path, expires_ms)}"


def check_signature(world: World, request: Request) -> None:
    """403 unless this server signed the address and it has not expired."""
    expires = request.query.get("expires", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
        raise ApiError(403, "Missing signature", "FORBIDDEN")
    expected = _signature(world, request.decoded_path, int(expires))
    if not hmac.compare_digest(expected.encode(), request.query.get("signature", "").encode("utf-8", "replace")):
        raise ApiError(403, "Wrong signature", "FORBIDDEN")
    if world.now_ms() > int(expires):
        raise ApiError(403, "The address has expired", "FORBIDDEN")


def _signed(world: World, origin: str, path: str) -> str:
    expires = (world.now_ms() // _DAY_MS + 2) * _DAY_MS
    return f"{origin}{path}?expires={expires}&signature={_signature(world, path, expires)}"


def _signature(world: World, path: str, expires_ms: int) -> str:
    message = f"{path}?{expires_ms}".encode("utf-8", "replace")
    return hmac.digest(world.secret, message, "sha256").hex()[:32]

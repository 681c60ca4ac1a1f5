"""Sending webhooks: signed, in the background, tried a few times, every attempt written to the event log."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import ipaddress
import socket
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from scenario_apply.emulator.addresses import is_public
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.notices import Notices
from scenario_apply.emulator.store import Row, dump

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

SIGNATURE_HEADER = "X-Scenario-Signature"
"""`t=<seconds>,v1=<hex>`: HMAC-SHA256 of `<seconds>.<body>` under the endpoint's secret. The emulator's own scheme:
the live service's is not documented."""
_RETRY_AFTER_S = (0.2, 1.0, 5.0)
_TIMEOUT_S = 3.0


def sign(secret: str, body: bytes, seconds: int) -> str:
    """The value of the signature header."""
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class ForbiddenDestination(Exception):
    """A webhook's address is on this machine or a private network, which is not allowed."""


class Courier:
    """Delivers events; one task each, in real time even when the emulator's clock stands still."""

    def __init__(self, world: World, notices: Notices) -> None:
        self._world = world
        self._notices = notices
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def send_new(self) -> None:
        """Start delivering every event that is neither settled nor in delivery, also those from before a restart."""
        rows = self._world.db.all("SELECT id FROM webhook_events WHERE status IN ('created', 'retrying') ORDER BY seq")
        for row in rows:
            identifier = row["id"]
            if identifier not in self._tasks:
                task = asyncio.create_task(self._deliver(identifier))
                self._tasks[identifier] = task
                task.add_done_callback(partial(self._forget, identifier))

    def _forget(self, identifier: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(identifier, None)

    async def close(self) -> None:
        """Drop what is under way; it is taken up at the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, identifier: str) -> None:
        for pause_s in (*_RETRY_AFTER_S, None):
            event = self._world.db.one(
                "SELECT e.*, w.url, w.secret FROM webhook_events e JOIN webhook_endpoints w ON w.id = e.endpoint"
                " WHERE e.id = ?",
                (identifier,),
            )
            if event is None:
                return
            status = await self._attempt(event)
            good = 200 <= status < 300
            self._note(event, status, "success" if good else "retrying" if pause_s is not None else "failed")
            if good or pause_s is None:
                return
            await asyncio.sleep(pause_s)

    async def _attempt(self, event: Row) -> int:
        """The status of one attempt; 0 when there was no answer, or no address it may be sent to."""
        allow_local = self._world.options.allow_local_webhooks
        try:
            return await asyncio.to_thread(_post, event, self._world.now_ms() // 1000, allow_local)
        except ForbiddenDestination as problem:
            self._notices.note("webhook", f"a webhook was not sent: {problem}; --allow-local-webhooks permits it")
            return 0

    def _note(self, event: Row, response: int, status: str) -> None:
        db, now = self._world.db, self._world.now_ms()
        attempts = [*orjson.loads(event["attempts"]), {"responseStatusCode": response, "sentAt": iso(now)}]
        with db.transaction():
            db.run(
                "UPDATE webhook_events SET status = ?, attempts = ?, updated = ? WHERE id = ?",
                (status, dump(attempts), now, event["id"]),
            )
            db.run(
                "UPDATE webhook_endpoints SET total = total + 1, failed = failed + ? WHERE id = ?",
                (int(status != "success"), event["endpoint"]),
            )


def _post(event: Row, seconds: int, allow_local: bool) -> int:
    """The status of one attempt; 0 when there was no answer. Redirects are not followed.

    Raises ForbiddenDestination, also for a name that resolves to a local address.
    """
    parts = urlsplit(event["url"])
    body = bytes(event["payload"])
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = _connect(parts.scheme, parts.hostname or "", parts.port, allow_local)
        try:
            headers = {"Content-Type": "application/json", SIGNATURE_HEADER: sign(event["secret"], body, seconds)}
            connection.request("POST", path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return 0


def _connect(scheme: str, host: str, port: int | None, allow_local: bool) -> http.client.HTTPConnection:
    """A connection to an address that was looked at: the name is resolved once, and not again by the connection."""
    import ssl

    is_tls = scheme == "https"
    found = socket.getaddrinfo(host, port or (443 if is_tls else 80), type=socket.SOCK_STREAM)
    places = [(str(place[0]), int(place[1])) for *_, place in found]
    for address, _ in places:
        if not allow_local and not is_public(ipaddress.ip_address(address)):
            raise ForbiddenDestination(f"{host[:80]} is on this machine or a private network")
    opened = _open(places)
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    connection.sock = opened
    if is_tls:
        try:
            connection.sock = ssl.create_default_context().wrap_socket(opened, server_hostname=host)
        except BaseException:
            opened.close()
            raise
    return connection


def _open(places: list[tuple[str, int]]) -> socket.socket:
    """A connection to the first address that takes one."""
    problem = OSError("the name has no address")
    for place in places:
        try:
            return socket.create_connection(place, _TIMEOUT_S)
        except OSError as one:
            problem = one
    raise problem

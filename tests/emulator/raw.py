"""Requests as bytes, for what no HTTP library would send."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from scenario_apply.emulator.thread import EmulatorThread

KEY = "Authorization: Basic azpz"
"""k:s"""


def connect(emulator: EmulatorThread) -> socket.socket:
    """A bare connection."""
    address = urlsplit(emulator.url)
    return socket.create_connection(("127.0.0.1", address.port or 0), timeout=10)


def host_of(emulator: EmulatorThread) -> str:
    """What the Host header should be."""
    return urlsplit(emulator.url).netloc


def send(emulator: EmulatorThread, method: str, target: str, *headers: str, body: bytes = b"") -> int:
    """The status of one request; headers stand as they are, Host included."""
    lines = [f"{method} {target} HTTP/1.1", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    with connect(emulator) as wire:
        wire.sendall("\r\n".join(lines).encode("latin-1") + body)
        return status_of(wire)


def status_of(wire: socket.socket) -> int:
    """The status of the next answer on a connection that is used for nothing else afterwards."""
    with wire.makefile("rb") as stream:
        return int(stream.readline().split()[1])


def read_answer(wire: socket.socket) -> tuple[int, bytes]:
    """Status and body of one answer, and not a byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = wire.recv(1)
        assert byte, f"the connection ended after {head!r}"
        head += byte
    lines = head.decode("latin-1").split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
    body = b""
    while len(body) < length:
        body += wire.recv(length - len(body))
    return int(lines[0].split()[1]), body

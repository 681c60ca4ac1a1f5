"""Servers on loopback that break in one way each: what a library's fakes cannot show."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Handler = Callable[[socket.socket], None]


@contextmanager
def serving(*handlers: Handler) -> Iterator[str]:
    """A server that gives each connection to the next handler, the last one for ever; its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    todo = list(handlers)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            handler = todo.pop(0) if len(todo) > 1 else todo[0]
            with connection, suppress(OSError):
                connection.settimeout(5)
                handler(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def closed_port() -> int:
    """A port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def read_request(connection: socket.socket) -> bytes:
    """A whole request, with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        piece = connection.recv(1 << 20)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def answering(content: bytes, status: str = "200 OK", headers: str = "", seen: list[bytes] | None = None) -> Handler:
    """Answers every request of a connection."""

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            if seen is not None:
                seen.append(request)
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
            connection.sendall(head.encode() + content)

    return handle


def resets(connection: socket.socket) -> None:
    """Takes the whole request, then breaks the connection."""
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closes(connection: socket.socket) -> None:
    """Takes the whole request, then closes without a word."""
    read_request(connection)


def slams(connection: socket.socket) -> None:
    """Breaks the connection before anything is read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs(connection: socket.socket) -> None:
    """Reads the request and does not respond until the client disconnects."""
    read_request(connection)
    with suppress(OSError):
        connection.recv(1)


def cuts_off(connection: socket.socket) -> None:
    """Promises more than it sends."""
    read_request(connection)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"model":')


def speaks_no_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    read_request(connection)


def refuses_garbage(connection: socket.socket) -> None:
    """What a plain HTTP server does with a TLS handshake."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def dripping(content: bytes, stop: threading.Event, every_s: float = 0.05) -> Handler:
    """Sends an answer byte by byte, each well within any read time-out, until the client leaves or stop is set."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        for byte in content:
            if stop.wait(every_s):
                return
            connection.sendall(bytes([byte]))

    return handle

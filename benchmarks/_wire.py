"""Servers pinned to one core, and a client that loads them: prepared bytes out, lengths read, nothing else done.

The client is the same for every server. It keeps a few connections busy from one thread: a request goes out on each,
then the answers are read, so that it costs a small part of what any of the servers does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that answers: its process, port, and the seconds from exec to its first answer."""

    name: str
    pid: int
    port: int
    start_up_s: float

    def cpu_s(self) -> float:
        """Processor time it has used, its own and the kernel's on its behalf."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self) -> float:
        """Resident memory now."""
        with open(f"/proc/{self.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def cores() -> tuple[int | None, int | None]:
    """A core for the server, another for the client; the same one if there is but one, None where nothing is pinned."""
    if not hasattr(os, "sched_setaffinity"):
        return None, None
    free = sorted(os.sched_getaffinity(0))
    return free[-1], free[0]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def served(name: str, command: Sequence[str], port: int, core: int | None, folder: str) -> Iterator[Running]:
    """A server as a child process on one core, from its first answer to the end of the block."""

    def pin() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})

    started = time.perf_counter()
    with open(os.path.join(folder, f"{name}.log"), "wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=pin, cwd=folder
        )
    try:
        while not _answers(port):
            if process.poll() is not None or time.perf_counter() - started > 60:
                raise SystemExit(f"{name} did not start; its last words are in {log.name}")
            time.sleep(0.002)
        yield Running(name=name, pid=process.pid, port=port, start_up_s=time.perf_counter() - started)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        return ask(port, request("GET", "/v1/projects"))[0] > 0
    except OSError:
        return False


BASIC = "Basic azpz"  # k:s
AWS = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=s"


def request(
    method: str, path: str, body: bytes = b"", kind: str = "application/json", auth: str | None = BASIC
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    if auth is not None:
        lines.append(f"Authorization: {auth}")
    if body:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One keep-alive connection; a server that closes is called again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""

    def send(self, data: bytes) -> None:
        """Send a whole request."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(data)

    def receive(self) -> tuple[int, bytes]:
        """Status and body of the next answer."""
        head = self._until(b"\r\n\r\n")
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            body = b""
            while size := int(self._until(b"\r\n").strip(), 16):
                body += self._exactly(size + 2)[:-2]
            self._until(b"\r\n")
        else:
            start = lower.find(b"content-length:")
            body = self._exactly(int(lower[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0)
        if b"connection: close" in lower or lower.startswith(b"http/1.0"):
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._rest:
            self._more()
        found, _, self._rest = self._rest.partition(mark)
        return found + mark

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._more()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _more(self) -> None:
        assert self._socket is not None
        piece = self._socket.recv(262_144)
        if not piece:
            raise ConnectionError("the server hung up in the middle of an answer")
        self._rest += piece


def ask(port: int, data: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = Connection(port)
    try:
        connection.send(data)
        return connection.receive()
    finally:
        connection.close()


def rate(server: Running, requests: Sequence[bytes], seconds: float, connections: int) -> tuple[float, float, int]:
    """Requests per second by the clock, and per second of the server's processor time: what it does with a whole core.

    Those given go out one after the other and over again. Last comes how many were answered 400 or more: not counted.
    """
    lines = [Connection(server.port) for _ in range(connections)]
    done, refused, position = 0, 0, 0
    busy, started = server.cpu_s(), time.perf_counter()
    try:
        while (taken := time.perf_counter() - started) < seconds:
            for line in lines:
                line.send(requests[position % len(requests)])
                position += 1
            for line in lines:
                if line.receive()[0] < 400:
                    done += 1
                else:
                    refused += 1
    finally:
        for line in lines:
            line.close()
    return done / taken, done / max(0.01, server.cpu_s() - busy), refused

"""Connections with one deadline for a whole exchange (status line, headers and body together), and none long idle.

A socket's time limit starts again with every byte, so a server that sends a byte every few seconds would hold a call
forever. Answers are therefore read through a file that gives each read only the time that is left.

Services and what stands before them close connections that are idle. A request that leaves at that moment gets no
answer, and of one that creates or spends it is unknown whether it was carried out. A connection is therefore not used
again after a rest, and such a request gets a connection of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import threading
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

    from requests.adapters import HTTPAdapter

MOST_IDLE_S = 4.0
"""Seconds after which a connection is not used again. Node and uvicorn close theirs after five, others much later."""

_CURRENT = threading.local()


@contextlib.contextmanager
def exchange_deadline(until: float, *, fresh: bool) -> Iterator[None]:
    """Bound the exchange that this thread carries out inside the block. until: a moment of time.monotonic().

    fresh: over a new connection, which cannot be one that the service is closing.
    """
    _CURRENT.until, _CURRENT.fresh = until, fresh
    try:
        yield
    finally:
        del _CURRENT.until, _CURRENT.fresh


def deadline_adapter(*, pool_connections: int, pool_maxsize: int) -> HTTPAdapter:
    """An adapter for requests whose answers obey exchange_deadline and whose connections are not used after a rest."""
    from requests.adapters import HTTPAdapter

    class DeadlineAdapter(HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
            use_deadline(pool)
            return pool

    return DeadlineAdapter(pool_connections=pool_connections, pool_maxsize=pool_maxsize)


def use_deadline(pool: Any) -> None:
    """Make the connections of a pool of urllib3 obey exchange_deadline."""
    pool.ConnectionCls = _with_deadline(pool.ConnectionCls)


@lru_cache
def _with_deadline(connection: type[Any]) -> type[Any]:
    """The same kind of connection, reading its answers through _TimedFile, and not connected any more after a rest."""
    if getattr(connection, "response_class", None) is _TimedResponse:
        return connection
    return type(connection.__name__, (_Resting, connection), {"response_class": _TimedResponse})


class _Resting:
    """Counts the rest of a connection since its last answer began."""

    _answered_at = 0.0

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]  # of the connection it is mixed into
        finally:
            self._answered_at = time.monotonic()

    @property
    def is_connected(self) -> bool:
        """What the pool asks before it uses a connection again."""
        is_open: bool = super().is_connected  # type: ignore[misc]  # of the connection it is mixed into
        is_wanted = not getattr(_CURRENT, "fresh", False)
        return is_open and is_wanted and time.monotonic() - self._answered_at < MOST_IDLE_S


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        until = getattr(_CURRENT, "until", None)
        if until is not None:
            self.fp = io.BufferedReader(_TimedFile(sock, self.fp, until))


class _TimedFile(io.RawIOBase):
    """The reading end of a socket that ends at a moment. inner keeps the socket open as long as it is open itself."""

    def __init__(self, sock: socket.socket, inner: Any, until: float) -> None:
        self._sock = sock
        self._inner = inner
        self._until = until
        self._idle_s = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left_s if self._idle_s is None else min(left_s, self._idle_s))
        count: int | None = self._inner.raw.readinto(buffer)
        return count

    def fileno(self) -> int:
        number: int = self._inner.fileno()
        return number

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()

"""Asks a run to end, from another thread or a signal handler."""

from __future__ import annotations

import threading


class StopSignal:
    """request(): end after the requests in flight. request_now(): end at once."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self.now = threading.Event()

    def request(self) -> None:
        self.requested.set()

    def request_now(self) -> None:
        self.requested.set()
        self.now.set()

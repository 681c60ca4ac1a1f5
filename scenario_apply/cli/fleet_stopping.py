"""Ends a fleet in order: the command notes in a file that it is stopping, and every task that runs looks for that."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress

from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.cli.signals import stopping

LOOK_EVERY_S = 0.3


class FleetStop(StopSignal):
    """The signal of the whole command. wake: called at each request, from a signal handler."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file
        self.wake: Callable[[], None] = _nothing

    def request(self) -> None:
        super().request()
        with suppress(OSError):  # a disk that refuses: tasks end when they are done
            os.close(os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600))
        self.wake()

    def request_now(self) -> None:
        super().request_now()
        self.wake()


def _nothing() -> None:
    """Before anything waits."""


@contextmanager
def fleet_stop() -> Iterator[FleetStop]:
    """A signal with a file in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="scenario-fleet-") as folder:
        yield FleetStop(os.path.join(folder, "stop"))


@contextmanager
def stoppable(file: str | None) -> Iterator[StopSignal]:
    """In a worker: a signal that Ctrl-C, SIGTERM or the file requests."""
    stop, is_over = StopSignal(), threading.Event()
    is_main = threading.current_thread() is threading.main_thread()

    def look() -> None:
        while file is not None and not is_over.wait(LOOK_EVERY_S):
            if os.path.exists(file):
                stop.request()
                return

    if file is not None:
        threading.Thread(target=look, daemon=True).start()
    try:
        with stopping(stop, _say) if is_main else nullcontext():
            yield stop
    finally:
        is_over.set()


def _say(text: str) -> None:
    """The command says it."""

"""Ctrl-C during an apply: the first finishes the requests in flight, the second quits. SIGTERM and SIGHUP count, too.

SIGHUP arrives when the terminal is closed or a connection ends. Output to such a terminal is discarded, so that the
run ends in order. Under nohup, which ignores SIGHUP, it stays ignored.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenario_apply.apply.stop_signal import StopSignal

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OUTPUTS = (1, 2)


@contextmanager
def stopping(stop: StopSignal, tell: Callable[[str], None]) -> Iterator[None]:
    """Within the context, signals ask the run to stop instead of interrupting it."""
    received = 0
    terminals = [output for output in _OUTPUTS if os.isatty(output)]

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if number == signal.SIGHUP:
            _silence([output for output in terminals if not os.isatty(output)])
        if received == 1:
            stop.request()
            tell("Stopping after the requests in flight. Press Ctrl-C again to quit immediately.")
        else:
            stop.request_now()

    handled = [number for number in _NUMBERS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _silence(outputs: list[int]) -> None:
    """Send outputs whose terminal is gone to /dev/null: a write to one would fail and end the run."""
    if not outputs:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in outputs:
        os.dup2(nowhere, output)
    os.close(nowhere)


@contextmanager
def answering(stop: StopSignal) -> Iterator[None]:
    """Within the context, while a user is asked, a signal ends the waiting: it asks the run to stop and is raised.

    Else the wait for an answer would go on, since the run's own handlers interrupt nothing.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        stop.requested.set()
        raise KeyboardInterrupt

    earlier = {
        number: signal.signal(number, leave) for number in _NUMBERS if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)

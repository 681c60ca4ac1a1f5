"""Ctrl-C during an apply: once to finish what is in flight, twice to leave now. SIGTERM counts as Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenario_apply.effects.stop import Stop

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping(stop: Stop, tell: Callable[[str], None]) -> Iterator[None]:
    """While inside, signals ask the run to end instead of breaking it off."""
    received = 0

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received == 1:
            stop.request()
            tell("stopping: the calls in flight are finished and recorded; Ctrl-C again leaves now")
        else:
            stop.request_now()

    before = {number: signal.signal(number, ask) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

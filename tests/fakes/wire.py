"""What lies between a run and the service: it counts calls, loses answers, and is where a process dies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

from scenario_apply.model.ports import ScenarioApi

When = Literal["early", "before", "after"]
"""early: before the call is journalled as sent; before: sent, not carried out; after: carried out, answer lost."""


class Killed(BaseException):
    """The process is gone. No `except Exception` may hold it up."""


@dataclass
class Fault:
    """error is raised at the call of that number, or at the nth call of that name. times: how often in a row."""

    when: When
    error: Callable[[], BaseException]
    number: int | None = None
    name: str | None = None
    nth: int = 1
    times: int = 1


class Wire:
    """A ScenarioApi in front of another one. dead: every further call of this process raises Killed."""

    def __init__(self, service: ScenarioApi, *faults: Fault) -> None:
        self.service = service
        self.faults = list(faults)
        self.calls: list[str] = []
        self.dead = False
        self.hit: list[str] = []
        self._lock = threading.Lock()

    @property
    def api(self) -> ScenarioApi:
        return cast(ScenarioApi, self)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, sending: Callable[[], None] | None = None, **named: Any) -> Any:
            fault = self._arrived(name)
            self._strike(fault, "early", name)
            if sending is not None:
                sending()
            self._strike(fault, "before", name)
            try:
                return getattr(self.service, name)(*args, **named)
            finally:
                self._strike(fault, "after", name)  # a refusal is an answer, too

        return call

    def _arrived(self, name: str) -> Fault | None:
        with self._lock:
            if self.dead:
                raise Killed
            self.calls.append(name)
            number, nth = len(self.calls), self.calls.count(name)
        for fault in self.faults:
            at, first = (number, fault.number) if fault.number is not None else (nth, fault.nth)
            if fault.name in (None, name) and first is not None and first <= at < first + fault.times:
                return fault
        return None

    def _strike(self, fault: Fault | None, when: When, name: str) -> None:
        if self.dead:
            raise Killed
        if fault is not None and fault.when == when:
            error = fault.error()
            self.hit.append(name)
            if isinstance(error, Killed):
                self.dead = True
            raise error

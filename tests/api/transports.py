"""Transports to services that answer as a test says: no network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from scenario_apply.api.client import Client
from scenario_apply.api.exchange import NoAnswer, Outcome, Reply, Request
from scenario_apply.api.masking import Mask
from scenario_apply.api.rate.budget import RequestBudget
from scenario_apply.api.sender import Sender
from tests.fakes.clock import FakeClock


def reply(status: int, body: object = None, **headers: str) -> Reply:
    """An answer with a JSON body, or with text when body is text."""
    content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
    kind = "text/html" if isinstance(body, str) and body.startswith("<") else "application/json"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers={"content-type": kind, **named}, content=content)


REFUSED_CONNECTION = NoAnswer(what="api.example refused the connection", sent=False)
RESET = NoAnswer(what="the connection to api.example broke before the answer was complete (reset)", sent=True)
TIMED_OUT = NoAnswer(what="no answer from api.example in time", sent=True, timed_out=True)


class ScriptedTransport:
    """Gives its outcomes in turn, the last one from then on; a callable is called."""

    def __init__(self, *outcomes: Outcome | Callable[[Request], Outcome]) -> None:
        self.mask = Mask(("very-secret-value",))
        self.requests: list[Request] = []
        self.parts: list[str] = []
        self._outcomes = list(outcomes)

    def exchange(self, request: Request) -> Outcome:
        if request.signed_url is not None:
            self.parts.append(request.signed_url)
        else:
            self.requests.append(request)
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        return outcome if isinstance(outcome, Reply | NoAnswer) else outcome(request)


class Bench:
    """A client on a scripted transport with a fake clock."""

    def __init__(
        self,
        outcomes: Iterable[Outcome | Callable[[Request], Outcome]],
        *,
        read_only: bool = False,
        project_id: str | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.transport = ScriptedTransport(*outcomes)
        self.budget = RequestBudget(0, self.clock)
        self.sender = Sender(self.transport, self.budget, self.clock, read_only=read_only, draw=lambda: 1.0)
        self.client = Client(self.sender, project_id)

    @property
    def tries(self) -> int:
        return len(self.transport.requests)

"""A call from its request to its answer: the plan's guard, the budget, attempts and waits, errors.

retry.py decides, this file carries the decisions out. One Sender serves all threads of a run.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from scenario_apply.api import error_responses as refusals
from scenario_apply.api import retry
from scenario_apply.api.exchange import NoAnswer, Outcome, Reply, Request, Safety
from scenario_apply.api.masking import Mask
from scenario_apply.api.new_objects import NewObjects
from scenario_apply.api.rate.budget import RequestBudget
from scenario_apply.api.rate.refusal_streak import Refusing
from scenario_apply.api.refusals_in_successes import refusal_in_success
from scenario_apply.api.request_bodies import PlainBody
from scenario_apply.api.urls import host_of
from scenario_apply.errors import AnswerLost, ApiError, BadAnswer, Interrupted, RateLimited, Unreachable, WriteInPlan

if TYPE_CHECKING:
    from scenario_apply.model.ports import Clock, Sending

Value = TypeVar("Value")

_FORGOTTEN_S = 30.0
"""Seconds without a call after which an unreachable service is tried again."""

_BULK_READ = re.compile(r"/(models|assets)/get-bulk")
_TRAIN = re.compile(r"/models/[^/]+/train")
_GENERATE = re.compile(r"/generate/(caption|custom/[^/]+)")


class RequestTransport(Protocol):
    """What a Sender needs of a transport."""

    @property
    def mask(self) -> Mask: ...
    def exchange(self, request: Request) -> Outcome: ...


class Sender:
    """read_only: everything that could write or spend is refused with WriteInPlan before anything is sent."""

    def __init__(
        self,
        transport: RequestTransport,
        budget: RequestBudget,
        clock: Clock,
        *,
        read_only: bool = False,
        cancel: threading.Event | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.mask = transport.mask
        self.new_objects = NewObjects(clock)
        self._transport = transport
        self._budget = budget
        self._clock = clock
        self._read_only = read_only
        self._cancel = cancel
        self._draw = draw
        self._answered = False  # whether the service ever gave an answer that could be read
        self._refusing = Refusing()
        self._down: tuple[float, float] | None = None  # first and last failure; replaced whole, so no lock is needed

    def call(self, request: Request, read: Callable[[object], Value], sending: Sending | None = None) -> Value:
        """A successful answer, its JSON turned into a value by read.

        Raises the ApiError family, Interrupted when the run is cancelled. An answer that read refuses is a BadAnswer;
        of a call that must happen once it is an AnswerLost: the write was carried out, its result is unknown.
        """
        if self._read_only and not _only_reads(request):
            raise WriteInPlan(f"{request.doing}: a plan may not write ({request.method} {request.path})")
        attempt = 0  # refusals for the rate are not counted: they were not carried out
        while True:
            attempt += 1
            outcome, started_at = self._attempt(request, sending)
            now = self._clock.monotonic()
            if isinstance(outcome, NoAnswer):
                self._wait(self._after_no_answer(request, outcome, attempt, now - started_at, now))
                continue
            if refusals.is_for_the_rate(outcome):
                self._raise_if_hopeless(request, outcome, now)
                attempt -= 1
                continue  # the budget holds everybody back as long as asked
            answer = self._read(request, outcome, attempt)
            if isinstance(answer, _Again):
                self._wait(answer.wait_s)
                continue
            try:
                return read(answer.value)
            except BadAnswer as error:
                said = refusals.said_in(answer.value)
                words = f"; it says: {said}" if said else ""
                what = self.mask(f"{request.doing} ({request.method} {request.path}): {error.message}{words}")
                raise (AnswerLost(what) if request.safety is Safety.ONCE else BadAnswer(what)) from None

    def put_part(self, url: str, content: bytes | memoryview, doing: str) -> None:
        """Send one part of an upload: outside the budget, repeated freely."""
        if self._read_only:
            raise WriteInPlan(f"{doing}: a plan may not write")
        body = PlainBody(content)
        request = Request(method="PUT", path="", safety=Safety.REPEATABLE, doing=doing, body=body, signed_url=url)
        attempt = 0
        while True:
            attempt += 1
            self._budget.stop_if_cancelled()
            started_at = self._clock.monotonic()
            outcome = self._transport.exchange(request)
            now = self._clock.monotonic()
            self._note(outcome, started_at)
            if isinstance(outcome, NoAnswer):
                self._wait(self._after_no_answer(request, outcome, attempt, now - started_at, now))
                continue
            if outcome.is_success:
                return
            wait_s = self._retry_after_s(request, outcome, attempt)
            if wait_s is None:
                raise refusals.error_of_part(request, outcome, self.mask)
            self._wait(wait_s)

    def _attempt(self, request: Request, sending: Sending | None) -> tuple[Outcome, float]:
        """One try, and when it left the budget's queue."""
        slot = self._budget.acquire(lambda: self._refuse_if_hopeless(request))
        refused, answered, left, pause_s, is_rounded = False, False, False, None, False
        started_at = self._clock.monotonic()
        try:
            if sending is not None:
                sending()
            self._budget.leave(slot)
            outcome = self._transport.exchange(request)
            answered = isinstance(outcome, Reply)
            left = isinstance(outcome, Reply) or outcome.sent
            if isinstance(outcome, Reply) and refusals.is_for_the_rate(outcome):
                refused = True
                pause_s = retry.asked_pause_s(outcome, self._clock.now())
                is_rounded = retry.is_rounded(outcome)
        finally:
            if refused:
                pause_s = None if pause_s is None else min(pause_s, retry.LONGEST_RATE_PAUSE_S)
                self._budget.tighten(slot, pause_s, is_rounded=is_rounded)
            elif answered:
                self._budget.settle(slot)
            else:
                self._budget.give_up(slot, left=left)
        self._note(outcome, started_at)
        if answered and not refused:
            self._refusing.passed(started_at)
        return outcome, started_at

    def _refuse_if_hopeless(self, request: Request) -> None:
        """Raises RateLimited when another call has given up: this one need not wait for its turn."""
        if self._refusing.is_hopeless:
            raise RateLimited(
                f"{request.doing}: not sent, the service refuses every request for its rate",
                status=429,
                hint=refusals.RATE_HINT,
            )

    def _note(self, outcome: Outcome, started_at: float) -> None:
        """Remember since when the service cannot be reached; all threads share that knowledge."""
        down = self._down
        if isinstance(outcome, Reply) or outcome.sent:
            self._down = None
        elif down is None or started_at - down[1] > _FORGOTTEN_S:
            self._down = (started_at, started_at)
        else:
            self._down = (down[0], started_at)

    def _after_no_answer(self, request: Request, lost: NoAnswer, attempt: int, took_s: float, now: float) -> float:
        """Seconds to wait before another try. Raises when there is to be none."""
        down = self._down
        down_s = 0.0 if down is None else now - down[0]
        wait_s = retry.reconnect_after_s(
            lost,
            attempt,
            safety=request.safety,
            draw=self._draw(),
            down_s=down_s,
            took_s=took_s,
            has_answered=self._answered,
        )
        if wait_s is not None and not (request.is_advisory and retry.is_enough_for_advice(lost, attempt)):
            return wait_s
        what = f"{request.doing}: {lost.what}"
        if not lost.sent:
            raise Unreachable(what, hint=lost.hint)
        if request.safety is Safety.READ:
            raise ApiError(what, code="no-answer")
        raise AnswerLost(what, timed_out=lost.timed_out)

    def _raise_if_hopeless(self, request: Request, reply: Reply, now: float) -> None:
        """Refusals for the rate end a call when the service says so, or when all have been refused for ten minutes."""
        asked_s = retry.asked_pause_s(reply, self._clock.now()) or 0.0
        said = reply.headers.get("x-should-retry", "").strip().lower()
        if self._refusing.refused(now, asked_s=asked_s, never=said == "false"):
            raise self._error(request, reply)

    def _read(self, request: Request, reply: Reply, attempt: int) -> _Again | _Answer:
        """The answer in a reply, or the wait before another try. Raises when there is to be none."""
        if not reply.is_success:
            if self.new_objects.is_early(request, reply.status, attempt):
                return _Again(retry.backoff_s(attempt, self._draw()))
            wait_s = self._retry_after_s(request, reply, attempt)
            if wait_s is None:
                raise self._error(request, reply)
            return _Again(wait_s)
        try:
            value = refusals.json_of(reply.content) if reply.content.strip() else None
        except ValueError:
            value = None
        if value is None and not (request.may_be_empty and reply.content.strip() in (b"", b"null")):
            page = refusals.looks_like_a_page(reply)
            unexpected = request.expect is not None and reply.status != request.expect
            wait_s = retry.reread_after_s(attempt, safety=request.safety, draw=self._draw())
            # a page instead of the first answer is a wrong address; later it is a gateway's bad moment
            if (page and not self._answered) or unexpected or wait_s is None:
                raise refusals.unreadable(request, reply, self.mask)
            return _Again(wait_s)
        self._answered = True
        if (refusal := refusal_in_success(request, reply, value, self.mask)) is not None:
            raise refusal
        if request.expect is not None and reply.status != request.expect:
            raise BadAnswer(self._unexpected(request, reply, value), status=reply.status)
        return _Answer(value)

    def _retry_after_s(self, request: Request, reply: Reply, attempt: int) -> float | None:
        if 300 <= reply.status < 400 or (reply.status == 429 and not refusals.is_for_the_rate(reply)):
            return None
        if request.is_advisory and attempt >= retry.MAX_TRIES_OF_ADVICE:
            return None
        return retry.retry_after_s(reply, attempt, safety=request.safety, now=self._clock.now(), draw=self._draw())

    def _error(self, request: Request, reply: Reply) -> ApiError:
        if 300 <= reply.status < 400:
            return refusals.redirected(request, self.mask(host_of(reply.headers.get("location", ""))), reply.status)
        return refusals.error_of(request, reply, self.mask)

    def _unexpected(self, request: Request, reply: Reply, value: object) -> str:
        what = f"{request.doing}: the service answered {reply.status} where {request.expect} was due"
        if isinstance(value, dict) and ("job" in value or "jobId" in value):
            what += "; IT MAY HAVE STARTED A PAID JOB, look at the project's jobs"
        return what

    def _wait(self, seconds: float) -> None:
        if self._clock.wait(seconds, self._cancel):
            raise Interrupted("interrupted while waiting to try again")


class _Answer:
    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class _Again:
    __slots__ = ("wait_s",)

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s


def _only_reads(request: Request) -> bool:
    """Is it a read, or a priced dry run? By method and path alone: a mistaken safety must not open the door."""
    if request.method == "GET":
        return True
    is_dry = ("dryRun", "true") in request.query
    if request.method == "POST":
        return _BULK_READ.fullmatch(request.path) is not None or (
            is_dry and _GENERATE.fullmatch(request.path) is not None
        )
    return request.method == "PUT" and is_dry and _TRAIN.fullmatch(request.path) is not None

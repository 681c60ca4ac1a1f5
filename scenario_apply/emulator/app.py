"""The way of a request: what it is for, who asks, whether the budget allows it, what goes wrong, its handler.

Everything under /v1 is the API. /cdn/ and /parts/ are the addresses it hands out, /__emulator__/ the admin API,
/ the page.
"""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Callable

from scenario_apply.emulator import agenda, credentials, parts, side
from scenario_apply.emulator.faults import BEFORE
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.limits import ceiling, cooling_down, rate_limited
from scenario_apply.emulator.messages import ApiError, Request, Response, bad_request
from scenario_apply.emulator.protocol import MAX_BODY_BYTES, Exchange
from scenario_apply.emulator.request_log import Logged
from scenario_apply.emulator.router import Handler
from scenario_apply.emulator.routes import api_router, side_router
from scenario_apply.emulator.store import dump
from scenario_apply.emulator.world import World

_GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>"
)


class App:
    """Serves one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._api = api_router()
        self._side = side_router()
        self._held: set[asyncio.TimerHandle] = set()

    # the protocol calls these
    def begin(self, request: Request) -> None:
        """Headers are there: a part of an upload is taken piece by piece."""
        if request.method == "PUT" and request.path.startswith("/parts/"):
            parts.open_part(self._world, request)

    def handle(self, exchange: Exchange) -> None:
        """Answer a request, now or after the latency."""
        request = exchange.request
        request.id = new_id("req_")
        if request.path.startswith(("/v1/", "/parts/")):
            self._handle_service(exchange)
        else:
            exchange.answer(self._guarded(lambda: self._serve_side(request)))

    def close(self) -> None:
        """Forget answers that are still held back."""
        for timer in self._held:
            timer.cancel()

    def _handle_service(self, exchange: Exchange) -> None:
        """What belongs to the service is logged, slowed down by the latency, and may go wrong on purpose."""
        world, request = self._world, exchange.request
        is_api = request.path.startswith("/v1/")
        fault = world.faults.draw(request.method, request.path[3:] if is_api else request.path)
        if fault in BEFORE:
            self._fail_before(exchange, fault)
            return
        response = self._guarded(lambda: self._serve_api(request) if is_api else self._serve_side(request))
        delay_s = world.options.latency_ms / 1000
        if fault == "slow":
            delay_s += world.faults.slow_s
        self._record(request, 0 if fault in ("drop-answer", "hang") else response.status, fault)
        match fault:
            case "drop-answer":
                self._later(delay_s, exchange.drop)
            case "hang":
                exchange.hang()
            case "truncate":
                self._later(delay_s, lambda: exchange.truncate(response))
            case "500-after":
                self._send(exchange, _broken(), delay_s)
            case "502-after":
                self._send(exchange, _gateway(502), delay_s)
            case "html":
                self._send(exchange, _gateway(200), delay_s)
            case _:
                self._send(exchange, response, delay_s)

    def _fail_before(self, exchange: Exchange, fault: str) -> None:
        delay_s = self._world.options.latency_ms / 1000
        if exchange.request.sink is not None:
            exchange.request.sink.abandon()
        if fault == "drop-before":
            self._record(exchange.request, 0, fault)
            self._later(delay_s, exchange.drop)
            return
        match fault:
            case "429":
                response = _failure(rate_limited(1000))
            case "429-ceiling":
                response = _failure(ceiling("parallel-training", self._world.options.parallel_training))
            case "429-cooldown":
                response = _failure(cooling_down(1000))
            case "502":
                response = _gateway(502)
            case "503":
                response = _failure(ApiError(503, "Service Unavailable", "UNAVAILABLE", headers={"Retry-After": "1"}))
            case _:
                response = _broken()
        self._record(exchange.request, response.status, fault)
        self._send(exchange, response, delay_s)

    def _serve_api(self, request: Request) -> Response:
        world = self._world
        agenda.settle(world)
        credentials.identify(world, request)
        world.budgets.take(request.project, world.now_ms())
        if request.overflow:
            raise bad_request(f"body: must not be larger than {MAX_BODY_BYTES} bytes", "BODY_TOO_LARGE")
        handler = self._api.find(request, request.segments()[1:])
        if request.public_only and (request.method != "GET" or request.path.split("/")[2] not in ("models", "assets")):
            raise ApiError(403, "The public token reads public models and assets only", "FORBIDDEN")
        return self._carry_out(handler, request)

    def _carry_out(self, handler: Handler, request: Request) -> Response:
        if request.method == "GET":
            return handler(self._world, request)
        with self._world.db.transaction():
            return handler(self._world, request)

    def _serve_side(self, request: Request) -> Response:
        agenda.settle(self._world)
        if request.path == "/v1":
            raise ApiError(404, "The API is served under /v1/", "NOT_FOUND")
        side.check_access(self._world, request)
        handler = self._side.find(request, request.segments())
        return handler(self._world, request)

    def _guarded(self, serve: Callable[[], Response]) -> Response:
        try:
            return serve()
        except ApiError as problem:
            return _failure(problem)
        except Exception:  # whatever slipped through is the emulator's own bug: shown in full, answered as a 500
            sys.stderr.write(traceback.format_exc())
            return _broken()

    def _send(self, exchange: Exchange, response: Response, delay_s: float) -> None:
        self._later(delay_s, lambda: exchange.answer(response))

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        if delay_s <= 0:
            action()
            return

        def run() -> None:
            self._held.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(delay_s, run)
        self._held.add(timer)

    def _record(self, request: Request, status: int, fault: str | None) -> None:
        log = self._world.log
        retry = request.headers.get("x-stainless-retry-count", "0")
        log.add(
            Logged(
                number=log.next_number(),
                id=request.id,
                at_ms=self._world.now_ms(),
                method=request.method,
                path=request.path,
                query=request.raw_query,
                project=request.project,
                status=status,
                took_ms=round((time.perf_counter() - request.received_s) * 1000, 3),
                body_bytes=request.size,
                retry=int(retry) if retry.isascii() and retry.isdigit() and len(retry) < 6 else 0,
                fault=fault,
            )
        )


def _failure(problem: ApiError) -> Response:
    return Response(dump(problem.body()), problem.status, headers=problem.headers)


def _broken() -> Response:
    return _failure(ApiError(500, "Internal server error", "INTERNAL_ERROR", extra={"trace_id": new_id("")}))


def _gateway(status: int) -> Response:
    return Response(_GATEWAY_PAGE, status, content_type="text/html")

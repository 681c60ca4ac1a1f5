"""How a request is processed: access, credentials, rate limit, faults, and its handler.

Everything under /v1 is the API. /cdn/ and /parts/ are the addresses it hands out, /__emulator__/ the admin API,
/ the page.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any

from scenario_apply.emulator import agenda, credentials, parts
from scenario_apply.emulator.access import Access, AccessPolicy
from scenario_apply.emulator.cdn import check_signature
from scenario_apply.emulator.exchange import ClientGone, Exchange, Receive, Send
from scenario_apply.emulator.faults import BEFORE
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.limits import ceiling, ceiling_of, cooling_down
from scenario_apply.emulator.messages import ApiError, Request, Response
from scenario_apply.emulator.open_connections import OpenConnections
from scenario_apply.emulator.request_budget import rate_limited
from scenario_apply.emulator.request_log import Logged
from scenario_apply.emulator.router import Handler
from scenario_apply.emulator.routes import api_router, side_router
from scenario_apply.emulator.store import dump
from scenario_apply.emulator.world import World

_GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>"
)


class App:
    """Serves one world: the ASGI application."""

    def __init__(self, world: World, connections: OpenConnections) -> None:
        self._world = world
        self._connections = connections
        self._api = api_router()
        self._side = side_router()
        self.policy = AccessPolicy(world.options, 0)
        """The server puts in the one that knows its port, before it serves anything."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, send)
        request = exchange.request
        request.id = new_id("req_")
        budget = self._connections.bodies
        is_api = request.segments()[0] == "v1" and len(request.segments()) > 1
        try:
            request.refusal = self._refusal(request, is_api)
            if request.refusal is None:
                await exchange.read_body(self._connections.bounds, budget)
            if is_api or _is_service_file(request.segments()):
                await self._handle_service(exchange, is_api)
            else:
                await exchange.answer(self._guarded(lambda: self._serve_side(request)))
        except ClientGone:
            pass  # no client is left to answer
        finally:
            if request.sink is not None:
                request.sink.abandon()
            exchange.release(budget)

    def _refusal(self, request: Request, is_api: bool) -> ApiError | None:
        """Why a request is refused by its headers alone, before its body is read."""
        try:
            if is_api:
                self.policy.admit(request, Access.CREDENTIALS)
                credentials.identify(self._world, request)
            else:
                route = self._side.find(request, request.segments())
                self.policy.admit(request, route.access)
                if route.access is Access.SIGNATURE:
                    check_signature(self._world, request)
                if route.handler is parts.put:
                    parts.open_part(self._world, request)
        except ApiError as problem:
            return problem
        return None

    async def _handle_service(self, exchange: Exchange, is_api: bool) -> None:
        """What belongs to the service is logged, delayed by the latency, and subject to faults."""
        world, request = self._world, exchange.request
        path = request.decoded_path
        fault = world.faults.draw(request.method, path[3:] if is_api else path)
        delay_s = world.options.latency_ms / 1000
        if fault in BEFORE:
            await self._fail_before(exchange, fault, delay_s)
            return
        response = self._guarded(lambda: self._serve_api(request) if is_api else self._serve_side(request))
        if fault == "slow":
            delay_s += world.faults.slow_s
        self._record(request, 0 if fault in ("drop-answer", "hang") else response.status, fault)
        exchange.release(self._connections.bodies)
        if fault != "hang":
            await exchange.wait(delay_s)
        match fault:
            case "drop-answer":
                await exchange.drop()
            case "hang":
                await exchange.hang()
            case "truncate":
                await exchange.truncate(response)
            case "500-after":
                await exchange.answer(_broken())
            case "502-after":
                await exchange.answer(_gateway(502))
            case "html":
                await exchange.answer(_gateway(200))
            case _:
                await exchange.answer(response)

    async def _fail_before(self, exchange: Exchange, fault: str, delay_s: float) -> None:
        if fault == "drop-before":
            self._record(exchange.request, 0, fault)
            await exchange.wait(delay_s)
            await exchange.drop()
            return
        match fault:
            case "429":
                response = _failure(rate_limited(1000))
            case "429-ceiling":
                action, limit = ceiling_of(self._world.options, exchange.request.segments())
                response = _failure(ceiling(action, limit, limit))
            case "429-cooldown":
                response = _failure(cooling_down(1000))
            case "502":
                response = _gateway(502)
            case "503":
                response = _failure(ApiError(503, "Service Unavailable", "UNAVAILABLE", headers={"Retry-After": "1"}))
            case _:
                response = _broken()
        self._record(exchange.request, response.status, fault)
        await exchange.wait(delay_s)
        await exchange.answer(response)

    def _serve_api(self, request: Request) -> Response:
        world = self._world
        agenda.settle(world)
        if request.project or request.public_only:
            world.budgets.take(request.project, world.now_ms())
        if request.refusal is not None:
            raise request.refusal
        handler = self._api.find(request, request.segments()[1:]).handler
        if request.public_only and (request.method != "GET" or request.segments()[1] not in ("models", "assets")):
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
        if request.refusal is not None:
            raise request.refusal
        return self._side.find(request, request.segments()).handler(self._world, request)

    def _guarded(self, serve: Callable[[], Response]) -> Response:
        try:
            return serve()
        except ApiError as problem:
            return _failure(problem)
        except Exception:  # a bug of the emulator: shown in full, answered with 500
            sys.stderr.write(traceback.format_exc())
            return _broken()

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


def _is_service_file(segments: list[str]) -> bool:
    """Whether an address outside the API breaks like the API: parts of uploads, and weights, which are resumed."""
    return segments[0] == "parts" or segments[:2] == ["cdn", "exports"]


def _failure(problem: ApiError) -> Response:
    return Response(dump(problem.body()), problem.status, headers=problem.headers)


def _broken() -> Response:
    return _failure(ApiError(500, "Internal server error", "INTERNAL_ERROR", extra={"trace_id": new_id("")}))


def _gateway(status: int) -> Response:
    return Response(_GATEWAY_PAGE, status, content_type="text/html")

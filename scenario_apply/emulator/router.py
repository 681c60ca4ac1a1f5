"""Which handler answers a path: a table of patterns, literals before ids. Each route declares who may use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenario_apply.emulator.access import Access
from scenario_apply.emulator.messages import ApiError, Request, Response

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

Handler = Callable[["World", Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers an operation, and who may ask for it."""

    operation: str
    """Such as `POST /models/*/train`."""
    handler: Handler
    access: Access


class Router:
    """Patterns such as `/models/*/train`; a star stands for one id, handed over in request.params."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], dict[str, Route]]]] = {}

    def add(self, method: str, pattern: str, handler: Handler, access: Access) -> None:
        """Register one operation."""
        route = Route(f"{method} {pattern}", handler, access)
        segments = tuple(pattern.strip("/").split("/"))
        group = self._routes.setdefault((segments[0], len(segments)), [])
        for known, methods in group:
            if known == segments:
                methods[method] = route
                return
        group.append((segments, {method: route}))
        group.sort(key=lambda entry: entry[0].count("*"))

    def routes(self) -> Iterator[tuple[str, str, Route]]:
        """Method, pattern and route of every operation."""
        for group in self._routes.values():
            for segments, methods in group:
                for method, route in methods.items():
                    yield method, "/" + "/".join(segments), route

    def find(self, request: Request, segments: list[str]) -> Route:
        """The route; sets request.params and request.operation. Raises 404 for an unknown path, 405 for a method."""
        allowed: set[str] = set()
        for pattern, methods in self._routes.get((segments[0], len(segments)), ()):
            if any(part not in ("*", segment) for part, segment in zip(pattern, segments, strict=True)):
                continue
            route = methods.get(request.method)
            if route is not None:
                params = tuple(segment for part, segment in zip(pattern, segments, strict=True) if part == "*")
                if not all(params):
                    break
                request.params = params
                request.operation = route.operation
                return route
            allowed.update(methods)
        if allowed:
            names = ", ".join(sorted(allowed))
            raise ApiError(405, f"{request.method} is not allowed here", "METHOD_NOT_ALLOWED", headers={"Allow": names})
        raise ApiError(404, f"There is nothing at {request.path[:200]}", "NOT_FOUND")

"""Which handler answers a path: a table of patterns, literals before ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scenario_apply.emulator.messages import ApiError, Request, Response

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

Handler = Callable[["World", Request], Response]


class Router:
    """Patterns such as `/models/*/train`; a star stands for one id, handed over in request.params."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], dict[str, Handler]]]] = {}

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Register one operation."""
        segments = tuple(pattern.strip("/").split("/"))
        group = self._routes.setdefault((segments[0], len(segments)), [])
        for known, methods in group:
            if known == segments:
                methods[method] = handler
                return
        group.append((segments, {method: handler}))
        group.sort(key=lambda route: route[0].count("*"))

    def find(self, request: Request, segments: list[str]) -> Handler:
        """The handler, with request.params set. Raises 404 for an unknown path, 405 for an unknown method."""
        allowed: set[str] = set()
        for pattern, methods in self._routes.get((segments[0], len(segments)), ()):
            if any(part not in ("*", segment) for part, segment in zip(pattern, segments, strict=True)):
                continue
            handler = methods.get(request.method)
            if handler is not None:
                params = tuple(segment for part, segment in zip(pattern, segments, strict=True) if part == "*")
                if not all(params):
                    break
                request.params = params
                return handler
            allowed.update(methods)
        if allowed:
            names = ", ".join(sorted(allowed))
            raise ApiError(405, f"{request.method} is not allowed here", "METHOD_NOT_ALLOWED", headers={"Allow": names})
        raise ApiError(404, f"There is nothing at {request.path[:200]}", "NOT_FOUND")

"""The embedded Scenario as a process of its own, looked at and made to misbehave through its admin API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any


class Service:
    """A context manager. One process serves many runs: reset() empties it."""

    def __init__(self, *options: str) -> None:
        self._options = options
        self.url = ""

    def __enter__(self) -> Service:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scenario_apply.emulator", "--port", "0", "--until-stdin-closes", *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.url = next(word for word in line.split() if word.startswith("http"))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """The answer of the admin API."""
        request = urllib.request.Request(
            f"{self.url.removesuffix('/v1')}/__emulator__/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """An empty world in which nothing goes wrong."""
        self.misbehave({}, 0)
        self.admin("POST", "reset")
        self.admin("DELETE", "requests")

    def misbehave(self, chances: Mapping[str, float], seed: int) -> None:
        self.admin("PUT", "faults", {"chances": dict(chances), "seed": seed, "slowSeconds": 0.2, "rules": []})

    def requests(self) -> list[dict[str, Any]]:
        """The requests since the last reset, oldest first."""
        found: list[dict[str, Any]] = self.admin("GET", "requests?after=0")["requests"]
        return found

    def arrived(self) -> int:
        """Requests since the service was started."""
        return int(self.admin("GET", "health")["requests"])

    def snapshot(self) -> dict[str, Any]:
        """Everything it holds, as rows."""
        held: dict[str, Any] = self.admin("GET", "snapshot")
        return held


def environment(url: str) -> dict[str, str]:
    """What the command needs to find the service."""
    return {
        **os.environ,
        "SCENARIO_BASE_URL": url,
        "SCENARIO_SDK_API_KEY": "key",
        "SCENARIO_SDK_API_SECRET": "secret",
    }

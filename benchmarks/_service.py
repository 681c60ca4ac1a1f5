"""The embedded Scenario as a process of its own, and the tool's command line against it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scenario_apply")


@contextlib.contextmanager
def emulator(*options: str) -> Iterator[str]:
    """Its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scenario_apply.emulator", "--port", "0", "--until-stdin-closes", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        process.stdin.close()
        process.wait(20)


def requests_seen(base_url: str) -> list[dict[str, object]]:
    """Every request the emulator got, oldest first."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/__emulator__/requests?limit=1000000") as answer:
        body = json.load(answer)
    return body["requests"] if isinstance(body, dict) else body


def run_tool(base_url: str, folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """scenario-apply in folder against the emulator."""
    environment = {
        **os.environ,
        "SCENARIO_SDK_API_KEY": "key",
        "SCENARIO_SDK_API_SECRET": "secret",
        "SCENARIO_BASE_URL": base_url,
    }
    return subprocess.run(
        [sys.executable, "-m", "scenario_apply", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

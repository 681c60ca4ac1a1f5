"""Requests and time of an export against a plain script: one read for each model and for each asset, one download.

Both are counted by the emulator, whose own limit is off; the last column is what the service's 100 requests a minute
make of it. Downloads of bytes count as no requests: they do not go to the API.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import resource
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

from _service import emulator, requests_seen, run_tool
from _workload import make_workload

REQUESTS_PER_MINUTE = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--bytes", type=int, default=20_000)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="scenario-bench-")
    try:
        manifest = make_workload(os.path.join(folder, "source"), options.models, options.images, options.bytes)
        with emulator("--rate-limit", "0", "--training-seconds", "0.1", "--parallel-training", "1000") as url:
            words = ("apply", os.path.basename(manifest), "--auto-approve", "--rate-limit", "0", "--no-wait")
            checked(run_tool(url, os.path.dirname(manifest), *words))
            time.sleep(2)
            before = len(requests_seen(url))
            started = time.monotonic()
            checked(run_tool(url, folder, "export", "out", "--rate-limit", "0"))
            tool_s = time.monotonic() - started
            tool = len(requests_seen(url)) - before
            memory_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            started = time.monotonic()
            checked(run_tool(url, folder, "export", "out", "--rate-limit", "0"))
            again_s = time.monotonic() - started
            before = len(requests_seen(url))
            started = time.monotonic()
            script(url, os.path.join(folder, "plain"))
            script_s = time.monotonic() - started
            plain = len(requests_seen(url)) - before
            planned = run_tool(url, folder, "plan", "out", "--rate-limit", "0", "--format", "json")
        summary = {key: n for key, n in json.loads(planned.stdout)["summary"].items() if n}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.models} models of {options.images} pictures, {options.bytes:,} bytes each")
    print(f"plain script    {plain:6,} requests  {script_s:6.1f} s  {at_limit(plain)}")
    print(f"scenario-apply  {tool:6,} requests  {tool_s:6.1f} s  {at_limit(tool)}; again {again_s:.1f} s")
    print(f"largest process of the tool: {memory_mb:.0f} MB; a plan of the exported manifest: {summary}")


def checked(done: Any) -> None:
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def at_limit(requests: int) -> str:
    """How long the service's limit makes them take."""
    return f"{max(0, requests - 1) // REQUESTS_PER_MINUTE} min at {REQUESTS_PER_MINUTE} requests a minute"


def script(url: str, folder: str) -> None:
    """Every model and asset read by itself, and downloaded one after the other."""
    for listed in models(url):
        model = read(url, f"/models/{listed['id']}")["model"]
        place = os.path.join(folder, model["id"])
        os.makedirs(place)
        for image in model["trainingImages"]:
            asset = read(url, f"/assets/{image['id']}")["asset"]
            with urllib.request.urlopen(asset["url"]) as answer, open(os.path.join(place, image["name"]), "wb") as file:
                shutil.copyfileobj(answer, file)
            with open(os.path.join(place, image["name"] + ".txt"), "w", encoding="utf-8") as text:
                text.write(asset["description"])


def models(url: str) -> Iterator[Any]:
    token = ""
    while True:
        page = read(url, f"/models?privacy=private{token}")
        yield from page["models"]
        if not page.get("nextPaginationToken"):
            return
        token = f"&paginationToken={page['nextPaginationToken']}"


def read(url: str, path: str) -> Any:
    login = base64.b64encode(b"key:secret").decode()
    request = urllib.request.Request(url + path, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()

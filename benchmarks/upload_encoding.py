"""How a picture becomes a request body: three ways, side by side, on loopback.

- guide: `requests.post(json={"name": ..., "data": "data:..." + b64})`, one connection a call, as the guides' scripts do
- joined: one session, pybase64 between two pieces of JSON, sent as one bytes object
- streamed: the client's own body, encoded piece by piece while it is sent

Prints the median time an image takes, ratios, and the peak memory of eight uploads in flight.

    python benchmarks/upload_encoding.py [--images 60] [--size 1000000] [--latency-ms 0] [--threads 8]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

ROUNDS = 3

SINK = """
import socket, sys, threading, time
latency = float(sys.argv[1]) / 1000
listener = socket.create_server(("127.0.0.1", 0)); print(listener.getsockname()[1], flush=True)
def serve(c):
    data = bytearray(1 << 18); view = memoryview(data); head = b""
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        while b"\\r\\n\\r\\n" not in head:
            got = c.recv(65536)
            if not got: return
            head += got
        top, _, rest = head.partition(b"\\r\\n\\r\\n")
        left = next(int(l.split(b":")[1]) for l in top.split(b"\\r\\n") if l.lower().startswith(b"content-length"))
        left -= len(rest)
        while left > 0:
            n = c.recv_into(view)
            if not n: return
            left -= n
        head = b""
        time.sleep(latency)
        c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 33\\r\\n\\r\\n{"trainingImage": {"id": "a123"}}')
while True:
    c, _ = listener.accept(); threading.Thread(target=serve, args=(c,), daemon=True).start()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=8)
    given = parser.parse_args()
    picture = os.urandom(given.size)
    sink = subprocess.Popen([sys.executable, "-c", SINK, str(given.latency_ms)], stdout=subprocess.PIPE, text=True)
    try:
        assert sink.stdout is not None
        url = f"http://127.0.0.1:{int(sink.stdout.readline())}/v1/models/m/training-images"
        report(url, picture, given.images, given.threads)
    finally:
        sink.kill()
        sink.wait()
    return 0


def report(url: str, picture: bytes, images: int, threads: int) -> None:
    ways: dict[str, tuple[Callable[[], None], int]] = {
        "guide, 1 thread": (guide(url, picture), 1),
        "joined, 1 thread": (joined(url, picture), 1),
        "streamed, 1 thread": (streamed(url, picture), 1),
        f"joined, {threads} threads": (joined(url, picture), threads),
        f"streamed, {threads} threads": (streamed(url, picture), threads),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):  # in turn, so that a noisy moment falls on all
        for name, (send, workers) in ways.items():
            times[name].append(timed(send, images, workers))
    slowest = statistics.median(times["guide, 1 thread"])
    for name, (send, _) in ways.items():
        median = statistics.median(times[name])
        peak = peak_mib(send, 8)
        print(f"{name:22} {median * 1000:7.2f} ms an image  {slowest / median:5.1f} times  {peak:5.1f} MiB peak of 8")


def guide(url: str, picture: bytes) -> Callable[[], None]:
    import requests

    def send() -> None:
        data = "data:image/png;base64," + base64.b64encode(picture).decode()
        requests.post(url, json={"name": "x.png", "data": data}, timeout=60).raise_for_status()

    return send


def joined(url: str, picture: bytes) -> Callable[[], None]:
    import pybase64
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=32))

    def send() -> None:
        before = b'{"name":' + json.dumps("x.png").encode() + b',"data":"data:image/png;base64,'
        body = b"".join((before, pybase64.b64encode(picture), b'"}'))
        session.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=60).raise_for_status()

    return send


def streamed(url: str, picture: bytes) -> Callable[[], None]:
    from scenario_apply.api import connect
    from scenario_apply.apply.system_clock import SystemClock
    from scenario_apply.model.remote import ModelId

    client, _ = connect(
        base_url=url.removesuffix("/models/m/training-images"),
        api_key="key-1234",
        api_secret="secret-1234",
        project_id=None,
        rate_limit_per_minute=0,
        clock=SystemClock(),
    )
    return lambda: void(client.add_image(ModelId("m"), name="x.png", mime="image/png", body=picture))


def void(_: object) -> None:
    return None


def timed(send: Callable[[], None], images: int, workers: int) -> float:
    """Seconds an image takes."""
    with ThreadPoolExecutor(workers) as pool:
        started = time.perf_counter()
        for future in [pool.submit(send) for _ in range(images)]:
            future.result()
        return (time.perf_counter() - started) / images


def peak_mib(send: Callable[[], None], at_once: int) -> float:
    """What so many uploads at once hold at most, beyond the picture itself."""
    barrier = threading.Barrier(at_once)

    def together() -> None:
        barrier.wait()
        send()

    send()
    tracemalloc.start()
    with ThreadPoolExecutor(at_once) as pool:
        for future in [pool.submit(together) for _ in range(at_once)]:
            future.result()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


if __name__ == "__main__":
    socket.setdefaulttimeout(60)
    raise SystemExit(main())

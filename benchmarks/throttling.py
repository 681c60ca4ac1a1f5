"""How much of what a service allows is used, and how many requests it refuses: the real client, real HTTP, real time.

    python benchmarks/throttling.py                 # four minutes; all limits at once, each with a service of its own

The services are sliding windows that answer 429 with a Retry-After in whole seconds, in processes of their own. The
client is the tool's, with twenty-four threads that always have a request to send and no configured limit, so that it
must learn the limit from refusals. One more row has the default limit of 100 a minute. Shares are of what
the window lets through in that time, in whole windows.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import multiprocessing
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

from scenario_apply.api import connect
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.errors import Interrupted, ScenarioApplyError
from scenario_apply.model.remote import JobId

THREADS = 24


@dataclass
class Window:
    """count requests in any window_s seconds. answers: (monotonic seconds, let through) of every request."""

    count: int
    window_s: float
    seen: deque[float] = field(default_factory=deque)
    answers: list[tuple[float, bool]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self) -> int:
        """0: let through; else the whole seconds to wait."""
        with self.lock:
            now = time.monotonic()
            while self.seen and self.seen[0] + self.window_s <= now:
                self.seen.popleft()
            passes = len(self.seen) < self.count
            self.answers.append((now, passes))
            if passes:
                self.seen.append(now)
                return 0
            return max(1, math.ceil(self.seen[0] + self.window_s - now))


def serve(count: int, window_s: float, pipe: Connection) -> None:
    """A service that knows one job; tells its port, and when it is spoken to, what it answered."""
    window = Window(count, window_s)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wait_s = window.ask()
            body = {"message": "Too many requests"} if wait_s else {"job": {"jobId": "j", "status": "in-progress"}}
            content = json.dumps(body).encode()
            self.send_response(429 if wait_s else 200)
            if wait_s:
                self.send_header("Retry-After", str(wait_s))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_address[1])
    pipe.recv()
    with window.lock:
        pipe.send(window.answers)


def measure(count: int, window_s: float, own_bound: int, seconds: float, rows: list[str]) -> None:
    """Ask for so many seconds; adds a row of figures."""
    ours, theirs = multiprocessing.Pipe()
    service = multiprocessing.get_context("spawn").Process(target=serve, args=(count, window_s, theirs), daemon=True)
    service.start()
    port = ours.recv()
    cancel = threading.Event()
    api, _ = connect(
        base_url=f"http://127.0.0.1:{port}/v1",
        api_key="key",
        api_secret="secret",
        project_id=None,
        rate_limit_per_minute=own_bound,
        clock=SystemClock(),
        cancel=cancel,
    )

    def ask() -> None:
        with contextlib.suppress(Interrupted, ScenarioApplyError):
            while not cancel.is_set():
                api.get_job(JobId("j"))

    started = time.monotonic()
    threads = [threading.Thread(target=ask, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    ours.send("enough")
    answers: list[tuple[float, bool]] = ours.recv()
    cancel.set()
    for thread in threads:
        thread.join(5)
    service.terminate()
    service.join()
    bound = f", own bound {own_bound}/min" if own_bound else ""
    row = f"{f'{count} / {window_s:g} s{bound}':32}"
    for span in (min(60.0, seconds), seconds):
        part = [passed for at, passed in answers if started <= at < started + span]
        allowed = count * math.ceil(span / window_s)  # whole windows: what is allowed is sure then
        row += f"  {sum(part) / allowed:6.1%} {1 - sum(part) / max(len(part), 1):7.2%} of {len(part):5}"
    rows.append(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=240)
    options = parser.parse_args()
    rows: list[str] = []
    cases = ((100, 60.0, 0), (100, 60.0, 100), (20, 2.0, 0), (5, 1.0, 0))
    threads = [threading.Thread(target=measure, args=(*case, options.seconds, rows)) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{options.seconds:g} s      {'':20}  the first minute           all")
    print(
        f"{'the service allows':32}  {'used':>6} {'refused':>7} {'asked':>8}  {'used':>6} {'refused':>7} {'asked':>8}"
    )
    print("\n".join(sorted(rows)))


if __name__ == "__main__":
    main()

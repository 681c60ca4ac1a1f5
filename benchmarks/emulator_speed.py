"""The emulator against moto_server and Prism, each on one core, loaded in turns by the same client; medians and ratios.

    python benchmarks/emulator_speed.py [--rounds 5] [--seconds 1] [--fill 10000] [--moto PATH] [--prism PATH]

Promises: 2,000 small requests a second, 200 MB/s of image uploads, start-up under 400 ms, memory flat in what is held.
moto_server serves an S3 bucket, the nearest equivalent of small reads and writes; Prism serves the same contract
file with made-up responses and stores nothing. Both are searched in build/rivals and on the PATH.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from _wire import AWS, Connection, Running, ask, cores, free_port, rate, request, served
from _workload import picture

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "tests" / "contract" / "scenario-openapi.yaml"
RIVALS = ROOT / "build" / "rivals"
INSTALL = {
    "moto_server": "python -m venv build/rivals/moto && build/rivals/moto/bin/pip install 'moto[server]'",
    "prism": "npm install --prefix build/rivals @stoplight/prism-cli",
}
CONNECTIONS = 4
MB = 1_000_000


def main() -> int:
    """Measure and print."""
    options = _options()
    server_core, client_core = cores()
    if client_core is not None:
        os.sched_setaffinity(0, {client_core})
    print(f"server on core {server_core}, client on core {client_core}, {CONNECTIONS} connections")
    with tempfile.TemporaryDirectory(prefix="emulator-speed-") as folder:
        commands = _commands(options, folder)
        _start_up(commands, server_core, folder)
        with contextlib.ExitStack() as stack:
            running = {
                name: stack.enter_context(served(name, command, port, server_core, folder))
                for name, (command, port) in commands.items()
            }
            _rates(running, options.rounds, options.seconds)
        _memory(commands, server_core, folder, options.fill)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--fill", type=int, default=10_000, help="pictures held when memory is looked at")
    parser.add_argument("--moto", default=_found(RIVALS / "moto" / "bin" / "moto_server", "moto_server"))
    parser.add_argument("--prism", default=_found(RIVALS / "node_modules" / ".bin" / "prism", "prism"))
    return parser.parse_args()


def _found(usual: Path, name: str) -> str | None:
    return str(usual) if usual.exists() else shutil.which(name)


def _commands(options: argparse.Namespace, folder: str) -> dict[str, tuple[list[str], int]]:
    """What is run, and on which port; what is not installed is said, with the way to install it."""
    port = free_port()
    emulator = [sys.executable, "-m", "scenario_apply.emulator", "--port", str(port), "--rate-limit", "0"]
    emulator += ["--data", os.path.join(folder, "data"), "--max-training-images", "1000000"]
    emulator += ["--allowed-host", "127.0.0.1"]  # the client leaves the port out
    found = {"emulator": (emulator, port)}
    for name, path, arguments in (
        ("moto_server", options.moto, ("-H", "127.0.0.1", "-p", "{port}")),
        ("prism", options.prism, ("mock", str(CONTRACT), "-h", "127.0.0.1", "-p", "{port}")),
    ):
        if not path:
            print(f"{name} is not installed and not compared; to install it: {INSTALL[name]}")
            continue
        port = free_port()
        found[name] = ([path, *(one.format(port=port) for one in arguments)], port)
    return found


def _start_up(commands: dict[str, tuple[list[str], int]], core: int | None, folder: str) -> None:
    taken: dict[str, list[float]] = {name: [] for name in commands}
    busy: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(5):
        for name, (command, port) in commands.items():
            with served(name, command, port, core, folder) as server:
                taken[name].append(server.start_up_s * 1000)
                busy[name].append(server.cpu_s() * 1000)
    print("\nstart-up, ms from exec to the first answer by the clock, and of processor time (medians of 5)")
    for name in taken:
        times = f"{statistics.median(taken[name]):8.0f} {statistics.median(busy[name]):8.0f}"
        print(f"  {name:12} {times}{_against(busy, name, lower_is_better=True)}")


def _rates(running: dict[str, Running], rounds: int, seconds: float) -> None:
    """Every server in turn, round by round, so that a busy moment of the machine hits all of them."""
    works = {name: WORKS[name](server.port) for name, server in running.items()}
    for work in ("small reads", "small writes", "uploads of 1 MB, in JSON", "uploads of 1 MB, raw"):
        by_clock: dict[str, list[float]] = {name: [] for name in works if work in works[name]}
        by_core: dict[str, list[float]] = {name: [] for name in by_clock}
        for _ in range(rounds):
            for name in by_clock:
                clock, core, refused = rate(running[name], works[name][work][1], seconds, CONNECTIONS)
                if refused:
                    print(f"{name}: {refused} answers of 400 or more, not counted")
                by_clock[name].append(clock)
                by_core[name].append(core)
        unit = "MB of pictures" if "MB" in work else "requests"
        print(f"\n{work}: {unit} per second by the clock, and per second of one core (medians of {rounds})")
        for name, values in by_clock.items():
            rates = f"{statistics.median(values):8.0f} {statistics.median(by_core[name]):8.0f}"
            print(f"  {name:12} {rates}{_against(by_core, name)}   {works[name][work][0]}")


def _against(measured: dict[str, list[float]], name: str, lower_is_better: bool = False) -> str:
    if name == "emulator":
        return " " * 16
    ours, theirs = statistics.median(measured["emulator"]), statistics.median(measured[name])
    return f"   emulator {theirs / ours if lower_is_better else ours / theirs:4.1f} x"


Work = dict[str, tuple[str, list[bytes]]]
"""What is measured -> what it is called, and the requests."""


def _emulator_work(port: int) -> Work:
    model = _made(port, "/v1/models", {"name": "Kael", "type": "flux.1-lora"})["model"]["id"]
    image = _made(port, "/v1/assets", {"name": "a.png", "image": base64.b64encode(picture(0, 20_000)).decode()})
    asset = image["asset"]["id"]
    caption = [
        request("PUT", f"/v1/assets/{asset}", json.dumps({"description": f"a red cloak, {number}"}).encode())
        for number in range(50)
    ]
    upload = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": 2 * MB}
    part = (
        _made(port, "/v1/uploads", upload)["upload"]["parts"][0]["url"].split("127.0.0.1", 1)[1].lstrip(":0123456789")
    )
    pictures = [picture(seed, MB) for seed in range(24)]
    add = f"/v1/models/{model}/training-images"
    return {
        "small reads": ("GET /models/{modelId}", [request("GET", f"/v1/models/{model}")]),
        "small writes": ("PUT /assets/{assetId}, a caption", caption),
        "uploads of 1 MB, in JSON": (
            "POST /models/{modelId}/training-images, a data URL",
            [request("POST", add, _data_url(one)) for one in pictures],
        ),
        "uploads of 1 MB, raw": ("PUT of a part", [request("PUT", part, one, "image/png", None) for one in pictures]),
    }


def _moto_work(port: int) -> Work:
    ask(port, request("PUT", "/bucket", auth=AWS))
    ask(port, request("PUT", "/bucket/a", b"a red cloak", "text/plain", AWS))
    return {
        "small reads": ("S3 GET object", [request("GET", "/bucket/a", auth=AWS)]),
        "small writes": (
            "S3 PUT object",
            [request("PUT", f"/bucket/w{one}", b"a red cloak, %d" % one, "text/plain", AWS) for one in range(50)],
        ),
        "uploads of 1 MB, raw": (
            "S3 PUT object",
            [request("PUT", f"/bucket/{one}", picture(one, MB), "image/png", AWS) for one in range(24)],
        ),
    }


def _prism_work(port: int) -> Work:
    caption = json.dumps({"description": "a red cloak"}).encode()
    return {
        "small reads": ("GET /models/{modelId}", [request("GET", "/models/model_1")]),
        "small writes": ("PUT /assets/{assetId}, a caption", [request("PUT", "/assets/asset_1", caption)]),
        "uploads of 1 MB, in JSON": (
            "POST /models/{modelId}/training-images, a data URL",
            [request("POST", "/models/model_1/training-images", _data_url(picture(one, MB))) for one in range(24)],
        ),
    }


WORKS: dict[str, Callable[[int], Work]] = {
    "emulator": _emulator_work,
    "moto_server": _moto_work,
    "prism": _prism_work,
}


def _data_url(data: bytes) -> bytes:
    return b'{"name":"a.png","data":"data:image/png;base64,' + base64.b64encode(data) + b'"}'


def _made(port: int, path: str, body: dict[str, object]) -> dict[str, dict[str, object]]:
    status, answer = ask(port, request("POST", path, json.dumps(body).encode()))
    assert status == 200, answer
    made: dict[str, dict[str, object]] = json.loads(answer)
    return made


def _memory(commands: dict[str, tuple[list[str], int]], core: int | None, folder: str, count: int) -> None:
    """Resident memory before and after so many pictures of 10 kB, and after a restart on the filled folder."""
    print(f"\nmemory, MiB resident: at first, then with 1/4 and all of {count} pictures of 10 kB")
    for name in [one for one in ("emulator", "moto_server") if one in commands]:
        command, port = commands[name]
        if name == "emulator":
            command = [*command, "--data", os.path.join(folder, "filled")]
        with served(name, command, port, core, folder) as server:
            seen = [server.rss_mib()]
            line = Connection(port)
            for start, end in ((0, count // 4), (count // 4, count)):
                for data in _fill(name, port, start, end):
                    line.send(data)
                    status, answer = line.receive()
                    assert status == 200, answer
                seen.append(server.rss_mib())
            line.close()
        told = f"  {name:12}" + "".join(f"{value:8.0f}" for value in seen)
        if name == "emulator":
            with served(name, command, port, core, folder) as server:
                told += f"   started on it again: {server.rss_mib():.0f}, in {server.start_up_s * 1000:.0f} ms"
        print(told)


def _fill(name: str, port: int, start: int, end: int) -> Iterator[bytes]:
    """Uploads that no two of which are the same; of the emulator into models of 40 pictures."""
    model = ""
    for number in range(start, end):
        data = small_picture(number)
        if name == "moto_server":
            if number == 0:
                yield request("PUT", "/fill", auth=AWS)
            yield request("PUT", f"/fill/{number}", data, "image/png", AWS)
            continue
        if number % 40 == 0 or not model:
            model = str(_made(port, "/v1/models", {"name": f"{number}", "type": "flux.1-lora"})["model"]["id"])
        yield request("POST", f"/v1/models/{model}/training-images", _data_url(data))


def small_picture(seed: int) -> bytes:
    """A JPEG header's worth of picture and 10 kB that no other seed has."""
    global _SMALL
    if not _SMALL:
        import io

        from PIL import Image

        out = io.BytesIO()
        Image.new("RGB", (64, 64), (200, 120, 40)).save(out, "JPEG")
        _SMALL = out.getvalue()
    return _SMALL[:-2] + b"\xff\xfe" + (9000 + 2).to_bytes(2, "big") + random.Random(seed).randbytes(9000) + _SMALL[-2:]


_SMALL = b""

if __name__ == "__main__":
    raise SystemExit(main())

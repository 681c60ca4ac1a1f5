"""One client cannot take all of the server: bounds on sizes, on connections and on time. The clock is a fake."""

from __future__ import annotations

import asyncio
import errno
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from uvicorn.server import ServerState

from scenario_apply.emulator import listener
from scenario_apply.emulator.http_bounds import HttpBounds, connections_for_this_process
from scenario_apply.emulator.listener import Listener
from scenario_apply.emulator.notices import INTERVAL_S, Notices
from scenario_apply.emulator.open_connections import OpenConnections
from scenario_apply.emulator.protocol import EmulatorConnection, uvicorn_config
from scenario_apply.emulator.server import Server
from scenario_apply.emulator.thread import EmulatorThread

from .raw import KEY, connect, host_of, read_answer
from .test_jobs_and_webhooks import wait_for

GET = b"GET / HTTP/1.1\r\n\r\n"
ANSWER = 1000
BOUNDS = HttpBounds()


class FakeTransport(asyncio.Transport):
    """A client that reads only when `reads` is true. Counts what waits in the server."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: EmulatorConnection | None = None
        self.reads = False
        self.sent = bytearray()
        self.unsent = 0
        self.is_reading_paused = False
        self.was_closed = False
        self.was_aborted = False
        self._is_writing_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert self.protocol is not None
        self.sent += data
        if self.reads:
            return
        self.unsent += len(data)
        if self.unsent > 65536 and not self._is_writing_paused:
            self._is_writing_paused = True
            self.protocol.pause_writing()

    def read_all(self) -> None:
        """The client reads what there is."""
        assert self.protocol is not None
        self.unsent = 0
        if self._is_writing_paused:
            self._is_writing_paused = False
            self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.is_reading_paused = True

    def resume_reading(self) -> None:
        self.is_reading_paused = False

    def close(self) -> None:
        self.was_closed = True

    def abort(self) -> None:
        self.was_closed = self.was_aborted = True

    def is_closing(self) -> bool:
        return self.was_closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Bench:
    """Connections to an application that answers a thousand bytes, and a clock that is moved by hand."""

    def __init__(self, bounds: HttpBounds = BOUNDS) -> None:
        self.now = 0.0
        self.answered = 0
        self.gate: asyncio.Event | None = None
        self.connections = OpenConnections(bounds, lambda: self.now)
        self._config = uvicorn_config(self.answer, bounds)
        self._state = ServerState()

    def open(self) -> tuple[EmulatorConnection, FakeTransport]:
        """One more connection."""
        transport = FakeTransport()
        transport.protocol = EmulatorConnection(self._config, self._state, self.connections)
        transport.protocol.connection_made(transport)
        return transport.protocol, transport

    async def answer(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        """The application: reads the body, waits at the gate, answers."""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message["more_body"]:
                break
        if self.gate is not None:
            await self.gate.wait()
        self.answered += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % ANSWER)]})
        await send({"type": "http.response.body", "body": b"x" * ANSWER})

    async def lose_all(self) -> None:
        """Every client goes away."""
        for connection in tuple(self._state.connections):
            connection.connection_lost(None)
        if self.gate is not None:
            self.gate.set()
        await asyncio.gather(*self._state.tasks)

    async def pass_time(self, seconds: float) -> None:
        """Second by second, as the server looks at its connections."""
        for _ in range(round(seconds)):
            self.now += 1
            self.connections.check_deadlines()
            await settle()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(test: Callable[[Bench], Awaitable[None]], bounds: HttpBounds = BOUNDS) -> None:
    """A test in an event loop."""

    async def go() -> None:
        bench = Bench(bounds)
        try:
            await test(bench)
        finally:
            await bench.lose_all()

    asyncio.run(go())


async def feed(connection: EmulatorConnection, transport: FakeTransport, data: bytes, most: int) -> int:
    """Send while the server reads, as a kernel would; how much of `most` it took."""
    taken = 0
    while not transport.is_reading_paused and taken < most:
        connection.data_received(data)
        taken += len(data)
        await settle()
    return taken


def test_a_client_that_reads_no_answers_is_not_read_either() -> None:
    """Of a gigabyte of requests in a row, the server takes a few, and answers fewer."""

    async def test(bench: Bench) -> None:
        connection, transport = bench.open()
        piece = GET * (256 * 1024 // len(GET))
        taken = await feed(connection, transport, piece, 1 << 30)
        await asyncio.sleep(0)
        for _ in range(100):
            await settle()
        assert taken <= 2 * len(piece)
        assert transport.unsent <= 65536 + 2 * (ANSWER + 200)
        assert bench.answered <= 80
        assert len(connection.pipeline) <= 1024 // len(GET) + 1
        assert len(connection._unparsed) <= 2 * len(piece)
        # once it reads, all that was sent is answered, in small steps
        transport.reads = True
        transport.read_all()
        while connection.is_behind:
            taken += await feed(connection, transport, GET, 0)
            assert len(connection.pipeline) <= 1024 // len(GET) + 1
            await settle()
        await settle()
        assert bench.answered == taken // len(GET)
        assert not transport.is_reading_paused

    run(test)


def test_a_request_waits_for_the_answer_before_it() -> None:
    """Also when it has a body: reading on for one request does not open the door for the next ones."""

    async def test(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        connection, transport = bench.open()
        post = b"POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\n" + b"x" * 30
        taken = await feed(connection, transport, post * 3000, 1 << 26)
        assert taken <= 2 * 3000 * len(post)
        assert transport.is_reading_paused
        assert len(connection.pipeline) <= 1024 // len(post) + 2
        bench.gate.set()
        transport.reads = True
        while connection.is_behind:
            await settle()
        await settle()
        assert bench.answered == taken // len(post)

    run(test)


def test_a_body_is_not_read_ahead_of_the_application() -> None:
    async def test(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        connection, transport = bench.open()
        first = GET + b"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n"
        connection.data_received(first)
        await settle()
        taken = await feed(connection, transport, b"x" * 262144, 1 << 30)
        assert taken <= 262144
        assert len(connection.cycle.body) + len(connection._unparsed) <= 2 * 262144

    run(test)


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"x" * 1000,
        b"GET / HTTP/1.1\r\nx: " + b"y" * 1000,
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 150,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx: " + b"y" * 1000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"y" * 1000,
    ],
    ids=["target", "header", "headers", "trailer", "extension"],
)
def test_heads_and_trailers_are_bounded(data: bytes) -> None:
    """Each of them ends with 431 and a closed connection, however long it gets."""

    async def test(bench: Bench) -> None:
        connection, transport = bench.open()
        taken = 0
        while not transport.was_closed and taken < 1 << 22:
            connection.data_received(data if not taken else b"y" * 1000)
            taken += 1000
            await settle()
        assert transport.was_closed
        assert b" 431 " in transport.sent
        assert b" 200 " not in transport.sent
        assert taken <= 70 * 1024

    run(test)


def test_headers_are_counted() -> None:
    """A hundred are taken, one more is not."""

    async def test(bench: Bench) -> None:
        for count, status in ((100, b" 200 "), (101, b" 431 ")):
            connection, transport = bench.open()
            connection.data_received(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * count + b"\r\n")
            await settle()
            assert status in transport.sent

    run(test)


def test_a_refused_body_is_drained_to_a_bound() -> None:
    async def test(bench: Bench) -> None:
        connection, transport = bench.open()
        connection.data_received(b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n")
        cycle = connection.cycle
        await settle()
        await cycle.send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await cycle.send({"type": "http.response.body", "body": b""})
        taken = 0
        while not transport.was_closed and taken < 1 << 27:
            connection.data_received(b"x" * 262144)
            taken += 262144
        assert BOUNDS.discarded_bytes < taken <= BOUNDS.discarded_bytes + 2 * 262144
        assert len(cycle.body) <= 262144

    run(test)


@pytest.mark.parametrize(
    ("sent", "drip", "limit_s", "status"),
    [
        (b"", b"", BOUNDS.idle_s, b""),
        (b"GET /", b"x", BOUNDS.head_s, b" 408 "),
        (b"GET / HTTP/1.1\r\nx: y\r\n", b"", BOUNDS.head_s, b" 408 "),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\nx", b"", BOUNDS.body_pause_s, b" 408 "),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\nx", b"x", BOUNDS.body_s, b" 408 "),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", BOUNDS.body_s, b" 408 "),
    ],
    ids=["nothing", "dripping head", "half a head", "stalled body", "dripping body", "dripping chunks"],
)
def test_a_request_has_its_time(sent: bytes, drip: bytes, limit_s: float, status: bytes) -> None:
    """A client that sends a byte a second gets no more of it. An answer says why where one is possible."""

    async def test(bench: Bench) -> None:
        connection, transport = bench.open()
        transport.reads = True
        if sent:
            connection.data_received(sent)
        for second in range(1, round(limit_s) + 3):
            await bench.pass_time(1)
            assert transport.was_closed == (second >= limit_s), second
            if transport.was_closed:
                break
            if drip:
                connection.data_received(drip)
        assert status in transport.sent
        assert bench.answered == 0
        connection.connection_lost(None)
        assert not bench.connections.members

    run(test)


def test_a_connection_between_requests_is_idle() -> None:
    async def test(bench: Bench) -> None:
        connection, transport = bench.open()
        transport.reads = True
        for _ in range(3):
            await bench.pass_time(BOUNDS.idle_s - 2)
            connection.data_received(GET)
            await settle()
        await bench.pass_time(BOUNDS.idle_s - 1)
        assert not transport.was_closed
        await bench.pass_time(1)
        assert transport.was_closed
        assert bench.answered == 3

    run(test)


def test_an_answer_may_take_long_and_what_follows_has_its_full_time() -> None:
    """The faults `slow` and `hang`: neither is a reason to close, and the next request is not late because of it."""

    async def test(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        connection, transport = bench.open()
        transport.reads = True
        connection.data_received(GET * 2 + b"GET / HT")
        await bench.pass_time(BOUNDS.body_s + 100)
        assert not transport.was_closed
        bench.gate.set()
        await settle()
        await bench.pass_time(BOUNDS.head_s - 1)
        connection.data_received(b"TP/1.1\r\n\r\n")
        await settle()
        assert (bench.answered, transport.was_closed) == (3, False)

    run(test)


def test_a_client_that_reads_nothing_is_cut() -> None:
    async def test(bench: Bench) -> None:
        connection, transport = bench.open()
        connection.data_received(GET * 100)
        for _ in range(20):
            await settle()
        assert transport.unsent > 65536
        await bench.pass_time(BOUNDS.write_s - 2)
        transport.unsent -= 1  # it does read, if slowly
        await bench.pass_time(BOUNDS.write_s)
        assert not transport.was_aborted
        await bench.pass_time(BOUNDS.write_s)
        assert transport.was_aborted

    run(test)


def test_a_close_does_not_wait_for_ever() -> None:
    """What a client does not read of the last answer is thrown away after a moment."""

    async def test(bench: Bench) -> None:
        connection, transport = bench.open()
        connection.data_received(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        await settle()
        assert (transport.was_closed, transport.was_aborted) == (True, False)
        await bench.pass_time(BOUNDS.linger_s + 1)
        assert transport.was_aborted

    run(test)


def test_bad_bytes_after_a_request_wait_for_its_answer() -> None:
    async def test(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        connection, transport = bench.open()
        transport.reads = True
        connection.data_received(GET + b"\x16\x03\x01")
        await settle()
        assert not transport.sent
        bench.gate.set()
        await settle()
        assert transport.sent.index(b" 200 ") < transport.sent.index(b" 400 ")
        assert transport.was_closed

    run(test)


def test_the_longest_idle_connection_makes_way() -> None:
    """One in the middle of a request does not; when there is no other, there is no room."""

    async def test(bench: Bench) -> None:
        bench.gate = asyncio.Event()
        opened = []
        for number in range(4):
            bench.now = float(number)
            opened.append(bench.open())
        opened[0][0].data_received(GET)
        opened[1][0].data_received(GET[:5])
        assert bench.connections.make_room()
        assert [transport.was_closed for _, transport in opened] == [False, False, True, False]
        bench.open()[0].data_received(GET)
        for _ in range(2):
            assert bench.connections.make_room()
            bench.open()[0].data_received(GET)
        assert not bench.connections.make_room()
        await settle()

    run(test, replace(BOUNDS, connections=4))


# over real sockets


@pytest.fixture
def few(emulator: EmulatorThread) -> EmulatorThread:
    """An emulator that takes eight connections."""

    def reduce(server: Server) -> None:
        server.connections.bounds = replace(server.connections.bounds, connections=8)

    emulator._do(reduce)
    return emulator


def test_idle_connections_keep_nobody_out(few: EmulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    """Far more of them than may be open, and a request is answered at once; nothing is written about it."""
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(connect(few))
        for _ in range(3):
            with connect(few) as wire:
                wire.sendall(f"GET /v1/models HTTP/1.1\r\nHost: {host_of(few)}\r\n{KEY}\r\n\r\n".encode())
                assert read_answer(wire)[0] == 200
        assert few._do(lambda server: len(server.connections.members)) <= 8
    assert capsys.readouterr().err == ""


def test_busy_connections_leave_no_room_and_that_is_said_once(
    few: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    few.add_fault("hang", times=8)
    request = f"GET /v1/models HTTP/1.1\r\nHost: {host_of(few)}\r\n{KEY}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(connect(few)).sendall(request)
        wait_for(lambda: len(few.requests) == 8)
        for _ in range(5):
            with connect(few) as wire:
                assert read_answer(wire)[0] == 503
    assert capsys.readouterr().err.count("\n") == 1
    wait_for(lambda: few._do(lambda server: len(server.connections.members)) == 0)
    with connect(few) as wire:
        wire.sendall(request)
        assert read_answer(wire)[0] == 200


def test_bodies_share_a_budget(emulator: EmulatorThread, outside_the_contract: list[str]) -> None:
    """Those that are not complete count; what does not fit is refused, and all is given back in the end."""

    def held() -> int:
        return emulator._do(lambda server: server.connections.bodies.held)

    def limit(server: Server) -> None:
        server.connections.bodies.limit = 100_000

    emulator._do(limit)
    lines = ["POST /v1/models HTTP/1.1", f"Host: {host_of(emulator)}", KEY, "Content-Type: application/json"]
    head = "\r\n".join([*lines, "Content-Length: 50000", "", ""]).encode()
    with ExitStack() as stack:
        for number in range(1, 3):
            stack.enter_context(connect(emulator)).sendall(head + b" " * 45_000)
            wait_for(lambda number=number: held() == number * 45_000)
        with connect(emulator) as wire:
            wire.sendall(head + b" " * 50_000)
            assert read_answer(wire)[0] == 503
        assert held() == 90_000
    wait_for(lambda: held() == 0)
    with connect(emulator) as wire:
        wire.sendall(head + b"{}" + b" " * 49_998)
        assert read_answer(wire)[0] == 200
    assert held() == 0
    assert "503" in outside_the_contract.pop()


def test_a_large_body_is_refused_before_it_is_complete(emulator: EmulatorThread) -> None:
    """The server keeps no more of it than it may, and none once it has answered."""
    head = f"POST /v1/models HTTP/1.1\r\nHost: {host_of(emulator)}\r\n{KEY}\r\nContent-Length: 900000000\r\n\r\n"
    with connect(emulator) as wire:
        wire.sendall(head.encode())
        for _ in range(34):
            wire.sendall(b" " * 1024 * 1024)
        status, body = read_answer(wire)
    assert (status, b"BODY_TOO_LARGE" in body) == (400, True)
    assert emulator._do(lambda server: server.connections.bodies.peak) <= BOUNDS.body_bytes
    assert emulator._do(lambda server: server.connections.bodies.held) == 0


def test_running_out_of_descriptors_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it happens; and the listener continues."""
    said: list[str] = []
    monkeypatch.setattr(listener, "_RETRY_S", 0)

    async def test() -> int:
        loop = asyncio.get_running_loop()
        tries = 0

        async def accept(_: object) -> None:
            nonlocal tries
            tries += 1
            raise OSError(errno.EMFILE if tries < 1000 else errno.ECONNABORTED, "refused")

        monkeypatch.setattr(loop, "sock_accept", accept)
        notices = Notices(lambda: 0.0, said.append)
        one = Listener(OpenConnections(BOUNDS), notices, lambda: asyncio.Protocol())
        await one.bind("127.0.0.1", 0)
        one.start()
        while tries < 2000:
            await asyncio.sleep(0)
        await one.stop()
        return tries

    assert asyncio.run(test()) >= 2000
    assert len(said) == 2
    assert "cannot accept connections" in said[0]


def test_a_notice_comes_once_per_interval_and_counts_the_rest() -> None:
    now = [0.0]
    said: list[str] = []
    notices = Notices(lambda: now[0], said.append)
    for _ in range(500):
        notices.note("a", "first")
    notices.note("b", "other")
    now[0] = INTERVAL_S
    notices.note("a", "again")
    assert said == ["emulator: first", "emulator: other", "emulator: again (499 more since the last notice)"]


def test_connections_are_fewer_where_files_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, expected in ((1024, 256), (100, 36), (64, 8), (resource.RLIM_INFINITY, 256)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert connections_for_this_process() == expected


@pytest.fixture
def cramped() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """An emulator as a process that may open eighty files, and its port."""
    command = [sys.executable, "-m", "scenario_apply.emulator", "--port", "0"]

    def cramp() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))

    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root, preexec_fn=cramp
    ) as running:
        assert running.stdout is not None
        yield running, int(running.stdout.readline().decode().split(":")[2].split("/")[0])
        running.kill()


def test_four_hundred_idle_connections_do_not_stop_a_process(cramped: tuple[subprocess.Popen[bytes], int]) -> None:
    """It may open eighty files. It answers a client in between and afterwards, and writes next to nothing."""
    import socket

    running, port = cramped
    request = f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{KEY}\r\n\r\n".encode()
    with ExitStack() as stack:
        for number in range(400):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            idle.sendall(b"" if number % 2 else b"GET / HT")
            if number % 100 == 99:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
                    wire.sendall(request)
                    assert read_answer(wire)[0] == 200
    running.terminate()
    assert running.stderr is not None
    assert len(running.stderr.read()) < 1000
    assert running.wait(10) == 0

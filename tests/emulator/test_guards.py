"""Who gets in: pages of other sites, names that lead here, and other machines do not, however a request is written."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from scenario_apply.emulator.__main__ import main
from scenario_apply.emulator.access import Access
from scenario_apply.emulator.options import OptionError
from scenario_apply.emulator.routes import api_router, side_router
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from .raw import KEY, connect, host_of, read_answer, send
from .test_models import make

OWNER_ROUTES = [(method, path) for method, path, route in side_router().routes() if route.access is Access.OWNER]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda path: path,
    "first byte encoded": lambda path: path.replace("_", "%5f", 1),
    "encoded in capitals": lambda path: path.replace("_", "%5F"),
    "every letter encoded": lambda path: "/".join(
        "".join(f"%{ord(one):02x}" for one in part) for part in path.split("/")
    ),
    "encoded twice": lambda path: path.replace("_", "%255f"),
    "two slashes": lambda path: "/" + path,
    "slashes within": lambda path: path.replace("/", "//"),
    "a dot": lambda path: "/." + path,
    "dots": lambda path: "/cdn/.." + path,
    "encoded dots": lambda path: "/cdn/%2e%2e" + path,
    "encoded slashes": lambda path: "/" + path[1:].replace("/", "%2f"),
    "encoded first slash": lambda path: "/%2f" + path[1:],
    "upper case": str.upper,
    "trailing slash": lambda path: path + "/",
    "a parameter": lambda path: path + ";x=1",
    "a query": lambda path: path + "?a=/v1/models",
    "under the API": lambda path: "/v1/.." + path,
}


def test_each_route_beside_the_api_declares_its_guard() -> None:
    """The page and all of the admin API are the owner's; all of the API needs credentials."""
    assert {path for _, path in OWNER_ROUTES} == {
        path for _, path, _ in side_router().routes() if path == "/" or "emulator" in path
    }
    assert len(OWNER_ROUTES) > 12
    assert {route.access for _, _, route in api_router().routes()} == {Access.CREDENTIALS}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("form", ["origin", "absolute"])
def test_a_foreign_page_reaches_no_route_of_the_owner(
    emulator: EmulatorThread, api: httpx.Client, spelling: str, form: str
) -> None:
    """Whatever the path looks like: nothing is carried out, nothing is shown."""
    model = make(api)["id"]
    host = host_of(emulator)
    for method, path in OWNER_ROUTES:
        written = SPELLINGS[spelling](path.replace("*", model))
        target = f"http://{host}{written}" if form == "absolute" else written
        status = send(emulator, method, target, f"Host: {host}", "Origin: http://evil.example", body=b"{}")
        assert status in (400, 403, 404, 405), (method, target, status)
    assert api.get(f"/models/{model}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        ("Origin: http://evil.example",),
        ("Origin: null",),
        ("Origin:",),
        ("Origin: http://127.0.0.1:1",),
        ("Origin: http://{host}.evil.example",),
        ("Origin: http://evil.example@{host}",),
        ("Origin: http://{host}", "Origin: http://evil.example"),
        ("Origin: file://{host}",),
        ("Sec-Fetch-Site: cross-site",),
        ("Sec-Fetch-Site: same-site",),
        ("Origin: http://evil.example", "Sec-Fetch-Site: same-origin"),
        ("Content-Type: text/plain",),
        ("Content-Type: Text/Plain; charset=utf-8",),
        ("Content-Type: multipart/form-data; boundary=x",),
    ],
)
@pytest.mark.parametrize("path", ["/__emulator__/reset", "/%5f_emulator__/reset"])
def test_the_world_is_not_reset_by_another_site(
    emulator: EmulatorThread, api: httpx.Client, headers: tuple[str, ...], path: str
) -> None:
    model = make(api)["id"]
    host = host_of(emulator)
    lines = [line.format(host=host) for line in headers]
    assert send(emulator, "POST", path, f"Host: {host}", *lines, body=b"{}") in (403, 415)
    assert api.get(f"/models/{model}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Origin: http://{host}", "Sec-Fetch-Site: same-origin"),
        ("Sec-Fetch-Site: none",),
        ("Content-Type: application/json",),
    ],
)
def test_the_owner_gets_in(emulator: EmulatorThread, headers: tuple[str, ...]) -> None:
    """A program, the page itself, and an address that was typed; an encoded path means what it decodes to."""
    host = host_of(emulator)
    lines = [line.format(host=host) for line in headers]
    for path in ("/__emulator__/reset", "/%5f_emulator__/reset"):
        assert send(emulator, "POST", path, f"Host: {host}", *lines, body=b"{}") == 200


FOREIGN_HOSTS = {
    "a name that leads here": ("Host: evil.example:{port}",),
    "a name that starts like us": ("Host: 127.0.0.1.evil.example:{port}",),
    "a user in front": ("Host: evil.example@127.0.0.1:{port}",),
    "us as the user": ("Host: 127.0.0.1:{port}@evil.example",),
    "another port": ("Host: 127.0.0.1:1",),
    "no port": ("Host: 127.0.0.1",),
    "a number": ("Host: 2130706433:{port}",),
    "short notation": ("Host: 127.1:{port}",),
    "any address": ("Host: 0.0.0.0:{port}",),
    "a subdomain of localhost": ("Host: evil.localhost:{port}",),
    "none": (),
    "empty": ("Host:",),
    "a path": ("Host: 127.0.0.1:{port}/x",),
    "twice": ("Host: 127.0.0.1:{port}", "Host: evil.example:{port}"),
    "twice the other way": ("Host: evil.example:{port}", "Host: 127.0.0.1:{port}"),
    "a foreign page": ("Host: 127.0.0.1:{port}", "Origin: http://evil.example"),
    "a foreign page without origin": ("Host: 127.0.0.1:{port}", "Sec-Fetch-Site: cross-site"),
}


@pytest.mark.parametrize("case", FOREIGN_HOSTS)
def test_the_api_answers_to_its_own_host_only_while_no_key_is_set(emulator: EmulatorThread, case: str) -> None:
    port = host_of(emulator).rpartition(":")[2]
    headers = [line.format(port=port) for line in FOREIGN_HOSTS[case]]
    for path in ("/v1/models", "/__emulator__/snapshot", "/"):
        assert send(emulator, "GET", path, KEY, *headers) in (400, 403)
    assert send(emulator, "POST", "/__emulator__/tokens", *headers) in (400, 403)


def test_an_absolute_target_must_name_the_host_of_the_header(emulator: EmulatorThread) -> None:
    host = host_of(emulator)
    assert send(emulator, "GET", f"http://{host}/v1/models", KEY, f"Host: {host}") == 200
    for target in (
        "http://evil.example/v1/models",
        f"http://evil.example@{host}/v1/models",
        f"http://{host}@evil.example/v1/models",
        "http://127.0.0.1/v1/models",
    ):
        assert send(emulator, "GET", target, KEY, f"Host: {host}") == 400


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]", "127.0.0.2"])
def test_loopback_has_several_names(emulator: EmulatorThread, name: str) -> None:
    port = host_of(emulator).rpartition(":")[2]
    assert send(emulator, "GET", "/v1/models", KEY, f"Host: {name}:{port}") == 200
    assert send(emulator, "GET", "/", f"Host: {name}:{port}") == 200


def test_further_hosts_are_allowed_by_name() -> None:
    """Without a port in the option any port will do; their pages may ask, too."""
    with EmulatorThread(manual_options(allowed_hosts=("emulator.test", "Other.test:99"))) as emulator:
        for host, status in (
            ("emulator.test", 200),
            ("Emulator.test:1234", 200),
            ("other.test:99", 200),
            ("other.test", 403),
            ("other.test:98", 403),
        ):
            assert send(emulator, "GET", "/v1/models", KEY, f"Host: {host}") == status
            assert send(emulator, "GET", "/__emulator__/health", f"Host: {host}") == status
        page = (f"Host: {host_of(emulator)}", "Origin: http://emulator.test:5173", "Sec-Fetch-Site: cross-site")
        assert send(emulator, "GET", "/v1/models", KEY, *page) == 200


def test_a_key_stands_in_for_the_host_but_not_for_the_owner() -> None:
    with EmulatorThread(manual_options(api_key="k", api_secret="s")) as emulator:
        assert send(emulator, "GET", "/v1/models", KEY, "Host: emulator.test:1") == 200
        assert send(emulator, "GET", "/__emulator__/health", KEY, "Host: emulator.test:1") == 403
        assert send(emulator, "GET", "/v1/models", KEY, "Host: emulator.test", "Host: emulator.test") == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "some.name", "127.0.0.1.nip.io"])
def test_other_machines_need_a_key(host: str) -> None:
    """On the command line and in a program: nothing listens where other machines could connect without a key."""
    assert main(["--host", host]) == 64
    with pytest.raises(OptionError, match="--api-key"), EmulatorThread(manual_options(host=host)):
        pass
    with (
        pytest.raises(OptionError, match="empty"),
        EmulatorThread(manual_options(host=host, api_key="", api_secret="")),
    ):
        pass


def test_options_name_hosts(capsys: pytest.CaptureFixture[str]) -> None:
    for bad in ("", "http://x", "a b", "x:y"):
        assert main(["--allowed-host", bad]) == 64
    assert "--allowed-host" in capsys.readouterr().err


def test_beyond_loopback_the_owner_is_known_by_the_key() -> None:
    """No token is given out without it, by whatever address the request comes; a name is not taken."""
    options = manual_options(host="0.0.0.0", admin=True, api_key="k", api_secret="s")
    with EmulatorThread(options) as emulator:
        for host, headers, status in (
            ("127.0.0.1:1", (KEY,), 200),
            ("192.0.2.1:8585", (KEY,), 200),
            ("127.0.0.1:1", (), 401),
            ("127.0.0.1:1", ("Authorization: Bearer public-auth-token",), 401),
            ("evil.example", (KEY,), 403),
            ("127.0.0.1:1", (KEY, "Origin: http://evil.example"), 403),
        ):
            assert send(emulator, "POST", "/__emulator__/tokens", f"Host: {host}", *headers) == status


def test_credentials_are_asked_before_the_body(emulator: EmulatorThread) -> None:
    """The refusal is there while the body is not; the connection stays in step, whether the body comes or not."""
    head = f"POST /v1/models HTTP/1.1\r\nHost: {host_of(emulator)}\r\nContent-Length: 30000000\r\n"
    with connect(emulator) as wire:
        wire.sendall(f"{head}\r\n".encode())
        assert read_answer(wire)[0] == 401
        for _ in range(30):
            wire.sendall(b"x" * 1_000_000)
        wire.sendall(f"GET /v1/models HTTP/1.1\r\nHost: {host_of(emulator)}\r\n{KEY}\r\n\r\n".encode())
        assert read_answer(wire)[0] == 200
    with connect(emulator) as wire:
        wire.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert read_answer(wire)[0] == 401
        assert wire.recv(1) == b""
    for path, status in (("/parts/upload_x/1?expires=9999999999999&signature=x", 403), ("/nowhere", 404)):
        with connect(emulator) as wire:
            wire.sendall(f"PUT {path} HTTP/1.1\r\nHost: {host_of(emulator)}\r\nContent-Length: 9\r\n\r\n".encode())
            assert read_answer(wire)[0] == status
    assert emulator._do(lambda server: server.connections.bodies.peak) == 0

"""The page shows models, escapes everything, moves the clock, sets faults, and is closed to other sites."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image

from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .test_models import make, train
from .test_training import with_images

NASTY = "<script>alert('x')</script>\"&"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def root(emulator: EmulatorThread) -> str:
    """Where the page is."""
    return emulator.url.removesuffix("/v1")


def test_everything_is_escaped(emulator: EmulatorThread, api: httpx.Client, root: str) -> None:
    model = make(api, name=NASTY)["id"]
    train(emulator, api, model)
    image = api.get(f"/models/{model}").json()["model"]["trainingImages"][0]["id"]
    api.put(f"/assets/{image}", json={"description": NASTY, "name": NASTY})
    api.get("/models", params={"projectId": NASTY})
    for path in ("/", f"/__emulator__/models/{model}"):
        page = contract.plain.get(root + path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "alert(" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_pictures_of_a_model_are_shown_with_their_prompts(
    emulator: EmulatorThread, api: httpx.Client, root: str
) -> None:
    """What was generated with it; the pictures of its epochs stand apart."""
    model = make(api)["id"]
    train(emulator, api, model)
    api.post("/generate/custom/model_bfl-flux-1-dev", json={"prompt": NASTY, "loras": [model], "numOutputs": 2})
    emulator.advance(5)
    page = contract.plain.get(f"{root}/__emulator__/models/{model}").text
    assert "the last 2" in page
    assert page.count("&lt;script&gt;") == 2
    assert "<script" not in page


def test_an_empty_world_and_an_unknown_model(root: str) -> None:
    assert "No models yet" in contract.plain.get(root).text
    assert contract.plain.get(f"{root}/__emulator__/models/nobody").status_code == 404


def test_the_clock_and_the_faults_are_moved_from_the_page(
    emulator: EmulatorThread, api: httpx.Client, root: str
) -> None:
    model = with_images(api, name="Kael")
    api.put(f"/models/{model}/train", json={})
    assert "s left" in contract.plain.get(root).text
    answer = contract.plain.post(f"{root}/__emulator__/page/clock", data={"seconds": "20"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert ">trained<" in contract.plain.get(root).text
    fault = f"{root}/__emulator__/page/fault"
    contract.plain.post(fault, data={"kind": "500", "action": "once"})
    assert "Active rules" in contract.plain.get(root).text
    assert api.get("/models").status_code == 500
    contract.plain.post(fault, data={"kind": "slow", "action": "toggle"})
    assert "slow 10.0 %" in contract.plain.get(root).text
    contract.plain.post(fault, data={"action": "clear"})
    assert "slow 10.0 %" not in contract.plain.get(root).text
    assert contract.plain.post(fault, data={"kind": "explode", "action": "once"}).status_code == 400
    assert contract.plain.post(f"{root}/__emulator__/page/clock", data={"seconds": "-1"}).status_code == 400


def test_other_sites_and_other_names_are_turned_away(root: str) -> None:
    assert contract.plain.get(root, headers={"host": "evil.example:80"}).status_code == 403
    clock = f"{root}/__emulator__/page/clock"
    assert (
        contract.plain.post(clock, data={"seconds": "1"}, headers={"origin": "http://evil.example"}).status_code == 403
    )
    assert contract.plain.post(clock, data={"seconds": "1"}, headers={"origin": root}).status_code == 303


def test_beyond_loopback_only_with_admin_and_the_key() -> None:
    """Without --admin it is closed; with it, it opens with the key, and a browser is made to prompt for it."""
    for admin, status in ((False, 403), (True, 200)):
        options = manual_options(host="0.0.0.0", admin=admin, api_key="k", api_secret="s")
        with EmulatorThread(options) as emulator:
            port = emulator.url.rsplit(":", 1)[1].removesuffix("/v1")
            health = f"http://127.0.0.1:{port}/__emulator__/health"
            assert contract.plain.get(health, auth=("k", "s")).status_code == status
            assert contract.plain.get(f"http://127.0.0.1:{port}/v1/models", auth=("k", "s")).status_code == 200
            for auth in (None, ("k", "wrong")):
                refused = contract.plain.get(health, auth=auth)
                assert refused.status_code == (401 if admin else 403)
                assert ("www-authenticate" in refused.headers) == admin


def browse(address: str, profile: Path, *options: str) -> str:
    """What headless Chromium makes of an address. It may not use the network."""
    assert CHROMIUM is not None
    quiet = "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
    command = [CHROMIUM, "--headless", "--no-sandbox", *quiet.split(), "--disable-sync", f"--user-data-dir={profile}"]
    return subprocess.run([*command, *options, address], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_it(emulator: EmulatorThread, api: httpx.Client, root: str, tmp_path: Path) -> None:
    model = make(api, name="Kael the ranger")["id"]
    train(emulator, api, model)
    shown = browse(root, tmp_path, "--dump-dom")
    assert "Kael the ranger" in shown
    assert "trained" in shown


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("width", [1280, 500])
def test_progress_is_in_sight_at_any_width(
    emulator: EmulatorThread, api: httpx.Client, root: str, tmp_path: Path, width: int
) -> None:
    """However long names and types are: the bar of a training is painted, and its colour is nowhere else."""
    model = with_images(api, name="x" * 64, type="zimage-de-turbo-lora")
    api.put(f"/models/{model}/train", json={})
    emulator.advance(15)
    shot = tmp_path / "page.png"
    browse(root, tmp_path, f"--screenshot={shot}", f"--window-size={width},900", "--hide-scrollbars")
    with Image.open(shot) as picture:
        assert picture.width == width
        colours = {colour: count for count, colour in picture.convert("RGB").getcolors(1 << 24) or ()}
    assert colours.get((0x9A, 0x67, 0x00), 0) > 200

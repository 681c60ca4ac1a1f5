"""card on the embedded Scenario: printed, written with its pictures, pushed once and with consent."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread
from scenario_apply.model.remote import ModelId
from scenario_apply.review.markdown.model_card import is_card
from tests.cli.exported_projects import WebApp, web_app

CAPTIONS = {"01.png": "KAEL_07, a ranger at dusk", "02.png": "KAEL_07, a ranger in snow"}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[WebApp]:
    """A project with one trained model, which is recorded with a sample and its small copy."""
    monkeypatch.chdir(tmp_path)
    with EmulatorThread() as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        made = web_app(running)
        model_id, _ = made.model("Kael", CAPTIONS)
        assert run(["import", "model.kael", model_id]) == 0
        manifest = tmp_path / "scenario.yaml"
        best = "    best: { version: 1, by: Ada, at: 2026-11-27, why: sharper hands }\n"
        written = manifest.read_text().replace("    type: flux.1-lora\n", f"    type: flux.1-lora\n{best}")
        manifest.write_text(written + "defaults: { models: { license: cc0-1.0 } }\n")
        _draw(tmp_path)
        capsys.readouterr()
        yield made


def _draw(root: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(out, "WEBP")
    digest = sha256(out.getvalue()).hexdigest()
    (root / ".scenario" / "samples").mkdir(parents=True)
    (root / ".scenario" / "samples" / f"{digest}.webp").write_bytes(out.getvalue())
    path = root / "state" / "scenario.json"
    state = json.loads(path.read_text())
    version = state["resources"]["model.kael"]["current"]
    request = {"name": "portrait", "prompt": "KAEL_07 at dawn", "seed": 7, "base": "model_bfl-flux-1-dev"}
    pictures = [{"asset_id": "asset_drawn", "thumbnail": digest}, {"asset_id": "asset_gone", "thumbnail": "0" * 64}]
    version["samples"] = [
        {"request": request, "phase": "drawn", "at": "2026-11-02T00:00:00Z", "training": version.get("launched_at"),
         "pictures": pictures}
    ]  # fmt: skip
    path.write_text(json.dumps(state))


def test_a_card_is_printed_without_a_request(app: WebApp, capsys: pytest.CaptureFixture[str]) -> None:
    app.emulator.clear_requests()
    assert run(["card", "model.kael"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("---\nlicense: cc0-1.0\n")
    assert "instance_prompt: KAEL_07\n" in shown
    assert "| Best | `version 1, chosen by Ada on 2026-11-27: sharper hands` |" in shown
    assert "| `KAEL_07 at dawn` | 7 | — | — | `asset_drawn` `asset_gone` |" in shown
    assert app.emulator.requests == ()


def test_a_card_is_written_with_its_pictures(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside it, by relative links; a picture that is not here is named; the same again replaces the card."""
    (tmp_path / "my cards").mkdir()
    assert run(["card", "model.kael", "--out", "my cards/kael card.md"]) == 0
    assert "1 picture of samples could not be copied" in capsys.readouterr().err
    text = (tmp_path / "my cards" / "kael card.md").read_text()
    [picture] = (tmp_path / "my cards" / "kael card-samples").iterdir()
    assert f"![sample](kael%20card-samples/{picture.name}) `asset_gone`" in text
    assert f"url: kael%20card-samples/{picture.name}\n" in text
    assert is_card(text.encode())
    assert run(["card", "model.kael", "--out", "my cards/kael card.md"]) == 0


def test_nothing_of_others_is_overwritten(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("# Ours\n")
    assert run(["card", "model.kael", "--out", "README.md"]) == 1
    assert run(["card", "model.kael", "--out", "state/scenario.json"]) == 1
    assert run(["card", "model.kael", "--out", ".scenario/kael.md"]) == 1
    assert capsys.readouterr().err.count("error[target-taken]") == 3
    assert (tmp_path / "README.md").read_text() == "# Ours\n"
    assert run(["card", "model.kael", "--out", "kael.md"]) == 0
    [picture] = (tmp_path / "kael-samples").iterdir()
    picture.write_bytes(b"mine")
    assert run(["card", "model.kael", "--out", "kael.md"]) == 1
    assert picture.read_bytes() == b"mine"


def test_a_card_is_pushed_once_and_with_consent(app: WebApp, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows what it replaces; the second push sends nothing."""
    model = ModelId(app.api.list_models().models[0].id)
    app.api.set_card(model, "An older text\n")
    assert run(["card", "model.kael", "--push"]) == 1
    shown = capsys.readouterr()
    assert "-An older text" in shown.out
    assert "approval is required" in shown.err
    assert app.api.get_card(model) == "An older text\n"
    assert run(["card", "model.kael", "--push", "--auto-approve"]) == 0
    assert is_card((app.api.get_card(model) or "").encode())
    app.emulator.clear_requests()
    capsys.readouterr()
    assert run(["card", "model.kael", "--push"]) == 0
    assert "has this card already" in capsys.readouterr().err
    assert [request.method for request in app.emulator.requests] == ["GET"]


def test_what_is_not_recorded_is_named(app: WebApp, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["card", "model.kel"]) == 1
    assert "did you mean model.kael?" in capsys.readouterr().err
    assert run(["card", "model.kael", "--version", "4"]) == 1
    assert "recorded versions: 1" in capsys.readouterr().err

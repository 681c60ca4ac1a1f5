"""export --weights on the embedded Scenario, which checks every request against the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.apply.export.weights_export import WeightsExport
from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.exported_projects import WebApp, web_app

CAPTIONS = {"01.png": "a ranger at dusk", "02.png": "a ranger in snow"}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[WebApp]:
    """A project with one trained model, which is recorded."""
    monkeypatch.chdir(tmp_path)
    with EmulatorThread() as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        monkeypatch.setattr("scenario_apply.apply.system_clock.SystemClock.wait", _advancing(running))
        made = web_app(running)
        model_id, _ = made.model("Kael", CAPTIONS)
        assert run(["import", "model.kael", model_id]) == 0
        capsys.readouterr()
        yield made


def _advancing(running: EmulatorThread) -> object:
    def wait(self: object, seconds: float, wake: object = None) -> bool:
        running.advance(seconds)
        return False

    return wait


def test_weights_of_a_recorded_model(app: WebApp, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No address is shown or written, the state is left alone, and a second run sends no request."""
    state = (tmp_path / "state" / "scenario.json").read_bytes()
    assert run(["export", "--weights", "out", "model.kael", "--format", "json"]) == 0
    shown = capsys.readouterr()
    [row] = json.loads(shown.out)["weights"]
    assert (row["address"], row["status"], row["file"]) == ("model.kael", "exported", "kael-v1.safetensors")
    assert (tmp_path / "out" / row["file"]).stat().st_size == row["bytes"]
    written = (tmp_path / "out" / "weights.json").read_text()
    assert row["sha256"] in written
    assert not any("signature" in text or "/cdn/" in text for text in (shown.out, shown.err, written))
    assert (tmp_path / "state" / "scenario.json").read_bytes() == state
    app.emulator.clear_requests()
    assert run(["export", "--weights", "out", "scenario.yaml"]) == 0
    assert "1 already there" in capsys.readouterr().out
    assert app.emulator.requests == ()


def test_what_is_not_there_is_named(app: WebApp, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown address, version or epoch costs no export; the others are exported."""
    assert run(["export", "--weights", "out", "model.kael", "model.kel"]) == 1
    shown = capsys.readouterr().out
    assert "+ model.kael" in shown
    assert "model.kel: it is not recorded" in shown
    assert "did you mean model.kael?" in shown
    app.emulator.clear_requests()
    assert run(["export", "--weights", "out", "model.kael", "--version", "7"]) == 1
    assert run(["export", "--weights", "out", "model.kael", "--epoch", "77"]) == 1
    assert "its epochs: 1" in capsys.readouterr().out
    assert not [request for request in app.emulator.requests if request.path.endswith("/download")]


def test_globs_and_what_is_left_out(app: WebApp, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that is not trained is named where everything is meant."""
    draft, _ = app.model("Draft", CAPTIONS, trained=False)
    assert run(["import", "model.draft", draft]) == 0
    capsys.readouterr()
    assert run(["export", "--weights", "out"]) == 0
    assert "Left out, because they are not trained: model.draft" in capsys.readouterr().err
    assert run(["export", "--weights", "out", "model.*"]) == 1
    shown = capsys.readouterr().out
    assert "model.draft: version 1 is not trained" in shown
    assert "1 already there" in shown
    assert run(["export", "--weights", "out", "model.x*"]) == 1
    assert "no recorded address matches" in capsys.readouterr().err


WRONG = {
    "need --weights": ["--version", "1"],
    "unexpected argument 'two.yaml'": ["one.yaml", "two.yaml"],
    "cannot be combined": ["--weights", "out", "--select", "model.kael"],
    "a file, not a folder": ["--weights", "scenario.yaml"],
    "a dataset has no weights": ["--weights", "out", "dataset.kael"],
}


def test_wrong_usage(app: WebApp, capsys: pytest.CaptureFixture[str]) -> None:
    for said, words in WRONG.items():
        assert run(["export", *words]) == 64
        assert said in capsys.readouterr().err


def test_a_folder_that_is_a_link_of_the_repository_is_not_followed(
    app: WebApp, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (tmp_path / "out").symlink_to(elsewhere)
    assert run(["export", "--weights", "out"]) == 1
    assert "links are not followed" in capsys.readouterr().err
    assert [*elsewhere.iterdir()] == []


def test_an_interrupted_export_says_how_it_continues(
    app: WebApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    manifest = tmp_path / "scenario.yaml"
    manifest.write_text(manifest.read_text() + "variables: { token: { default: x } }\n")
    monkeypatch.setattr(WeightsExport, "run", interrupt)
    assert run(["export", "--weights", "out", "model.kael", "--var", "token=abc"]) == 130
    shown = capsys.readouterr().err
    assert "The same command continues: scenario-apply export --weights out model.kael --var" in shown
    assert "abc" not in shown

"""accept and --refresh-only on the embedded Scenario: what somebody changed there, and what a plan does after it."""

from __future__ import annotations

import base64
import json
import shutil
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.test_local import PICTURES

MANIFEST = """\
# the characters
version: 1
x-hero: &hero { tags: [hero] }
datasets:
  kael: { images: ./kael, trigger: KAEL }
models:
  kael:
    name: Kael   # as people know him
    type: flux.1-lora
    <<: *hero
    dataset: kael
  lr:
    type: flux.1-lora
    dataset: kael
    matrix:
      learningRate: { slow: 5e-5 }
compositions:
  duo:
    concepts: [{ model: kael, scale: 0.5 }]
"""


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    """The embedded Scenario, on which everything of the manifest is trained."""
    (tmp_path / "kael").mkdir()
    for number, picture in enumerate(sorted(PICTURES.glob("*.jpg"))[:2], 1):
        shutil.copy(picture, tmp_path / f"kael/{number:02}.jpg")
        (tmp_path / f"kael/{number:02}.txt").write_text(f"a hooded ranger, view number {number}\n")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    with EmulatorThread() as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        assert run(["apply", "--auto-approve", "--no-wait"]) == 0
        running.advance(100_000)
        assert run(["apply", "--auto-approve", "--no-wait"]) == 0
        running.advance(100_000)
        assert run(["plan", "--detailed-exitcode"]) == 0
        yield running


def web_app(emulator: EmulatorThread, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
    """What a person does in the web app."""
    sign = base64.b64encode(b"key-1234:secret-1234").decode()
    request = urllib.request.Request(
        f"{emulator.url}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Basic {sign}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def recorded(address: str) -> Any:
    return json.loads(Path("state/scenario.json").read_text())["resources"][address]["current"]


def model_id(address: str) -> str:
    return str(recorded(address)["id"])


def recaption(emulator: EmulatorThread, number: int, text: str, address: str = "model.kael") -> None:
    images = web_app(emulator, "GET", f"/models/{model_id(address)}")["model"]["trainingImages"]
    image = next(one for one in images if one["name"] == f"{number:02}.jpg")
    web_app(emulator, "PUT", f"/assets/{image['id']}", {"description": text})


def written(emulator: EmulatorThread) -> list[str]:
    """Requests that write, but for what the web app did."""
    return [f"{one.method} {one.path}" for one in emulator.requests if one.method != "GET" and "bulk" not in one.path]


def test_what_was_changed_is_in_the_files_and_a_plan_is_empty(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Comments and all other bytes are kept, also of what a merge key brings in; nothing is sent or trained."""
    recaption(emulator, 2, 'KAEL, a "bare" ranger: view # two')
    kael = model_id("model.kael")
    web_app(emulator, "PUT", f"/models/{kael}", {"name": "Kael: the ranger"})
    web_app(emulator, "PUT", f"/models/{kael}/tags", {"add": ["north"]})
    web_app(emulator, "PUT", f"/models/{model_id('composition.duo')}", {"name": "The two"})
    emulator.clear_requests()
    assert run(["accept", "--check"]) == 1
    assert (tmp_path / "scenario.yaml").read_text() == MANIFEST, "--check writes nothing"
    assert run(["accept"]) == 1
    assert "add --auto-approve" in capsys.readouterr().err
    assert run(["accept", "--auto-approve"]) == 0
    assert "-a hooded ranger, view number 2\n" in capsys.readouterr().out
    expected = MANIFEST.replace("name: Kael ", 'name: "Kael: the ranger" ')
    expected = expected.replace("    dataset: kael\n  lr", "    dataset: kael\n    tags: [hero, north]\n  lr")
    expected = expected.replace("    concepts", "    name: The two\n    concepts")
    assert (tmp_path / "scenario.yaml").read_text() == expected
    assert (tmp_path / "kael/02.txt").read_text() == 'a "bare" ranger: view # two\n'
    assert run(["plan", "--detailed-exitcode"]) == 0
    assert run(["accept", "--check"]) == 0
    assert [one for one in written(emulator) if "get-bulk" not in one] == []


def test_what_cannot_be_written_is_left_with_its_place(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """A child of a matrix, a text that would be a template, a caption that the dataset would change."""
    web_app(emulator, "PUT", f"/models/{model_id('model.lr/slow')}", {"name": "Slow"})
    web_app(emulator, "PUT", f"/models/{model_id('model.kael')}", {"name": "{{ env.SCENARIO_X }}"})
    recaption(emulator, 1, "somebody else")
    before = (tmp_path / "state/scenario.json").read_bytes()
    assert run(["accept", "--auto-approve"]) == 1
    said = capsys.readouterr().err
    assert "model.lr/slow: name is 'Slow' on Scenario: it is a child of a matrix; edit it by hand" in said
    assert "it would be read as a template" in said
    assert "the caption of 01.jpg: with what the dataset adds" in said
    assert "scenario.yaml:12:3" in said
    assert (tmp_path / "scenario.yaml").read_text() == MANIFEST
    assert (tmp_path / "state/scenario.json").read_bytes() == before


def test_only_the_addresses_that_are_named(tmp_path: Path, emulator: EmulatorThread) -> None:
    web_app(emulator, "PUT", f"/models/{model_id('model.kael')}", {"name": "Other"})
    web_app(emulator, "PUT", f"/models/{model_id('composition.duo')}", {"name": "The two"})
    assert run(["accept", "model.kael", "scenario.yaml", "--auto-approve"]) == 0
    assert (tmp_path / "scenario.yaml").read_text() == MANIFEST.replace("name: Kael ", "name: Other ")
    assert run(["plan", "--refresh-only", "--detailed-exitcode", "--select", "model.kael"]) == 0
    assert run(["plan", "--refresh-only", "--detailed-exitcode"]) == 4


def test_a_change_on_both_sides_is_left_to_a_person(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    web_app(emulator, "PUT", f"/models/{model_id('model.kael')}", {"name": "Theirs"})
    (tmp_path / "scenario.yaml").write_text(MANIFEST.replace("name: Kael ", "name: Ours "))
    assert run(["accept", "--auto-approve"]) == 1
    assert "the manifest says another one, and it was changed on Scenario, too" in capsys.readouterr().err
    assert "name: Ours " in (tmp_path / "scenario.yaml").read_text()


def test_a_refresh_alone_takes_it_into_the_state(tmp_path: Path, emulator: EmulatorThread) -> None:
    """The manifest stays, so that the plan proposes to change the name back, and trains nothing."""
    web_app(emulator, "PUT", f"/models/{model_id('model.kael')}", {"name": "Other"})
    assert run(["plan", "--refresh-only", "--detailed-exitcode"]) == 4
    assert run(["apply", "--refresh-only"]) == 1, "it asks, and nobody can answer"
    assert recorded("model.kael")["name"] == "Kael"
    assert run(["apply", "--refresh-only", "--auto-approve"]) == 0
    assert recorded("model.kael")["name"] == "Other"
    assert run(["plan", "--refresh-only", "--detailed-exitcode"]) == 0
    assert run(["plan", "--detailed-exitcode"]) == 2
    assert (tmp_path / "scenario.yaml").read_text() == MANIFEST


def test_a_file_that_another_dataset_reads_is_not_changed_behind_its_back(
    tmp_path: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Accepting a caption never makes a model be trained that nobody touched; where both were changed, it is taken."""
    added = "models:\n  other: { type: flux.1-lora, dataset: other }\n"
    text = MANIFEST.replace("models:\n", added).replace(
        "models:", "  other: { images: ./kael, prefix: ink }\nmodels:", 1
    )
    (tmp_path / "scenario.yaml").write_text(text)
    assert run(["apply", "--auto-approve", "--no-wait"]) == 0
    emulator.advance(100_000)
    recaption(emulator, 1, "KAEL, a lantern")
    capsys.readouterr()
    assert run(["accept", "--auto-approve"]) == 1
    assert "model.other takes it from kael/01.txt, too" in capsys.readouterr().err
    assert (tmp_path / "kael/01.txt").read_text() == "a hooded ranger, view number 1\n"
    recaption(emulator, 1, "ink, a lantern", address="model.other")
    assert run(["accept", "--auto-approve"]) == 0
    assert (tmp_path / "kael/01.txt").read_text() == "a lantern\n"
    assert run(["plan", "--detailed-exitcode"]) == 0

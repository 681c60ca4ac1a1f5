"""promote on the embedded Scenario: the choice goes into the file that declares the model, and nothing else changes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.cli.main import run
from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.test_accept import model_id, recorded, web_app
from tests.cli.test_local import PICTURES

MODELS = """\
# the characters
models:
  kael:
    name: Kael   # as people know him
    type: flux.1-lora
    dataset: kael
    parameters: { learningRate: 1e-4, nbEpochs: 10 }   # slow
    samples: { on: [manual], prompts: ["{{ trigger }} at dusk"] }
  lr:
    type: flux.1-lora
    dataset: kael
    matrix: { learningRate: { slow: 5e-5 } }
"""
MANIFEST = """\
version: 1
include: [models.yaml]
datasets:
  kael: { images: ./kael, trigger: KAEL }
"""


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    """The embedded Scenario, on which the model is trained. The manifest is a file and one that it includes."""
    (tmp_path / "kael").mkdir()
    shutil.copy(sorted(PICTURES.glob("*.jpg"))[0], tmp_path / "kael/01.jpg")
    (tmp_path / "kael/01.txt").write_text("a hooded ranger\n")
    (tmp_path / "scenario.yaml").write_text(MANIFEST)
    (tmp_path / "models.yaml").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    with EmulatorThread() as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret-1234")
        applied(running)
        yield running


def applied(emulator: EmulatorThread) -> None:
    """Apply, and wait for the trainings."""
    assert run(["apply", "--auto-approve", "--no-wait"]) == 0
    emulator.advance(100_000)
    assert run(["apply", "--auto-approve", "--no-wait"]) == 0


def changed() -> list[str]:
    """The lines of models.yaml that are new."""
    return [line for line in Path("models.yaml").read_text().split("\n") if line not in MODELS.split("\n")]


def test_an_epoch_is_written_where_the_model_is_declared_and_chosen_by_the_next_apply(
    emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once: the same choice again writes nothing. --dry-run writes nothing either."""
    assert run(["promote", "model.kael", "--epoch", "8", "--why", "the cloak", "--dry-run"]) == 0
    assert "+    epoch: 8" in capsys.readouterr().out
    assert changed() == []
    drawn = MODELS.replace("on: [manual], ", "")
    Path("models.yaml").write_text(drawn)
    assert run(["promote", "model.kael", "--epoch", "8"]) == 0
    assert "free. Samples that this epoch lacks are drawn and charged" in capsys.readouterr().err
    for line, said in (("enabled: false", "nothing is done"), ("lifecycle: { ignore_changes: [epoch] }", "no epoch")):
        Path("models.yaml").write_text(MODELS.replace("  # as people know him\n", f"\n    {line}\n"))
        assert run(["promote", "model.kael", "--epoch", "8"]) == 0
        assert said in capsys.readouterr().err
    Path("models.yaml").write_text(MODELS)
    assert run(["promote", "model.kael", "--epoch", "8", "--why", "{% x"]) == 64
    assert run(["promote", "model.kael", "--epoch", "8", "--why", "the cloak"]) == 0
    assert capsys.readouterr().err.endswith("version 1: free.\n")
    epoch, best = changed()
    assert epoch == "    epoch: 8"
    assert best.startswith("    best: { version: 1, epoch: 8, by: ")
    assert best.endswith(", why: the cloak }")
    once = Path("models.yaml").read_bytes()
    assert run(["promote", "model.kael", "--epoch", "8"]) == 0
    assert Path("models.yaml").read_bytes() == once
    assert run(["apply", "--auto-approve", "--no-wait"]) == 0
    shown = web_app(emulator, "GET", f"/models/{model_id('model.kael')}")["model"]
    assert (shown["epoch"], recorded("model.kael")["epoch"]) == ("8", "8")
    assert run(["plan", "--detailed-exitcode"]) == 0


def test_a_previous_version_is_brought_back_by_its_parameters(
    emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a training, and with every comment where it was. Other images cannot be written: rollback is named."""
    first = model_id("model.kael")
    Path("models.yaml").write_text(MODELS.replace("1e-4", "2e-4"))
    assert run(["promote", "model.kael", "--epoch", "8"]) == 0
    assert "asks for something else than version 1, so the next apply trains" in capsys.readouterr().err
    Path("models.yaml").write_text(MODELS.replace("1e-4", "2e-4"))
    applied(emulator)
    assert model_id("model.kael") != first
    Path("kael/01.txt").write_text("a ranger\n")
    assert run(["promote", "model.kael", "--version", "1"]) == 1
    said = capsys.readouterr().err
    assert "version 1 of model.kael was trained on other images or captions than there are now" in said
    assert "scenario-apply rollback model.kael" in said
    assert Path("models.yaml").read_text() == MODELS.replace("1e-4", "2e-4")
    Path("kael/01.txt").write_text("a hooded ranger\n")
    assert run(["promote", "model.kael", "--version", "1"]) == 0
    assert [line.split(" by:")[0] for line in changed()] == [
        "    best: { version: 1,",
        "    parameters: { learningRate: 0.0001, nbEpochs: 10 }   # slow",
    ]
    assert run(["apply", "--auto-approve", "--no-wait"]) == 0
    assert model_id("model.kael") == first
    assert run(["plan", "--detailed-exitcode"]) == 0


def test_what_cannot_be_written_is_refused_with_what_to_write_by_hand(
    emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template, and an entry that another takes over by an alias, with the line of it: no file is touched."""
    template = MODELS.replace("    dataset: kael", '    epoch: "{{ 7 }}"\n    dataset: kael', 1)
    shared = MODELS.replace("  kael:\n", "  kael: &kael\n") + "  kai: { <<: *kael, name: Kai }\n"
    cases = (
        (template, "it is a template", "models.yaml:6\n"),
        (shared, "another entry shares it by an alias", "models.yaml:13\n"),
    )
    for text, why, place in cases:
        Path("models.yaml").write_text(text)
        assert run(["promote", "model.kael", "--epoch", "8"]) == 1
        said = capsys.readouterr().err
        assert f"error[not-promoted]: the choice for model.kael cannot be written: {why}" in said
        assert f"--> {place}" in said
        assert "hint: write by hand: best: { version: 1, epoch: 8" in said
        assert Path("models.yaml").read_text() == text


def test_the_winner_of_a_sweep_is_given_an_entry_of_its_own_by_hand(
    emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hint is a manifest of which a plan trains nothing."""
    assert run(["promote", "model.lr/slow", "--version", "1"]) == 1
    said = capsys.readouterr().err
    assert "it is a child of a matrix" in said
    entry, moved = (part.split("`")[0] for part in said.split("`")[1:4:2])
    text = MODELS.replace("slow: 5e-5", "fast: 2e-4")
    Path("models.yaml").write_text(f"{text}  {entry}\n{moved}\n")
    capsys.readouterr()
    assert run(["plan"]) == 0
    assert "model.lr-slow will be" not in capsys.readouterr().out


def test_what_does_not_exist_is_refused(emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    for words, code, said in (
        ("model.kael", 64, "promote needs --version N or --epoch N"),
        ("model.kael --epoch x", 64, "--epoch 'x' is not a number"),
        ("model.kael --epoch 12", 1, "version 1 of model.kael has no epoch 12"),
        ("model.kael --version 4", 1, "it has version 1"),
        ("model.kai --epoch 8", 1, "did you mean model.kael?"),
    ):
        assert run(["promote", *words.split()]) == code
        assert said in capsys.readouterr().err
    assert changed() == []


def test_what_is_best_is_shown_by_status_output_and_report(
    emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["promote", "model.kael", "--version", "1", "--why", "sharp hands"]) == 0
    capsys.readouterr()
    for command in ("status", "output --format json", "report --out -"):
        assert run(command.split()) == 0
        assert "sharp hands" in capsys.readouterr().out, command


def test_only_models_are_promoted(emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]) -> None:
    """The parts of a composition have epochs, and are named."""
    mix = "compositions:\n  mix:\n    concepts: [{ model: kael, scale: 0.5 }]\n"
    Path("models.yaml").write_text(MODELS + mix)
    applied(emulator)
    assert run(["promote", "composition.mix", "--epoch", "8"]) == 1
    said = capsys.readouterr().err
    assert "composition.mix cannot be promoted: it is no model" in said
    assert "`epoch:` of a concept" in said

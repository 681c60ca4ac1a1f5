"""apply --plan-of refuses plans that were made with anything else than what the command line names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.emulator.thread import EmulatorThread
from tests.cli.saving import MODELS, run, trained, write_manifest, writes

VARIABLES = "variables: { epochs: { default: 8 } }"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorThread]:
    with trained(tmp_path / "home", monkeypatch) as emulator:
        emulator.clear_requests()
        yield emulator


@pytest.mark.parametrize(
    ("made_with", "why"),
    [
        ("--replace model.kael", "another --replace"),
        ("--train model.kael", "another --train"),
        ("--var epochs=99", "other values of --var"),
        ("--var-file more.yaml", "other variable files"),
        ("--select model.other", "another --select"),
        ("--destroy", "--destroy"),
        ("twin.yaml", "the manifest twin.yaml"),
    ],
)
def test_a_plan_that_was_made_otherwise_is_refused(
    made_with: str, why: str, service: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever replaces the file would else choose what is trained, within the limits of whoever applies it."""
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("nbEpochs: 8", 'nbEpochs: "{{ epochs }}"')}, VARIABLES)
    Path("twin.yaml").write_bytes(Path("scenario.yaml").read_bytes())
    Path("more.yaml").write_text("epochs: 99")
    assert run(f"plan {made_with} --out p.json") in (0, 6)
    capsys.readouterr()
    assert run("apply p.json --auto-approve --allow-destroy --plan-of scenario.yaml") == 1
    assert why in " ".join(capsys.readouterr().err.split())
    assert run("apply p.json --auto-approve --allow-destroy --plan-of ''") == 1
    assert writes(service) == []


@pytest.mark.parametrize("options", ["", "--var epochs=9", "--var-file more.yaml", "--replace model.kael"])
def test_a_plan_that_was_made_with_the_same_options_is_applied(options: str, service: EmulatorThread) -> None:
    write_manifest({**MODELS, "kael": MODELS["kael"].replace("nbEpochs: 8", 'nbEpochs: "{{ epochs }}"')}, VARIABLES)
    Path("more.yaml").write_text("epochs: 10")
    assert run(f"plan {options} --out p.json") == 0
    assert run(f"apply p.json --auto-approve --plan-of '' {options}") == 0
    assert bool(writes(service)) == bool(options)


def test_it_is_for_saved_plans(service: EmulatorThread) -> None:
    assert run("apply --auto-approve --plan-of scenario.yaml") == 64

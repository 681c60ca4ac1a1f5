"""What the client reads of whose a model is, and that the embedded Scenario says it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.__main__ import main
from scenario_apply.api.wire import model_of
from scenario_apply.emulator.thread import EmulatorThread, manual_options

PICTURES = Path(__file__).resolve().parents[2] / "manifests" / "quickstart" / "kael"
PUBLIC = "model_public_storybook_watercolor"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EmulatorThread]:
    for name in [name for name in os.environ if name.startswith("SCENARIO_")]:
        monkeypatch.delenv(name)
    shutil.copytree(PICTURES, tmp_path / "kael")
    monkeypatch.chdir(tmp_path)
    with EmulatorThread(manual_options()) as running:
        monkeypatch.setenv("SCENARIO_BASE_URL", running.url)
        monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key")
        monkeypatch.setenv("SCENARIO_SDK_API_SECRET", "secret")
        yield running


def test_owner_and_privacy_are_read() -> None:
    read = model_of({"model": {"id": "m", "type": "t", "ownerId": "proj_a", "privacy": "public"}}, complete=True)
    assert (read.owner_id, read.privacy) == ("proj_a", "public")


@pytest.mark.parametrize("project", ["", "project: studio\n"])
def test_a_public_model_can_be_a_part_but_not_imported(
    service: EmulatorThread, project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of the model that was named by its id is not shown; as a part it is still allowed."""
    head = f"version: 1\n{project}"
    Path("import.yaml").write_text(
        head + "models:\n  kael: { type: flux.1-lora, dataset: ./kael }\n"
        f"import:\n  - {{ to: model.kael, id: {PUBLIC} }}\n"
    )
    assert main(["plan", "import.yaml"]) == 1
    said = "".join(capsys.readouterr())
    assert "import-foreign" in said
    assert f"import.yaml:{5 + bool(project)}" in said
    assert "Storybook Watercolor" not in said
    Path("part.yaml").write_text(
        head + f"compositions:\n  ink: {{ concepts: [{{ modelId: {PUBLIC}, scale: 0.5 }}] }}\n"
    )
    assert main(["plan", "part.yaml"]) == 0, capsys.readouterr().err

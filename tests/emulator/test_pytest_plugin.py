"""The fixtures that users of the plugin get."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from scenario_sdk import Scenario

from scenario_apply.emulator.options import EmulatorOptions
from scenario_apply.emulator.thread import EmulatorThread, manual_options


@pytest.fixture
def scenario_emulator_options() -> EmulatorOptions:
    """A key of its own."""
    return manual_options(api_key="mine", api_secret="too", training_s=3)


def test_the_environment_points_at_it(scenario_environment: EmulatorThread) -> None:
    with Scenario() as client:
        model = client.models.create(name="Kael", type="flux.1-lora").model
        assert client.models.retrieve(model.id).model.name == "Kael"
    assert [entry.method for entry in scenario_environment.requests] == ["POST", "GET"]
    assert scenario_environment.seed({"models": [{"name": "Ink Wash"}]})["models"]


def test_the_plugin_is_loaded_only_where_it_is_asked_for() -> None:
    """Installing the package adds nothing to the pytest runs of other projects."""
    path = Path(__file__).parent.parent.parent / "pyproject.toml"
    project = tomllib.loads(path.read_text(encoding="utf-8"))
    assert "pytest11" not in project["project"].get("entry-points", {})
    assert "-p scenario_apply.emulator.pytest_plugin" in project["tool"]["pytest"]["ini_options"]["addopts"]

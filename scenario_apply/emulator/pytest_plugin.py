"""pytest fixtures for programs that talk to Scenario: an emulator per test, with access to its clock and its log.

    def test_my_pipeline(scenario_emulator):
        run_my_pipeline(base_url=scenario_emulator.url)
        scenario_emulator.advance(20)
        assert [entry.path for entry in scenario_emulator.requests] == [...]

Override `scenario_emulator_options` to change how it behaves. By default the clock is manual and nothing is limited.
pytest loads this module on request only: `-p scenario_apply.emulator.pytest_plugin` on the command line or in
`addopts`, or `pytest_plugins = ["scenario_apply.emulator.pytest_plugin"]` in the topmost conftest.py. It imports
nothing until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scenario_apply.emulator.options import EmulatorOptions
    from scenario_apply.emulator.thread import EmulatorThread


@pytest.fixture
def scenario_emulator_options() -> EmulatorOptions:
    """How the emulator of this test behaves."""
    from scenario_apply.emulator.thread import manual_options

    return manual_options()


@pytest.fixture
def scenario_emulator(scenario_emulator_options: EmulatorOptions) -> Iterator[EmulatorThread]:
    """A fresh emulator on a free port."""
    from scenario_apply.emulator.thread import EmulatorThread

    with EmulatorThread(scenario_emulator_options) as running:
        yield running


@pytest.fixture
def scenario_environment(scenario_emulator: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> EmulatorThread:
    """The same emulator, with its address and key in the environment variables that the SDK and this tool read."""
    options = scenario_emulator.options
    monkeypatch.setenv("SCENARIO_BASE_URL", scenario_emulator.url)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", options.api_key or "emulator")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", options.api_secret or "emulator")
    return scenario_emulator

"""An emulator with a manual clock, and the official SDK pointed at it. Its fixtures come with the plugin."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from scenario_sdk import Scenario

from scenario_apply.emulator.thread import EmulatorThread

from . import contract


@pytest.fixture
def emulator(scenario_emulator: EmulatorThread) -> EmulatorThread:
    """A fresh emulator: manual clock, no rate limit. What users get from the plugin, under a shorter name."""
    return scenario_emulator


@pytest.fixture
def sdk(emulator: EmulatorThread) -> Iterator[Scenario]:
    """The official SDK in strict mode, without retries."""
    with strict_sdk(emulator) as client:
        yield client


@pytest.fixture
def api(emulator: EmulatorThread) -> Iterator[httpx.Client]:
    """A plain client; every answer is checked against the contract."""
    with contract.client(emulator.url) as client:
        yield client


def strict_sdk(emulator: EmulatorThread, strict: bool = True) -> Scenario:
    """A client that raises for anything the contract does not know."""
    return Scenario(
        api_key="k",
        api_secret="s",
        base_url=emulator.url,
        max_retries=0,
        timeout=10,
        http_client=contract.client(emulator.url, auth=None),
        _strict_response_validation=strict,
    )

"""The SDK's own tests run against the emulator where its sources are at hand (CI fetches them)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .run_sdk_suite import run, unpack
from .sdk_suite import LEFT_OUT, reason_to_leave_out

SOURCE = os.environ.get("SCENARIO_SDK_SOURCE")


@pytest.mark.skipif(SOURCE is None, reason="SCENARIO_SDK_SOURCE names no source distribution of scenario-sdk")
def test_the_sdks_own_tests_pass(tmp_path: Path) -> None:
    assert SOURCE is not None
    source = Path(SOURCE)
    assert run(unpack(source, tmp_path) if source.is_file() else source, tmp_path) == 0


def test_only_what_is_listed_is_left_out() -> None:
    assert reason_to_leave_out("TestModels", "test_method_create[strict]") is None
    assert reason_to_leave_out("TestGenerate", "test_raw_response_patch[loose]") == "not in the contract"
    assert reason_to_leave_out("TestTeams", "test_method_retrieve_limits[strict]") is None
    assert reason_to_leave_out("TestAsyncModels", "test_method_create[asyncio-strict]") is None
    assert reason_to_leave_out("TestAsyncModels", "test_method_create[asyncio-aiohttp]") is not None
    assert reason_to_leave_out("TestAsyncGenerate", "test_method_patch[asyncio-strict]") == "not in the contract"
    assert all(reason for reason in LEFT_OUT.values())

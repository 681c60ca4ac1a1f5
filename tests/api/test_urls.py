"""addresses.py: credentials go unencrypted to no other machine unless the caller consents."""

from __future__ import annotations

import pytest

from scenario_apply.api import connect
from scenario_apply.api.urls import is_loopback_host, require_private_channel
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.errors import ApiError

OTHER_MACHINES = [
    "http://api.example/v1",
    "HTTP://10.0.0.7/v1",
    "http://localhost.example/v1",
    " http://[2001:db8::1]/v1",
    "http://0.0.0.0:9/v1",
    "http://169.254.1.1/v1",
    "http://[fe80::1]/v1",
]
THIS_MACHINE = ["http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:3/v1", "http://127.9.9.9/v1"]


@pytest.mark.parametrize("url", OTHER_MACHINES)
def test_http_to_another_machine_needs_consent(url: str) -> None:
    with pytest.raises(ApiError) as raised:
        require_private_channel(url, allow_http=False)
    assert "--allow-http" in str(raised.value.problems[0].hint)
    require_private_channel(url, allow_http=True)


@pytest.mark.parametrize("url", [*THIS_MACHINE, "https://api.example/v1"])
def test_loopback_and_https_need_none(url: str) -> None:
    require_private_channel(url, allow_http=False)


@pytest.mark.parametrize("url", THIS_MACHINE)
def test_this_machine_is_recognised(url: str) -> None:
    assert is_loopback_host(url)


def test_a_client_is_not_built_for_an_unencrypted_address() -> None:
    with pytest.raises(ApiError, match="unencrypted"):
        connect(
            base_url="http://api.example/v1",
            api_key="key",
            api_secret="secret",
            project_id=None,
            rate_limit_per_minute=0,
            clock=SystemClock(),
        )

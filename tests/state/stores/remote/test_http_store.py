"""What every remote store promises, on a plain HTTP state server and on one with GitLab's answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scenario_apply.state.state_url import parse_state_url
from scenario_apply.state.stores.remote.backend import StateBackend
from scenario_apply.state.stores.remote.http_backend import HttpBackend
from tests.fakes.clock import FakeClock
from tests.fakes.state_server import StateServer, serving_states
from tests.state.stores.remote.contract_suite import StoreContract


class TestPlainHttpStore(StoreContract):
    keeps_backups = False
    is_gitlab = False

    @pytest.fixture(autouse=True)
    def server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateServer]:
        monkeypatch.delenv("TF_HTTP_ADDRESS", raising=False)
        monkeypatch.setenv("TF_HTTP_USERNAME", "jane")
        monkeypatch.setenv("TF_HTTP_PASSWORD", "token-of-jane")
        with serving_states(StateServer(self.is_gitlab, users={"jane": ("token-of-jane", True)})) as server:
            self.url = parse_state_url(server.url).named()
            yield server

    def make_backend(self) -> StateBackend:
        return HttpBackend(self.url, clock=FakeClock(), allow_http=False)


class TestGitlabStore(TestPlainHttpStore):
    is_gitlab = True

"""What a run works with: the service, the state, time. Built in one place, handed down."""

from __future__ import annotations

from dataclasses import dataclass

from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.ports import Clock, RequestCounter, ScenarioApi
from scenario_apply.state.stores.file_store import FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """api None: offline. rate_limit: requests a minute, 0 for none. counter None: nobody counts."""

    api: ScenarioApi | None
    store: FileStore
    clock: Clock
    endpoint: str
    project: str | None
    tool_version: str
    rate_limit: int = REQUESTS_PER_MINUTE
    counter: RequestCounter | None = None

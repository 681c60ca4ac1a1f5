"""Stores in memory in the place of every store that a URL names, for whole command lines."""

from __future__ import annotations

from collections import defaultdict

import pytest

from scenario_apply.model.ports import Clock
from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.remote import open_backend
from tests.fakes.memory_backend import MemoryBackend, MemoryBucket, Strike


class MemoryStores:
    """What every URL holds, by the URL as it is shown. strike: see memory_backend.Strike, for every store."""

    def __init__(self) -> None:
        self.buckets: dict[str, MemoryBucket] = defaultdict(MemoryBucket)
        self.asked: list[StateUrl] = []
        self.closed = 0
        self.strike: Strike | None = None

    def open(self, url: StateUrl, *, clock: Clock, allow_http: bool = False) -> MemoryBackend:
        assert clock.now() > 0
        assert url.is_object or url.is_named or url.is_loopback or allow_http
        self.asked.append(url)
        backend = _Counted(self, self.buckets[url.shown], self.strike)
        backend.shown = url.shown
        return backend

    def document(self, shown: str) -> bytes | None:
        held = self.buckets[shown].state
        return None if held is None else held.content


class _Counted(MemoryBackend):
    def __init__(self, stores: MemoryStores, bucket: MemoryBucket, strike: Strike | None) -> None:
        super().__init__(bucket, strike)
        self._stores = stores

    def close(self) -> None:
        self._stores.closed += 1
        super().close()


def memory_stores(monkeypatch: pytest.MonkeyPatch) -> MemoryStores:
    stores = MemoryStores()
    monkeypatch.setattr(open_backend, "open_backend", stores.open)
    return stores

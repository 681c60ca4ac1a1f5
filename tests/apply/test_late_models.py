"""late_models.py: a run right after another one does not take a model that is shown late for a deleted one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.errors import NotFound
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.planning.observed import SHOWN_LATE_S
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire


class ShownLate(FakeScenario):
    """Reads do not know any model until so many of them were asked."""

    reads_in_vain = 0

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        found = super().get_models(model_ids, images=images)
        return {} if self._is_in_vain() else found

    def get_model(self, model_id: ModelId) -> RemoteModel:
        found = super().get_model(model_id)
        if self._is_in_vain():
            raise NotFound(f"no model {model_id}", status=404)
        return found

    def _is_in_vain(self) -> bool:
        self.reads_in_vain -= 1
        return self.reads_in_vain >= 0


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    return bench


def test_a_model_that_is_shown_late_is_waited_for(bench: Bench) -> None:
    service = ShownLate(bench.clock)
    assert bench.apply(service, ApplyOptions(wait=False)).status == "running"
    service.reads_in_vain = 3
    assert bench.apply(service).status == "done"
    assert len(service.models) == 1
    assert service.launches() == {"Kael": 1}


def test_a_model_that_is_not_shown_is_deleted(bench: Bench) -> None:
    service = ShownLate(bench.clock)
    bench.apply(service)
    service.reads_in_vain = 100
    began = bench.clock.monotonic()
    assert [change.action.value for change in bench.plan(service).plan.changes] == ["create"]
    assert bench.clock.monotonic() - began < 10


def test_an_older_model_is_not_waited_for(bench: Bench) -> None:
    """It is asked for once by its id, since the bulk answer left it out."""
    service = ShownLate(bench.clock)
    bench.apply(service)
    bench.clock.wait(SHOWN_LATE_S + 1)
    service.reads_in_vain = 100
    service.log.clear()
    began = bench.clock.monotonic()
    bench.plan(service)
    assert (service.count("get_model"), bench.clock.monotonic()) == (1, began)


def test_what_a_killed_run_attached_to_a_model_that_is_shown_late_is_recorded(bench: Bench) -> None:
    """Else the model is trained on images that no record has, and replaced for them: paid for once more."""
    service = ShownLate(bench.clock)
    bench.declare(model("kael", "kael"), model("fast", "kael", label="Fast"))
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="attach_assets")).api)
    service.reads_in_vain = 2
    assert bench.apply(service).status == "done"
    assert not bench.plan(service).plan.has_changes
    assert service.launches() == {"Kael": 1, "Fast": 1}

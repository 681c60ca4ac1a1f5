"""What the service no longer holds leaves the record without a request: there is nothing to detach or delete."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.model.address import parse_address
from scenario_apply.planning.changes import Action
from scenario_apply.planning.reasons import OldVersionsLost
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire

KAEL = parse_address("model.kael")
IN_PLACE = Lifecycle(on_change="retrain")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # it is about power, and only costs time here
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.declare(model("kael", "kael", lifecycle=IN_PLACE))
    return bench


@pytest.fixture
def service(bench: Bench) -> FakeScenario:
    """Trained; then an image is taken off the model in the web app."""
    service = FakeScenario(bench.clock)
    bench.apply(service)
    service.model_named("Kael").images.pop()
    service.log.clear()
    return service


def test_an_image_that_is_no_longer_attached_is_not_detached(bench: Bench, service: FakeScenario) -> None:
    ledger = bench.apply(service)
    assert (ledger.status, service.count("detach_image")) == ("done", 0)
    images = [image.asset_id for image in bench.record("model.kael").current.images]
    assert images == service.model_named("Kael").images
    assert len(images) == 2
    assert not bench.plan(service).plan.has_changes


def test_a_run_that_ends_before_the_new_training_is_continued(bench: Bench, service: FakeScenario) -> None:
    """The record no longer names the image by then; that the model is to be trained on it is not forgotten."""
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("early", Killed, name="attach_assets")).api)
    [change] = bench.plan(service).plan.changes
    assert change.action is Action.RETRAIN
    bench.apply(service)
    assert len(service.model_named("Kael").images) == 2
    assert not bench.plan(service).plan.has_changes


@pytest.mark.parametrize("destroy", [False, True])
def test_an_old_version_that_was_deleted_on_the_service_is_not_deleted_again(bench: Bench, destroy: bool) -> None:
    """It leaves the record, also where nothing else is to be done; the plan says so."""
    service = FakeScenario(bench.clock)
    bench.declare(model("kael", "kael"))
    bench.apply(service)
    bench.declare(model("kael", "kael", parameters={"rank": 4}))
    bench.apply(service)
    [old] = bench.record("model.kael").previous
    service.delete_model(old.id)
    service.log.clear()
    bench.declare(model("kael", "kael", parameters={"rank": 4}, lifecycle=Lifecycle(keep_versions=0)))
    options = PlanOptions(destroy=destroy, allow_destroy=True)
    [change] = bench.plan(service, options).plan.changes
    assert (change.action, change.requests) == ((Action.DELETE, 1) if destroy else (Action.UPDATE, 0))
    assert destroy or change.reasons == (OldVersionsLost(1),)
    bench.apply(service, plan=options)
    assert service.count("delete_model") == int(destroy)
    if not destroy:
        assert bench.record("model.kael").previous == ()
        assert not bench.plan(service, options).plan.has_changes


def test_a_version_that_was_deleted_on_the_service_is_not_deleted_again(bench: Bench) -> None:
    service = FakeScenario(bench.clock)
    bench.declare(model("kael", "kael"))
    bench.apply(service)
    bench.declare(model("kael", "kael", parameters={"rank": 4}))
    bench.apply(service)
    service.delete_model(bench.record("model.kael").current.id)
    service.log.clear()
    bench.apply(service, plan=PlanOptions(destroy=True, allow_destroy=True))
    assert service.count("delete_model") == 1
    assert (service.alive(), KAEL in bench.state().records) == ([], False)

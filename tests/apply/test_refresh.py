"""apply/refresh.py: what an answer leaves out is asked for before it counts as deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.errors import ManifestError, Refused
from scenario_apply.manifest.spec import Concept, Import
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.planning.changes import Action
from tests.fakes.bench import PLACE, Bench, composition, model
from tests.fakes.service import FakeScenario


class Partial(FakeScenario):
    """A service that leaves models out of its bulk answers, so many times."""

    short = 0

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        found = dict(super().get_models(model_ids, images=images))
        if self.short:
            self.short -= 1
            found.popitem()
        return found


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # it is about power, and only costs time here
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("one", "kael"), model("two", "kael"), composition("mix", "one", "two"))
    return bench


def test_a_model_that_a_bulk_answer_leaves_out_is_read_by_its_id(bench: Bench) -> None:
    """One request more, and only then; nothing is made again."""
    service = Partial(bench.clock)
    bench.apply(service)
    service.log.clear()
    service.short = 1
    assert not bench.plan(service).plan.has_changes
    assert service.count("get_models", "get_model") == 2
    service.log.clear()
    assert not bench.plan(service).plan.has_changes
    assert service.count("get_models", "get_model") == 1


class FirstImages(FakeScenario):
    """Bulk answers show the first image of each model only, as if it were all, or models as they were when new."""

    status: str | None = None

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        found = super().get_models(model_ids, images=images)
        return {i: replace(m, images=(m.images or ())[:1], status=self.status or m.status) for i, m in found.items()}


@pytest.mark.parametrize("status", [None, "new"])
def test_what_a_bulk_answer_shows_less_of_is_read_by_its_id(bench: Bench, status: str | None) -> None:
    """An image that was really removed is drift; none is where only fifty models in one answer were cut short."""
    service = FirstImages(bench.clock)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.apply(service)
    service.status = status
    prepared = bench.plan(service)
    assert (prepared.plan.has_changes, prepared.plan.drift) == (False, ())
    current = bench.record("model.one").current
    service.detach_image(current.id, current.images[1].asset_id)
    assert [(str(item.address), item.path) for item in bench.plan(service).plan.drift] == [("model.one", "02.png")]


@pytest.mark.parametrize("status", [400, 404])
def test_a_bulk_answer_that_is_refused_for_one_model_hides_no_other(bench: Bench, status: int) -> None:
    """Each is read by its id; the one that was deleted is made again."""

    class Refusing(FakeScenario):
        def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
            if any(self.models[model_id].deleted for model_id in model_ids):
                raise Refused("Invalid model(s)", status=status)
            return super().get_models(model_ids, images=images)

    service = Refusing(bench.clock)
    bench.apply(service)
    service.delete_model(bench.record("model.two").current.id)
    changes = {str(change.address): change.action for change in bench.plan(service).plan.changes}
    assert (changes["model.one"], changes["model.two"]) == (Action.NONE, Action.CREATE)


def test_a_model_that_is_really_gone_is_made_again(bench: Bench) -> None:
    service = Partial(bench.clock)
    bench.apply(service)
    service.delete_model(bench.record("model.two").current.id)
    changes = {str(change.address): change.action for change in bench.plan(service).plan.changes}
    assert changes["model.two"] is Action.CREATE


def test_a_training_that_a_poll_leaves_out_is_not_taken_for_cancelled(bench: Bench) -> None:
    service = Partial(bench.clock)

    def polled_short(model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        service.short = 1
        return Partial.get_models(service, model_ids, images=images)

    service.get_models = polled_short  # type: ignore[method-assign]  # every bulk answer is short
    assert bench.apply(service).status == "done"
    assert len(service.jobs) == 3


def test_a_part_or_an_import_that_the_service_does_not_show_is_an_error_at_its_place(bench: Bench) -> None:
    """Another project's private model: a bulk read leaves it out, and reading it alone is refused."""

    class Hidden(FakeScenario):
        def get_model(self, model_id: ModelId) -> RemoteModel:
            raise Refused("not yours", status=403)

    ink = replace(composition("ink", "one"), concepts=(Concept(model_id="model_9", scale=1, place=PLACE),))
    one = model("one", "kael")
    bench.declare(one, ink)
    block = Import(target=one.address, model_id="model_8", place=PLACE)
    bench.manifest = replace(bench.manifest, imports=(block,))
    with pytest.raises(ManifestError) as caught:
        bench.plan(Hidden(bench.clock))
    assert {problem.code for problem in caught.value.problems} == {"part-nothing", "import-nothing"}
    assert {problem.location for problem in caught.value.problems} == {PLACE}


def test_a_recorded_model_that_the_service_refuses_to_show_does_not_count_as_deleted(bench: Bench) -> None:
    """With a key of another project: nothing is made anew there."""
    service = Partial(bench.clock)
    bench.apply(service)

    def refused(model_id: ModelId) -> RemoteModel:
        raise Refused("not yours", status=403)

    service.short, service.get_model = 1, refused  # type: ignore[method-assign]  # a key of another project
    with pytest.raises(Refused):
        bench.plan(service)


def test_a_refresh_alone_records_what_was_changed_and_writes_nothing(bench: Bench) -> None:
    """Afterwards nothing has drifted, the composition is not trained, and only what the manifest says differs."""
    service = FakeScenario(bench.clock)
    bench.apply(service)
    one = service.models[bench.record("model.one").current.id]
    one.name = "Renamed by hand"
    service.assets[one.images[0]].description = "by hand"
    writes = service.count("update_model", "set_caption", "train", "upload_asset")
    ledger = bench.apply(service, plan=PlanOptions(refresh_only=True))
    assert ledger.status == "done"
    assert service.count("update_model", "set_caption", "train", "upload_asset") == writes
    assert bench.record("model.one").current.name == "Renamed by hand"
    assert "refresh name of model.one" in bench.state().history[-1].what
    plan = bench.plan(service).plan
    assert plan.drift == ()
    assert {str(change.address): change.action for change in plan.changes if change.action is not Action.NONE} == {
        "model.one": Action.REPLACE,
        "model.two": Action.REPLACE,  # the picture is an asset of both
        "composition.mix": Action.RETRAIN,
    }
    service.assets[one.images[0]].description = "KAEL, front"
    bench.apply(service, plan=PlanOptions(refresh_only=True))
    plan = bench.plan(service).plan
    assert [(str(c.address), c.action) for c in plan.changes if c.action is not Action.NONE] == [
        ("model.one", Action.UPDATE)
    ], "the caption is back: nothing is trained"

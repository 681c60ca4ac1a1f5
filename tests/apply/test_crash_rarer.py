"""Deaths and lost answers in rarer runs: pictures in parts, edit pairs, destroys, models that vanished, two alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.dataset.types import Pair
from scenario_apply.errors import AnswerLost, ApiError, ApplyError
from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.planning import image_placement
from tests.fakes.bench import Bench, composition, dataset, model
from tests.fakes.crash import crash_everywhere
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, When, Wire

WHENS: list[When] = ["early", "before", "after"]


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process wrote remains in the file. fsync matters for power losses only, and takes time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def settled(bench: Bench, service: FakeScenario) -> list[str]:
    """What is wrong with any run that has ended: a journal, something left to do, an asset uploaded twice."""
    found = []
    if bench.journal_path.exists():
        found.append("a journal is left")
    plan = bench.plan(service).plan
    if plan.has_changes or plan.drift:
        found.append(f"the last plan is not empty: {[(str(c.address), c.reasons) for c in plan.changes]} {plan.drift}")
    twice = [key for key, times in service.uploads_by_content().items() if times > 1]
    if twice:
        found.append(f"uploaded twice: {twice}")
    return found


def made_once(bench: Bench, service: FakeScenario, *, models: int, assets: int, launches: int) -> list[str]:
    found = settled(bench, service)
    counted = len(service.alive()), len(service.assets), len(service.jobs)
    if counted != (models, assets, launches):
        found.append(f"models, assets, launches: {counted}")
    return found


# -- pictures in parts


def large(root: Path) -> tuple[Bench, FakeScenario]:
    bench = Bench(root)
    bench.add("kael", ["KAEL, front", "KAEL, side"])
    bench.declare(model("kael", "kael"), model("fast", "kael", label="Fast"))
    return bench, FakeScenario(bench.clock)


@pytest.mark.parametrize("when", WHENS)
def test_a_crash_while_pictures_go_in_parts(tmp_path: Path, when: When, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    wrongs = partial(made_once, models=2, assets=2, launches=2)
    assert crash_everywhere(tmp_path, large, wrongs, when) > 20


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["create_upload", "complete_upload", "put_part", "get_upload"])
@pytest.mark.parametrize("error", [AnswerLost, ApiError])
def test_an_answer_lost_while_pictures_go_in_parts(
    tmp_path: Path, when: When, name: str, error: Callable[[str], ApiError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same run where it can be, else at the next start."""
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    bench, service = large(tmp_path)
    wire = Wire(service, Fault(when, partial(error, "lost"), name=name, nth=2))
    ledger = bench.apply(wire.api)
    assert wire.hit
    if ledger.status != "done":
        assert bench.apply(service).status == "done"
    assert made_once(bench, service, models=2, assets=2, launches=2) == []


def test_a_picture_the_service_refuses_fails_its_model_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_placement, "SINGLE_UPLOAD_BYTES", 10)
    bench, service = large(tmp_path)
    complete = service.complete_upload

    def refused(*args: object, **named: object) -> object:
        upload = complete(*args, **named)  # type: ignore[arg-type]  # passed on as it came
        service.uploads[upload.id].status = "failed"
        return upload

    service.complete_upload = refused  # type: ignore[assignment, method-assign]  # a stand-in of the same shape
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    assert "refused 01.png" in str(ledger.failed[0].reason)
    assert not ledger.unknown


# -- edit pairs


@pytest.mark.parametrize("when", WHENS)
def test_a_crash_while_pairs_are_set(tmp_path: Path, when: When) -> None:
    def make(root: Path) -> tuple[Bench, FakeScenario]:
        bench = Bench(root)
        pairs = [
            Pair(before="01.png", after="02.png", instruction="paint it"),
            Pair(before="03.png", after="04.png", instruction="draw it"),
        ]
        bench.datasets["paint"] = dataset(root, "paint", [None] * 4, pairs=pairs)
        bench.declare(model("paint", "paint", type="flux.2-klein-9b-edit-lora"))
        return bench, FakeScenario(bench.clock)

    def wrongs(bench: Bench, service: FakeScenario) -> list[str]:
        held = {p.instruction for p in service.model_named("Paint").pairs}
        found = [] if held == {"paint it", "draw it"} else [f"pairs {held}"]
        return found + made_once(bench, service, models=1, assets=4, launches=1)

    assert crash_everywhere(tmp_path, make, wrongs, when) > 8


# -- deletes


def trained(root: Path) -> tuple[Bench, FakeScenario]:
    bench = Bench(root)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"), model("fast", "kael", label="Fast"), composition("ink", "kael", "fast"))
    service = FakeScenario(bench.clock)
    bench.apply(service)
    return bench, service


@pytest.mark.parametrize("when", WHENS)
def test_a_crash_while_everything_is_destroyed(tmp_path: Path, when: When) -> None:
    def wrongs(bench: Bench, service: FakeScenario) -> list[str]:
        found = [f"{m.name} is left" for m in service.alive()]
        if bench.state().records:
            found.append("something is still recorded")
        return found + (["a journal is left"] if bench.journal_path.exists() else [])

    plan = PlanOptions(destroy=True, allow_destroy=True)
    assert crash_everywhere(tmp_path, trained, wrongs, when, plan=plan) > 3


@pytest.mark.parametrize("when", WHENS)
def test_a_crash_while_old_versions_are_pruned(tmp_path: Path, when: When) -> None:
    """keep_versions: 0 deletes the replaced version once nothing uses it, and never the new one."""

    def make(root: Path) -> tuple[Bench, FakeScenario]:
        bench, service = trained(root)
        lean = Lifecycle(keep_versions=0)
        bench.declare(
            model("kael", "kael", parameters={"rank": 4}, lifecycle=lean),
            model("fast", "kael", label="Fast"),
            composition("ink", "kael", "fast"),
        )
        return bench, service

    wrongs = partial(made_once, models=3, assets=1, launches=5)
    assert crash_everywhere(tmp_path, make, wrongs, when, plan=PlanOptions(allow_destroy=True)) > 6


# -- what vanished


@pytest.mark.parametrize("when", WHENS)
def test_a_crash_while_a_vanished_model_is_created_again(tmp_path: Path, when: When) -> None:
    def make(root: Path) -> tuple[Bench, FakeScenario]:
        bench, service = trained(root)
        service.delete_model(service.model_named("Kael").id)
        return bench, service

    def wrongs(bench: Bench, service: FakeScenario) -> list[str]:
        found = [str(a) for a, record in bench.state().records.items() if record.pending or record.previous]
        return (
            [f"{a} has leftover versions" for a in found]
            + settled(bench, service)
            + ([] if len(service.alive()) == 3 else [f"{len(service.alive())} models"])
        )

    assert crash_everywhere(tmp_path, make, wrongs, when) > 6


# -- two alike


def test_two_models_that_fit_a_lost_creation_stop_the_next_run_and_are_named(tmp_path: Path) -> None:
    """It is unknown which one is ours, so nothing is created again until only one is left."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="create_model")).api)
    stranger = service.create_model(name="Kael", type="flux.1-lora")
    for _ in range(2):
        with pytest.raises(ApplyError) as caught:
            bench.apply(service)
        assert caught.value.code == "ambiguous-adoption"
        assert stranger.id in str(caught.value)
    service.delete_model(stranger.id)
    ledger = bench.apply(service)
    assert [line.what for line in ledger.adopted] == ["create"]
    assert made_once(bench, service, models=1, assets=1, launches=1) == []


def test_a_trained_model_of_the_same_name_is_never_taken_for_a_lost_creation(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    service = FakeScenario(bench.clock)
    other = service.create_model(name="Kael", type="flux.1-lora")
    service.add_image(other.id, name="x.png", mime="image/png", body=b"somebody else's")
    lost = Fault("before", lambda: AnswerLost("reset"), name="create_model")
    assert bench.apply(Wire(service, lost).api).status == "done"
    assert bench.record("model.kael").current.id != other.id
    assert len(service.alive()) == 2


def test_a_training_that_ended_before_anybody_looked_is_adopted(tmp_path: Path) -> None:
    """Also a second one, of a model that was trained before."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    service = FakeScenario(bench.clock)
    retrain = Lifecycle(on_change="retrain")
    for rank in (4, 8):
        bench.declare(model("kael", "kael", parameters={"rank": rank}, lifecycle=retrain))
        with pytest.raises(Killed):
            bench.apply(Wire(service, Fault("after", Killed, name="train")).api)
        bench.clock.wait(3600)
        ledger = bench.apply(service)
        assert [line.what for line in ledger.adopted] == ["train"]
        assert ledger.status == "done"
        assert settled(bench, service) == []
    assert len(service.jobs) == 2


def test_a_lost_launch_that_never_arrived_is_launched_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    service = FakeScenario(bench.clock)
    bench.declare(model("kael", "kael"))
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("before", Killed, name="train")).api)
    ledger = bench.apply(service)
    assert (ledger.status, ledger.adopted) == ("done", ())
    assert len(service.jobs) == 1

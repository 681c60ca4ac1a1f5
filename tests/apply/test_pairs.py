"""Edit pairs: what is sent for a change of one, what a crash costs, and pairs that were changed on the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.dataset.types import Contents, Pair
from scenario_apply.manifest.spec import Lifecycle, OnChange
from scenario_apply.model.remote import ModelId, RemoteModel, RemotePair
from tests.fakes.bench import Bench, dataset, dataset_of, model
from tests.fakes.crash import crash_everywhere
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, When, Wire

RETRAIN = Lifecycle(on_change="retrain")
PAIRS = (Pair(before="01.png", after="02.png", instruction="x"), Pair(before="03.png", after="04.png", instruction="x"))


@pytest.mark.parametrize("first_trained", [True, False])
def test_pairs_that_became_single_images_are_removed_before_training(first_trained: bool, tmp_path: Path) -> None:
    """The images are the same and attached already: only the pairs say what is trained."""
    bench = Bench(tmp_path)
    service = FakeScenario(bench.clock)
    service.fail_training = set() if first_trained else {"Night"}
    bench.datasets["night"] = dataset(tmp_path, "night", [None] * 4, pairs=PAIRS)
    bench.declare(model("night", "night", type="flux.1-kontext-lora", lifecycle=RETRAIN))
    bench.apply(service)
    service.fail_training = set()
    remote = service.model_named("Night")
    assert remote.pairs is not None
    assert len(remote.pairs) == 2
    paired = bench.datasets["night"]
    single = dataset_of("night", Contents(images=paired.contents.images))
    for following, count in ((single, 0), (paired, 2)):
        bench.datasets["night"] = following
        assert bench.apply(service).failed == ()
        assert len(service.model_named("Night").pairs or ()) == len(bench.record("model.night").current.pairs) == count
        assert not bench.plan(service).plan.has_changes
    assert len(service.jobs) == 3
    assert service.model_named("Night").id == remote.id


# -- one pair of a trained model changes

FOUR = (
    Pair(before="01.png", after="02.png", instruction="paint it"),
    Pair(before="03.png", after="04.png", instruction="draw it"),
)


def trained(root: Path, lifecycle: Lifecycle = RETRAIN) -> tuple[Bench, FakeScenario]:
    """A trained model of two pairs."""
    bench = Bench(root)
    bench.datasets["paint"] = dataset(root, "paint", [None] * 4, pairs=FOUR)
    bench.declare(model("paint", "paint", type="flux.2-klein-9b-edit-lora", lifecycle=lifecycle))
    service = FakeScenario(bench.clock)
    assert bench.apply(service).status == "done"
    return bench, service


def with_another_result(bench: Bench) -> None:
    """The second picture of the last pair is another one, with another instruction."""
    longer = dataset(bench.root, "paint", [None] * 5)
    images = [i for i in longer.contents.images if i.path != "04.png"]
    pairs = (FOUR[0], Pair(before="03.png", after="05.png", instruction="draw it anew"))
    bench.datasets["paint"] = dataset_of("paint", Contents(images=tuple(images), pairs=pairs))


def reinstructed(bench: Bench) -> None:
    pairs = (FOUR[0], replace(FOUR[1], instruction="draw it anew"))
    images = bench.datasets["paint"].contents.images
    bench.datasets["paint"] = dataset_of("paint", Contents(images=images, pairs=pairs))


STEP_OF = {
    "create_model": "create",
    "add_image": "upload",
    "attach_assets": "attach",
    "detach_image": "detach",
    "set_caption": "caption",
    "replace_pairs": "pair",
    "train": "train",
}


@pytest.mark.parametrize(
    ("change", "on_change", "sent"),
    [
        (reinstructed, "retrain", {"pair": 1, "train": 1}),
        (reinstructed, "replace", {"create": 1, "attach": 1, "pair": 1, "train": 1}),
        (with_another_result, "retrain", {"upload": 1, "detach": 1, "pair": 1, "train": 1}),
        (with_another_result, "replace", {"create": 1, "upload": 1, "attach": 1, "pair": 1, "train": 1}),
    ],
)
def test_a_change_of_one_pair_sends_only_what_changed(
    change: Callable[[Bench], None], on_change: OnChange, sent: dict[str, int], tmp_path: Path
) -> None:
    bench, service = trained(tmp_path, Lifecycle(on_change=on_change))
    change(bench)
    by_step = dict(bench.plan(service).plan.requests_by_step)
    assert {key: by_step[key] for key in STEP_OF.values() if by_step.get(key)} == sent
    wire = Wire(service)
    assert bench.apply(wire.api).status == "done"
    made = Counter(wire.calls)
    assert {STEP_OF[name]: made[name] for name in STEP_OF if made[name]} == sent
    held = service.models[bench.record("model.paint").current.id].pairs
    assert {pair.instruction for pair in held} == {"paint it", "draw it anew"}
    assert not bench.plan(service).plan.has_changes


@pytest.mark.parametrize(("on_change", "when"), [("retrain", "before"), ("retrain", "after"), ("replace", "after")])
def test_a_crash_while_one_pair_changes_uploads_and_trains_once(
    on_change: OnChange, when: When, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # takes time, and matters for power losses only

    def make(root: Path) -> tuple[Bench, FakeScenario]:
        bench, service = trained(root, Lifecycle(on_change=on_change))
        with_another_result(bench)
        return bench, service

    def wrongs(bench: Bench, service: FakeScenario) -> list[str]:
        found = []
        pairs = {pair.instruction for pair in service.models[bench.record("model.paint").current.id].pairs}
        if pairs != {"paint it", "draw it anew"}:
            found.append(f"pairs {pairs}")
        if (len(service.assets), len(service.jobs)) != (5, 2):
            found.append(f"{len(service.assets)} assets, {len(service.jobs)} trainings")
        if bench.plan(service).plan.has_changes:
            found.append("the last plan is not empty")
        return found

    assert crash_everywhere(tmp_path, make, wrongs, when) > 5


# -- pairs that were changed on the service


@pytest.mark.parametrize(
    ("held", "drift"),
    [
        ((("01", "02", "erase it"), ("03", "04", "draw it")), [("01.png -> 02.png", "paint it", "erase it")]),
        ((("03", "04", "draw it"),), [("01.png -> 02.png", "paint it", None)]),
        ((), [("01.png -> 02.png", "paint it", None), ("03.png -> 04.png", "draw it", None)]),
    ],
)
def test_pairs_changed_on_the_service_are_noticed_and_set_back(
    held: tuple[tuple[str, str, str], ...], drift: list[tuple[str, str, str | None]], tmp_path: Path
) -> None:
    bench, service = trained(tmp_path)
    remote = service.model_named("Paint")
    ids = {service.assets[one].name: one for one in remote.images}
    remote.pairs = tuple(
        RemotePair(source_id=ids[f"{b}.png"], target_id=ids[f"{a}.png"], instruction=text) for b, a, text in held
    )
    plan = bench.plan(service).plan
    assert [(d.path, d.recorded, d.observed) for d in plan.drift if d.what == "pair"] == drift
    assert {reason.code for change in plan.changes for reason in change.reasons} == {"drift-found"}
    assert plan.requests_by_step["pair"] == 1
    assert bench.apply(service).status == "done"
    assert {pair.instruction for pair in service.model_named("Paint").pairs} == {"paint it", "draw it"}
    assert not bench.plan(service).plan.drift


def test_a_pair_lost_on_the_way_back_is_set_again(tmp_path: Path) -> None:
    """A run is killed after it detached a picture, and the change is undone: the service removed the pair meanwhile."""
    bench = Bench(tmp_path)
    service = FakeScenario(bench.clock)
    service.fail_training = {"Paint"}
    declared = bench.datasets["paint"] = dataset(tmp_path, "paint", [None] * 4, pairs=FOUR)
    bench.declare(model("paint", "paint", type="flux.2-klein-9b-edit-lora"))
    bench.apply(service)
    service.fail_training = set()
    with_another_result(bench)
    wire = Wire(service, Fault("before", Killed, name="replace_pairs"))
    with pytest.raises(Killed):
        bench.apply(wire.api)
    bench.datasets["paint"] = declared
    assert bench.apply(service).status == "done"
    assert {pair.instruction for pair in service.model_named("Paint").pairs} == {"paint it", "draw it"}
    assert not bench.plan(service).plan.has_changes


def test_a_list_that_shows_fewer_pairs_than_the_model_has_costs_no_training(tmp_path: Path) -> None:
    bench, service = trained(tmp_path)
    many = service.get_models

    def shortened(*args: object, **named: object) -> dict[ModelId, RemoteModel]:
        found = many(*args, **named)  # type: ignore[arg-type]  # passed on as it came
        return {key: replace(model, pairs=()) for key, model in found.items()}

    service.get_models = shortened  # type: ignore[method-assign]  # a stand-in of the same shape
    plan = bench.plan(service).plan
    assert not plan.drift
    assert not plan.has_changes


def test_an_instruction_that_ignore_changes_covers_is_no_change_here_or_there(tmp_path: Path) -> None:
    """`captions` covers the instruction, as that is the caption of a pair; another picture is still a change."""
    bench, service = trained(tmp_path, Lifecycle(ignore_changes=("captions",)))
    held = bench.datasets["paint"].contents
    other = (FOUR[0], Pair(before="03.png", after="04.png", instruction="another text"))
    bench.datasets["paint"] = dataset_of("paint", Contents(images=held.images, pairs=other))
    assert not bench.plan(service).plan.has_changes
    remote = service.model_named("Paint")
    remote.pairs = tuple(replace(pair, instruction="by hand") for pair in remote.pairs)
    prepared = bench.plan(service)
    assert (prepared.plan.has_changes, prepared.plan.drift) == (False, ())
    with_another_result(bench)
    assert bench.plan(service).plan.has_changes

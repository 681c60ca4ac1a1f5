"""A process that dies at any call, and answers lost at any call: applying again makes one of everything.

The manifest has two flux.1-lora over one dataset, an sd-xl-lora and a composition of the first two.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.dataset.types import Contents
from scenario_apply.errors import AnswerLost
from scenario_apply.manifest.spec import Lifecycle, OnChange
from tests.fakes.bench import Bench, composition, dataset_of, model, recaptioned
from tests.fakes.crash import crash_everywhere
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, When, Wire

TYPES = ("flux.1-lora", "flux.1-lora", "sd-xl-lora", "flux.1-composition")


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process wrote remains in the file. fsync matters for power losses only, and takes time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def bench_of(root: Path) -> Bench:
    bench = Bench(root)
    bench.add("kael", ["KAEL, front", "KAEL, side", None])
    bench.add("props", ["a lamp", "a chair"])
    bench.declare(
        model("kael", "kael", tags=("hero",), parameters={"rank": 8}),
        model("fast", "kael", label="Kael Fast", parameters={"rank": 4}),
        model("props", "props", type="sd-xl-lora"),
        composition("ink", "kael", "fast"),
    )
    return bench


def wrongs(bench: Bench, service: FakeScenario, *, launches: int = 1, versions: int = 1, assets: int = 5) -> list[str]:
    """Everything that is not as if nothing had happened."""
    found = []
    types = sorted(m.type for m in service.alive())
    if types != sorted(TYPES * versions):
        found.append(f"models {types}")
    twice = [key for key, times in service.uploads_by_content().items() if times > 1]
    if twice or len(service.assets) != assets:
        found.append(f"{len(service.assets)} assets, uploaded twice: {twice}")
    if len(service.jobs) != 4 * launches:
        found.append(f"launches {dict(service.launches())}")
    state = bench.state()
    phases = {str(address): record.current.phase for address, record in state.records.items()}
    if len(phases) != 4 or set(phases.values()) != {"trained"}:
        found.append(f"phases {phases}")
    for address, record in state.records.items():
        if record.pending is not None or len(record.previous) != versions - 1:
            found.append(f"{address} has leftover versions")
        remote = service.models[record.current.id]
        spec = bench.spec(address)
        for held_by in (record.current, remote):
            if (held_by.name, held_by.description, tuple(sorted(held_by.tags))) != (
                spec.name,
                spec.description or held_by.description,
                tuple(sorted(spec.tags)),
            ):
                found.append(f"{address} has other labels: {held_by}")
        wanted = {i.path: i.caption or "" for i in bench.manifest_images(address)}
        held = sorted((service.assets[i].name, service.assets[i].description) for i in remote.images)
        if held != sorted(wanted.items()):
            found.append(f"{address} was trained on {held}")
        for kept in record.previous:
            trained_with = {(i.asset_id, i.caption) for i in kept.images}
            if trained_with != {(i, service.assets[i].description) for i in service.models[kept.id].images}:
                found.append(f"version {kept.number} of {address} no longer has what it was trained with")
        if {(i.path, i.caption) for i in record.current.images} != set(wanted.items()):
            found.append(f"{address} is recorded with {record.current.images}")
    if bench.journal_path.exists():
        found.append("a journal is left")
    plan = bench.plan(service).plan
    if plan.has_changes or plan.steps or plan.drift:
        changes = [(str(c.address), c.action.value, c.reasons) for c in plan.changes if c.action.value != "none"]
        found.append(f"the last plan is not empty: {changes} {plan.drift}")
    return found


def crashed(
    root: Path,
    when: When,
    first: Callable[[Bench, FakeScenario], None] | None = None,
    death: Callable[[], Killed] = Killed,
    **expected: int,
) -> int:
    """Die everywhere in a run over that manifest, after what first does to it. The number of calls."""

    def make(folder: Path) -> tuple[Bench, FakeScenario]:
        bench = bench_of(folder)
        service = FakeScenario(bench.clock)
        if first is not None:
            first(bench, service)
        return bench, service

    return crash_everywhere(root, make, lambda bench, service: wrongs(bench, service, **expected), when, death=death)


@pytest.mark.parametrize("when", ["early", "before", "after"])
def test_a_crash_at_any_call_is_repaired_by_applying_again(tmp_path: Path, when: When) -> None:
    """One model each, each image once, one training each: as if nothing had happened."""
    assert crashed(tmp_path, when) > 30


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_everything_is_replaced_is_fixed_too(tmp_path: Path, when: When) -> None:
    """The models get new versions and the composition is retrained, once each, and no image is uploaded again."""

    def changed(bench: Bench, service: FakeScenario) -> None:
        bench.apply(service)
        bench.declare(
            model("kael", "kael", tags=("hero",), parameters={"rank": 16}),
            model("fast", "kael", label="Kael Fast", parameters={"rank": 2}),
            model("props", "props", type="sd-xl-lora", parameters={"seed": 3}),
            composition("ink", "kael", "fast", lifecycle=Lifecycle(on_change="replace")),
        )

    assert crashed(tmp_path, when, changed, launches=2, versions=2) > 15


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("on_change", ["replace", "retrain"])
def test_a_crash_while_pictures_and_captions_change_is_fixed_too(
    tmp_path: Path, when: When, on_change: OnChange
) -> None:
    """A caption, a new picture, one less: what is new is uploaded once, the rest is used again.

    A changed caption of a replaced model is a new asset; the kept version keeps the one it was trained with.
    """

    def changed(bench: Bench, service: FakeScenario) -> None:
        bench.apply(service)
        bench.add("props", ["a lamp", "a chair", "a table"])
        bench.datasets["kael"] = recaptioned(bench.datasets["kael"], "02.png", "KAEL, from the side")
        images = bench.datasets["kael"].contents.images
        bench.datasets["kael"] = dataset_of("kael", Contents(images=images[:2]))
        lifecycle = Lifecycle(on_change=on_change)
        bench.declare(
            model("kael", "kael", tags=("hero",), parameters={"rank": 8}, lifecycle=lifecycle),
            model("fast", "kael", label="Kael Fast", parameters={"rank": 4}, lifecycle=lifecycle),
            model("props", "props", type="sd-xl-lora", lifecycle=lifecycle),
            composition("ink", "kael", "fast", lifecycle=lifecycle),
        )

    versions = 2 if on_change == "replace" else 1
    assert crashed(tmp_path, when, changed, launches=2, versions=versions, assets=5 + versions) > 12


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_labels_change_is_fixed_too(tmp_path: Path, when: When) -> None:
    """Names, descriptions and tags, in the record as on the service; nothing is trained."""

    def changed(bench: Bench, service: FakeScenario) -> None:
        bench.apply(service)
        bench.declare(
            model("kael", "kael", label="Kael II", tags=("villain",), parameters={"rank": 8}),
            model("fast", "kael", label="Kael Fast", parameters={"rank": 4}, description="quick"),
            model("props", "props", type="sd-xl-lora", tags=("tools", "home")),
            composition("ink", "kael", "fast"),
        )

    assert crashed(tmp_path, when, changed) > 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_power_loss_takes_only_what_was_not_flushed(
    tmp_path: Path, when: When, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a death, and the journal is cut back to what had reached the disk."""
    flushed: dict[str, int] = {}
    cut: list[int] = []

    def fsync(descriptor: int) -> None:
        flushed[os.readlink(f"/proc/self/fd/{descriptor}")] = os.fstat(descriptor).st_size

    class Powerless(Killed):
        """Cuts the journal as it strikes."""

        def __init__(self) -> None:
            super().__init__()
            for path, size in flushed.items():
                if path.endswith(".journal") and os.path.exists(path):
                    cut.append(os.path.getsize(path) - size)
                    os.truncate(path, size)

    monkeypatch.setattr("os.fsync", fsync)
    # flush() of a dying run would put back what the power took
    monkeypatch.setattr("scenario_apply.apply.recorder.FLUSH_EVERY_S", 1e9)
    assert crashed(tmp_path, when, death=Powerless) > 30
    assert any(cut), "something was lost, and nothing came of it"


@pytest.mark.parametrize("seed", range(8))
def test_a_crash_while_many_calls_are_in_flight(tmp_path: Path, seed: int) -> None:
    """Eight at once, and several deaths in a row: still one of everything."""
    dice = random.Random(seed)
    bench = bench_of(tmp_path)
    service = FakeScenario(bench.clock)
    deaths = 0
    for _ in range(4):
        when: When = dice.choice(["early", "before", "after"])
        wire = Wire(service, Fault(when, Killed, number=dice.randint(1, 25)))
        try:
            bench.apply(wire.api, ApplyOptions(parallelism=8))
        except Killed:
            deaths += 1
    bench.apply(service, ApplyOptions(parallelism=8))
    assert deaths
    assert not wrongs(bench, service)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("timed_out", [False, True])
def test_an_answer_lost_at_any_write_is_found_again_in_the_same_run(
    tmp_path: Path, when: When, timed_out: bool
) -> None:
    """Nothing is done twice, and the ledger says done."""
    failures = []
    adopted = 0
    for name in ("create_model", "upload_asset", "add_image", "attach_assets", "train"):
        nth = 0
        while True:
            nth += 1
            bench = bench_of(tmp_path / f"{name}{nth}")
            service = FakeScenario(bench.clock)
            fault = Fault(when, partial(AnswerLost, "lost", timed_out=timed_out), name=name, nth=nth)
            wire = Wire(service, fault)
            ledger = bench.apply(wire.api)
            if not wire.hit:
                break
            adopted += len(ledger.adopted)
            bad = wrongs(bench, service)
            if ledger.status != "done" or bad:
                failures.append(f"{name} {nth}: {ledger.status} {ledger.failed} {'; '.join(bad)}")
        assert nth > 2
    assert not failures, "\n".join(failures)
    assert (adopted > 0) == (when == "after"), "the ledger names what was adopted"


@pytest.mark.parametrize("seed", range(6))
def test_answers_lost_while_many_calls_are_in_flight(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    bench = bench_of(tmp_path)
    service = FakeScenario(bench.clock)
    faults = [
        Fault(
            dice.choice(["before", "after"]),
            partial(AnswerLost, "lost", timed_out=dice.random() < 0.5),
            name=name,
            nth=dice.randint(1, 3),
        )
        for name in ("create_model", "upload_asset", "add_image", "attach_assets", "train")
    ]
    ledger = bench.apply(Wire(service, *faults).api, ApplyOptions(parallelism=8))
    assert (ledger.status, ledger.failed) == ("done", ())
    assert not wrongs(bench, service)


def test_a_caption_changed_in_the_manifest_between_crash_and_second_run(tmp_path: Path) -> None:
    """The second run continues with what the first one created, and sends the new caption."""
    bench = bench_of(tmp_path)
    service = FakeScenario(bench.clock)
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="attach_assets")).api)
    bench.datasets["kael"] = recaptioned(bench.datasets["kael"], "01.png", "KAEL, back")
    bench.apply(service)
    assert not wrongs(bench, service)

"""A process that dies at any call, and answers lost at any call: applying again makes one of everything.

The manifest has two flux.1-lora over one dataset, an sd-xl-lora and a composition of the first two.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scenario_apply.core.manifest.spec import Lifecycle
from scenario_apply.effects.applying import ApplyOptions
from scenario_apply.errors import AnswerLost
from tests.fakes.bench import Bench, composition, model, recaptioned
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, When, Wire

LORAS = ("Kael", "Kael Fast")
NAMES = (*LORAS, "Props", "Ink")


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process wrote stays written; fsync is about power, and only costs time here."""
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


def wrongs(bench: Bench, service: FakeScenario, *, launches: int = 1, versions: int = 1) -> list[str]:
    """Everything that is not as if nothing had happened."""
    found = []
    names = sorted(m.name for m in service.alive())
    if names != sorted(NAMES * versions):
        found.append(f"models {names}")
    twice = [digest[:8] for digest, times in service.uploads_by_bytes().items() if times > 1]
    if twice or len(service.assets) != 5:
        found.append(f"{len(service.assets)} assets, uploaded twice: {twice}")
    if service.launches() != dict.fromkeys(NAMES, launches):
        found.append(f"launches {dict(service.launches())}")
    state = bench.state()
    phases = {str(address): record.current.phase for address, record in state.records.items()}
    if len(phases) != 4 or set(phases.values()) != {"trained"}:
        found.append(f"phases {phases}")
    for address, record in state.records.items():
        if record.pending is not None or len(record.previous) != versions - 1:
            found.append(f"{address} has leftover versions")
        remote = service.models[record.current.id]
        wanted = {i.path: i.caption or "" for i in bench.manifest_images(address)}
        held = sorted((service.assets[i].name, service.assets[i].description) for i in remote.images)
        if held != sorted(wanted.items()):
            found.append(f"{address} was trained on {held}")
        if {(i.path, i.caption) for i in record.current.images} != set(wanted.items()):
            found.append(f"{address} is recorded with {record.current.images}")
    if bench.journal_path.exists():
        found.append("a journal is left")
    plan = bench.plan(service).plan
    if plan.has_changes or plan.steps or plan.drift:
        changes = [(str(c.address), c.action.value, c.reasons) for c in plan.changes if c.action.value != "none"]
        found.append(f"the last plan is not empty: {changes} {plan.drift}")
    return found


def crash_everywhere(
    root: Path, when: When, first: Callable[[Bench, FakeScenario], None] | None = None, **expected: int
) -> int:
    """Die at call 1, 2, 3 ... of a run until one gets through; apply again each time. The number of calls."""
    failures = []
    number = 0
    while True:
        number += 1
        bench = bench_of(root / str(number))
        service = FakeScenario(bench.clock)
        if first is not None:
            first(bench, service)
        wire = Wire(service, Fault(when, Killed, number=number))
        try:
            bench.apply(wire.api)
        except Killed:
            bench.apply(service)
            bad = wrongs(bench, service, **expected)
            if bad:
                failures.append(f"died {when} call {number} ({wire.hit[0]}): {'; '.join(bad)}")
            continue
        assert not wire.hit
        break
    assert not failures, "\n".join(failures)
    assert not wrongs(bench, service, **expected)
    return number - 1


@pytest.mark.parametrize("when", ["early", "before", "after"])
def test_a_crash_at_any_call_is_mended_by_applying_again(tmp_path: Path, when: When) -> None:
    """One model each, each image once, one training each: as if nothing had happened."""
    assert crash_everywhere(tmp_path, when) > 30


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_everything_is_replaced_is_mended_too(tmp_path: Path, when: When) -> None:
    """New versions of the models, the composition trained anew: once each, and no image uploaded again."""

    def changed(bench: Bench, service: FakeScenario) -> None:
        bench.apply(service)
        bench.declare(
            model("kael", "kael", tags=("hero",), parameters={"rank": 16}),
            model("fast", "kael", label="Kael Fast", parameters={"rank": 2}),
            model("props", "props", type="sd-xl-lora", parameters={"seed": 3}),
            replace(composition("ink", "kael", "fast", lifecycle=Lifecycle(on_change="replace"))),
        )

    assert crash_everywhere(tmp_path, when, changed, launches=2, versions=2) > 15


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
            fault = Fault(when, lambda: AnswerLost("lost", timed_out=timed_out), name=name, nth=nth)
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
            lambda late=dice.random() < 0.5: AnswerLost("lost", timed_out=late),  # type: ignore[misc]
            name=name,
            nth=dice.randint(1, 3),
        )
        for name in ("create_model", "upload_asset", "add_image", "attach_assets", "train")
    ]
    ledger = bench.apply(Wire(service, *faults).api, ApplyOptions(parallelism=8))
    assert (ledger.status, ledger.failed) == ("done", ())
    assert not wrongs(bench, service)


def test_a_caption_changed_in_the_manifest_between_crash_and_second_run(tmp_path: Path) -> None:
    """The second run goes on with what the first one made, on the new caption."""
    bench = bench_of(tmp_path)
    service = FakeScenario(bench.clock)
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="attach_assets")).api)
    bench.datasets["kael"] = recaptioned(bench.datasets["kael"], "01.png", "KAEL, back")
    bench.apply(service)
    assert not wrongs(bench, service)
    assert isinstance(bench.clock, FakeClock)

"""A process that dies, or an answer that is lost, at any request of a run with samples: each is drawn and paid once.

The manifest has a model with two samples and a composition of it with one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.errors import AnswerLost, ScenarioApplyError
from scenario_apply.manifest.spec import Lifecycle
from tests.fakes.bench import ONE_BY_ONE, Bench, composition, model
from tests.fakes.crash import crash_everywhere
from tests.fakes.machines import Machine, of
from tests.fakes.sample_bench import drawing, sample_wrongs
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, When, Wire

HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def bench_of(root: Path) -> Bench:
    bench = Bench(root)
    bench.add("kael", ["KAEL, front"])
    bench.declare(
        drawing(model("kael", "kael"), "a knight", "a castle"),
        drawing(composition("ink", "kael"), "a knight in ink"),
    )
    return bench


def wrongs(bench: Bench, service: FakeScenario, *, paid: int = 3, launches: int = 2) -> list[str]:
    found = sample_wrongs(bench, service, paid=paid)
    if len(service.jobs) != launches:
        found.append(f"launches {service.launches()}")
    if bench.journal_path.exists():
        found.append("a journal is left")
    plan = bench.plan(service).plan
    if plan.has_changes or plan.steps:
        found.append(f"the last plan is not empty: {[(str(c.address), c.reasons) for c in plan.changes]}")
    return found


def crashed(root: Path, when: When, first: Callable[[Bench, FakeScenario], None] | None = None, **expected: int) -> int:
    def make(folder: Path) -> tuple[Bench, FakeScenario]:
        bench = bench_of(folder)
        service = FakeScenario(bench.clock)
        if first is not None:
            first(bench, service)
        return bench, service

    return crash_everywhere(root, make, lambda bench, service: wrongs(bench, service, **expected), when)


@pytest.mark.parametrize("when", ["early", "before", "after"])
def test_a_death_at_any_request_is_repaired_by_applying_again(tmp_path: Path, when: When) -> None:
    assert crashed(tmp_path, when) > 15


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_while_a_model_is_trained_again_in_place_draws_each_new_sample_once(tmp_path: Path, when: When) -> None:
    """The older samples have the same prompts, seeds and model: they are not taken for the new ones."""

    def changed(bench: Bench, service: FakeScenario) -> None:
        bench.declare(drawing(model("kael", "kael"), "a knight", "a castle"))
        bench.apply(service)
        spec = model("kael", "kael", parameters={"rank": 16}, lifecycle=Lifecycle(on_change="retrain"))
        bench.declare(drawing(spec, "a knight", "a castle"))

    def made(bench: Bench, service: FakeScenario) -> list[str]:
        found = [w for w in wrongs(bench, service, paid=4) if "twice" not in w]
        per = Counter(str(job.input["prompt"]) for job in service.drawings.values())
        return found + ([] if per == {"a knight": 2, "a castle": 2} else [f"drawn {per}"])

    def make(folder: Path) -> tuple[Bench, FakeScenario]:
        bench = bench_of(folder)
        service = FakeScenario(bench.clock)
        changed(bench, service)
        return bench, service

    assert crash_everywhere(tmp_path, make, made, when) > 8


@pytest.mark.parametrize(("when", "skew_s"), [("before", HOUR_S), ("after", -HOUR_S)])
def test_a_death_at_any_request_is_continued_on_another_machine(tmp_path: Path, when: When, skew_s: float) -> None:
    """The state is in a store, and the clock of the dead machine was an hour wrong."""
    failures = []
    number = 0
    while True:
        number += 1
        bench = bench_of(tmp_path / str(number))
        first, service = of(bench, skew_s=skew_s), FakeScenario(bench.clock)

        def death(first: Machine = first) -> Killed:
            first.die()
            return Killed()

        wire = Wire(service, Fault(when, death, number=number))
        try:
            first.apply(wire.api, ONE_BY_ONE)
            break
        except Killed:
            second = first.another("b")
            try:
                second.apply(service, ONE_BY_ONE)
                bad = wrongs(second, service)
            except ScenarioApplyError as error:
                bad = [str(error)]
            bad += [] if second.is_clean else ["something is left in the store"]
            failures += [f"died {when} call {number} ({wire.hit[0]}): {what}" for what in bad]
    assert not failures, "\n".join(failures)
    assert number > 15


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("timed_out", [False, True])
def test_an_answer_lost_at_any_launch_is_found_again_in_the_same_run(
    tmp_path: Path, when: When, timed_out: bool
) -> None:
    for nth in (1, 2, 3):
        bench = bench_of(tmp_path / str(nth))
        service = FakeScenario(bench.clock)
        wire = Wire(service, Fault(when, partial(AnswerLost, "lost", timed_out=timed_out), name="generate", nth=nth))
        ledger = bench.apply(wire.api)
        assert (ledger.status, ledger.failed) == ("done", ())
        assert wire.hit
        assert [line.what[:6] for line in ledger.adopted] == (["sample"] if when == "after" else [])
        assert not wrongs(bench, service)


@pytest.mark.parametrize("seed", range(6))
def test_deaths_and_lost_answers_with_many_in_flight(tmp_path: Path, seed: int) -> None:
    """Samples of one seed could be mistaken for one another: they are launched one after another."""
    dice = random.Random(seed)
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    prompts = tuple(f"KAEL {n}" for n in range(6))
    bench.declare(drawing(model("kael", "kael"), *prompts))
    service = FakeScenario(bench.clock)
    lost = partial(AnswerLost, "lost", timed_out=dice.random() < 0.5)
    for _ in range(3):
        faults = [
            Fault(dice.choice(["before", "after"]), lost, name="generate", nth=dice.randint(1, 4)),
            Fault(dice.choice(["early", "before", "after"]), Killed, name="generate", nth=dice.randint(1, 6)),
            Fault(dice.choice(["before", "after"]), Killed, number=dice.randint(5, 30)),
        ]
        try:
            bench.apply(Wire(service, *faults).api, ApplyOptions(parallelism=8))
        except Killed:
            continue
    bench.apply(service, ApplyOptions(parallelism=8))
    assert not wrongs(bench, service, paid=6, launches=1)

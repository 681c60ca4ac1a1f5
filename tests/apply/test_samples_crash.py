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
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.errors import AnswerLost, ScenarioApplyError
from scenario_apply.manifest.spec import Lifecycle, SamplesSpec
from scenario_apply.model.samples import SampleSettings
from tests.fakes.bench import ONE_BY_ONE, Bench, composition, model
from tests.fakes.crash import crash_everywhere
from tests.fakes.machines import Machine, of
from tests.fakes.sample_bench import drawing, recorded, sample_wrongs, samples
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


def trained(bench: Bench, service: FakeScenario) -> None:
    """Everything is trained, and only the samples are left."""
    declared = bench.manifest
    bench.declare(model("kael", "kael"), composition("ink", "kael"))
    bench.apply(service)
    bench.manifest = declared


def test_a_death_at_any_request_is_repaired_by_applying_again(tmp_path: Path) -> None:
    assert crashed(tmp_path, "after") > 15


@pytest.mark.parametrize("when", ["early", "before", "after"])
def test_a_death_while_only_samples_are_left(tmp_path: Path, when: When) -> None:
    assert crashed(tmp_path, when, trained) > 7


def test_a_death_while_a_model_is_trained_again_in_place_draws_each_new_sample_once(tmp_path: Path) -> None:
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

    assert crash_everywhere(tmp_path, make, made, "after") > 8


def machine(root: Path, skew_s: float) -> tuple[Machine, FakeScenario]:
    """With a state in a store, where all is trained, and a clock that is wrong."""
    bench = bench_of(root)
    first, service = of(bench, skew_s=skew_s), FakeScenario(bench.clock)
    trained(first, service)
    return first, service


def continued(first: Machine, service: FakeScenario) -> list[str]:
    """Apply on another machine, and look at what is wrong then."""
    second = first.another("b")
    try:
        second.apply(service, ONE_BY_ONE)
        bad = wrongs(second, service)
    except ScenarioApplyError as error:
        return [str(error)]
    return bad + ([] if second.is_clean else ["something is left in the store"])


@pytest.mark.parametrize(("when", "skew_s"), [("before", HOUR_S), ("after", -HOUR_S)])
def test_a_death_at_any_request_is_continued_on_another_machine(tmp_path: Path, when: When, skew_s: float) -> None:
    failures = []
    number = 0
    while True:
        number += 1
        first, service = machine(tmp_path / str(number), skew_s)

        def death(first: Machine = first) -> Killed:
            first.die()
            return Killed()

        wire = Wire(service, Fault(when, death, number=number))
        try:
            first.apply(wire.api, ONE_BY_ONE)
            break
        except Killed:
            failures += [f"died {when} call {number} ({wire.hit[0]}): {what}" for what in continued(first, service)]
    assert not failures, "\n".join(failures)
    assert number > 7


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_at_any_request_to_the_store_is_continued_on_another_machine(tmp_path: Path, when: str) -> None:
    failures = []
    number = 0
    while True:
        number += 1
        first, service = machine(tmp_path / str(number), HOUR_S)
        asked: list[str] = []

        def strike(name: str, at: str, first: Machine = first, asked: list[str] = asked, number: int = number) -> None:
            if at == "before":
                asked.append(name)
            if at == when and len(asked) == number:
                first.die()
                raise Killed

        first.backend.strike = strike
        try:
            first.apply(service, ONE_BY_ONE)
            break
        except Killed:
            failures += [f"died {when} {number} {asked[-1]}: {bad}" for bad in continued(first, service)]
    assert not failures, "\n".join(failures)
    assert number > 7


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


@pytest.mark.parametrize("when", ["before", "after"])
def test_one_prompt_at_several_scales_is_drawn_once_at_each(tmp_path: Path, when: When) -> None:
    """They have the same seed: only the scale tells their jobs apart after lost answers."""
    bench = bench_of(tmp_path)
    [one, _] = samples("a knight", "a castle").samples
    scales = (0.5, 1.0, 1.5)
    made = tuple(replace(one, name=str(s), settings=SampleSettings(scale=s)) for s in scales)
    bench.declare(replace(model("kael", "kael"), samples=SamplesSpec(samples=made)))
    service = FakeScenario(bench.clock)
    lost = Fault(when, partial(AnswerLost, "lost"), name="generate", times=2)
    bench.apply(Wire(service, lost).api, ApplyOptions(parallelism=8))
    drawn = {str(one.request.settings.scale): one.job_id for one in recorded(bench)}
    assert drawn == {str(job.input["lorasScale"][0]): job.id for job in service.drawings.values()}  # type: ignore[index]
    assert len(service.drawings) == 3


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

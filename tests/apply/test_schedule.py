"""schedule.py: every plan ends, whatever its calls result in, and the calls in flight respect their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.apply.schedule import Schedule, StepStatus, likeness
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.samples import SampleRequest
from scenario_apply.model.steps import (
    AwaitSample,
    AwaitTraining,
    CreateModel,
    DrawSample,
    PictureRef,
    PlannedStep,
    SetTags,
    StartTraining,
    Step,
    UploadImage,
)

KINDS = ("create", "upload", "tag", "train", "wait", "sample", "sample-wait")
BYTES_AT_MOST = 1000
OUTCOMES = ("done", "failed", "unknown", "delay", "hold", "put back")


def address(number: int) -> Address:
    return parse_address(f"model.m{number}")


def step_of(kind: str, number: int, size: int = 100, name: str = "same") -> Step:
    """A step of a resource of its own; creates share their name and type, uploads share nothing."""
    match kind:
        case "create":
            return CreateModel(address=address(number), number=1, name=name, type="flux.1-lora")
        case "upload":
            path = f"{number}.png"
            picture = PictureRef(path=path, file=path, sha256="0" * 64, size_bytes=size, mime="image/png")
            return UploadImage(address=address(number), picture=picture, way="data")
        case "train":
            return StartTraining(address=address(number))
        case "wait":
            return AwaitTraining(address=address(number), type="flux.1-lora")
        case "sample":
            sample = SampleRequest(name="1", prompt=f"prompt {number}", seed=number % 3, base=ModelId("base"))
            return DrawSample(address=address(0), number=1, sample=sample)
        case "sample-wait":
            return AwaitSample(address=address(number), number=1, key="1:0", name="1")
        case _:
            return SetTags(address=address(number), add=("x",))


@st.composite
def plans(draw: st.DrawFn) -> list[PlannedStep]:
    """Up to twelve steps, each depending on some of those before it."""
    count = draw(st.integers(1, 12))
    steps = []
    for number in range(count):
        kind = draw(st.sampled_from(KINDS))
        after = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        size = draw(st.integers(1, 1500))
        planned = PlannedStep(
            id=f"s{number}", step=step_of(kind, number, size), after=tuple(f"s{n}" for n in sorted(after))
        )
        steps.append(planned)
    return steps


def check(schedule: Schedule, parallelism: int) -> None:
    """What must hold at every moment."""
    running = [i for i, status in schedule.status.items() if status is StepStatus.RUNNING]
    assert sorted(running) == sorted(schedule.running)
    assert len(running) <= parallelism
    waiting = [i for i, status in schedule.status.items() if status is StepStatus.WAITING]
    assert sorted(waiting) == sorted([*schedule.waiting.values(), *schedule.drawing])
    uploads = [c.step for c in schedule.running.values() if isinstance(c.step, UploadImage)]
    assert len(uploads) <= 1 or schedule.bytes_in_flight <= BYTES_AT_MOST
    alike = [likeness(c.planned) for c in schedule.running.values() if likeness(c.planned) is not None]
    assert len(alike) == len(set(alike))
    for step_id, status in schedule.status.items():
        needs = [schedule.status[need] for need in schedule.steps[step_id].after]
        if status not in (StepStatus.PENDING, StepStatus.SKIPPED):
            assert all(need is StepStatus.DONE for need in needs), "nothing starts before what it depends on is done"
        if status is StepStatus.SKIPPED:
            assert any(need in (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.SKIPPED) for need in needs)


@given(plan=plans(), parallelism=st.integers(1, 4), data=st.data())
def test_every_run_ends_within_its_bounds(plan: list[PlannedStep], parallelism: int, data: st.DataObject) -> None:
    """Calls succeed, fail, are put off, held or lost in any order: each step ends, or waits for a training to end."""
    schedule = Schedule(plan, parallelism=parallelism, in_flight_bytes=BYTES_AT_MOST)
    now, put_off = 0.0, 0
    while True:
        now += 1.0
        if schedule.held and not schedule.has_trainings():
            schedule.release_held()
        schedule.release_samples_if_idle()
        for _ in schedule.start(now):
            check(schedule, parallelism)
        check(schedule, parallelism)
        active = [*schedule.running, *schedule.waiting.values(), *schedule.drawing]
        if not active:
            if schedule.has_delayed or schedule.held or schedule.held_samples:
                continue
            break
        step_id = data.draw(st.sampled_from(sorted(active)))
        outcome = data.draw(st.sampled_from(OUTCOMES)) if put_off < 20 else "done"
        step = schedule.steps[step_id].step
        is_launch = isinstance(step, StartTraining | DrawSample)
        others = schedule.has_samples if isinstance(step, DrawSample) else schedule.has_trainings
        put_off += 1
        if outcome == "failed" or outcome == "unknown":
            before = list(schedule.status.values()).count(StepStatus.SKIPPED)
            skipped = schedule.failed(step_id, "no", is_unknown=outcome == "unknown")
            assert list(schedule.status.values()).count(StepStatus.SKIPPED) == before + skipped
        elif outcome == "delay" and is_launch:
            schedule.delay(step_id, now + 3)
        elif outcome == "hold" and is_launch and others(beside=step_id):
            schedule.hold(step_id)
        elif outcome == "put back" and step_id in schedule.running:
            schedule.put_back(step_id)
        else:
            is_training = step_id in schedule.waiting.values()
            schedule.done(step_id)
            if is_training:
                schedule.release_held()
            if isinstance(step, AwaitSample):
                schedule.release_samples(1)
        check(schedule, parallelism)
    ended = {StepStatus.DONE, StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.SKIPPED}
    assert set(schedule.status.values()) <= ended


def test_two_creates_of_one_name_are_never_in_flight_together() -> None:
    """After a lost response it would be unknown which of the two models belongs to which."""
    plan = [PlannedStep(id=f"s{n}", step=step_of("create", n)) for n in range(2)]
    schedule = Schedule(plan, parallelism=4)
    [first] = schedule.start(0)
    assert list(schedule.start(0)) == []
    schedule.done(first.planned.id)
    assert [call.planned.id for call in schedule.start(0)] == ["s1"]


def test_an_upload_larger_than_the_bound_is_sent_alone() -> None:
    plan = [PlannedStep(id=f"s{n}", step=step_of("upload", n, size)) for n, size in enumerate((900, 2000, 50))]
    schedule = Schedule(plan, parallelism=4, in_flight_bytes=BYTES_AT_MOST)
    assert [call.planned.id for call in schedule.start(0)] == ["s0", "s2"]
    schedule.done("s0")
    assert list(schedule.start(0)) == []
    schedule.done("s2")
    assert [call.planned.id for call in schedule.start(0)] == ["s1"]


def test_a_delayed_launch_starts_at_its_moment() -> None:
    schedule = Schedule([PlannedStep(id="s1", step=step_of("train", 1))], parallelism=1)
    assert len(list(schedule.start(0))) == 1
    schedule.delay("s1", 17.0)
    assert schedule.next_delay_ends_at == 17.0
    assert list(schedule.start(16.9)) == []
    assert len(list(schedule.start(17.0))) == 1
    assert not schedule.has_delayed


def test_a_call_that_is_not_asked_for_stays_ready() -> None:
    """A caller that stops in the middle leaves no step marked as running that was never started."""
    plan = [PlannedStep(id=f"s{n}", step=step_of("tag", n)) for n in range(3)]
    schedule = Schedule(plan, parallelism=3)
    for _ in schedule.start(0):
        break
    assert list(schedule.running) == ["s0"]
    assert [call.planned.id for call in schedule.start(0)] == ["s1", "s2"]


def test_trainings_are_waited_for_without_a_call() -> None:
    plan = [
        PlannedStep(id="s1", step=step_of("train", 1)),
        PlannedStep(id="s2", step=step_of("wait", 1), after=("s1",)),
    ]
    schedule = Schedule(plan, parallelism=1)
    list(schedule.start(0))
    assert schedule.begun_waiting() == []
    schedule.done("s1")
    assert [planned.id for planned in schedule.begun_waiting()] == ["s2"]
    assert schedule.begun_waiting() == []
    assert dict(schedule.waiting) == {address(1): "s2"}


def test_one_sample_above_the_ceiling_holds_all_and_each_that_ends_lets_one_go() -> None:
    """The others are not refused one by one."""
    plan = [PlannedStep(id=f"s{n}", step=step_of("sample", n)) for n in range(6)]
    schedule = Schedule(plan, parallelism=2)
    assert [call.planned.id for call in schedule.start(0)] == ["s0", "s1"]
    schedule.hold("s1")
    assert list(schedule.held_samples) == ["s1", "s2", "s3", "s4", "s5"]
    assert list(schedule.start(0)) == []
    schedule.done("s0")
    schedule.release_samples(1)
    assert [call.planned.id for call in schedule.start(0)] == ["s1"]
    schedule.done("s1")
    schedule.release_samples_if_idle()
    assert [call.planned.id for call in schedule.start(0)] == ["s2", "s3"], "nothing is left to wait for"


def test_samples_of_one_version_and_seed_are_launched_one_after_another() -> None:
    """After a lost response their jobs could be mistaken for one another."""
    plan = [PlannedStep(id=f"s{n}", step=step_of("sample", n)) for n in (0, 1, 3)]
    schedule = Schedule(plan, parallelism=4)
    assert [call.planned.id for call in schedule.start(0)] == ["s0", "s1"]
    schedule.done("s0")
    assert [call.planned.id for call in schedule.start(0)] == ["s3"]


@pytest.mark.parametrize("status", ["pending", "ready", "done"])
def test_a_step_that_is_not_in_flight_cannot_end(status: str) -> None:
    plan = [
        PlannedStep(id="s1", step=step_of("tag", 1)),
        PlannedStep(id="s2", step=step_of("tag", 2), after=("s1",)),
    ]
    schedule = Schedule(plan, parallelism=1)
    if status == "done":
        list(schedule.start(0))
        schedule.done("s1")
    with pytest.raises(ValueError, match=f"is {status}"):
        schedule.failed("s2" if status == "pending" else "s1", "no")

"""Which step of a plan may run now: a state machine with one status per step. Pure: no call, no clock, no thread.

The run loop asks what may start, and reports the results. Everything that keeps a step back is decided here: what
it depends on, how many requests may be in flight and how many bytes they may hold, requests whose results could be
mistaken for each other, a cooldown, and a limit of the account's plan.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from scenario_apply.model.address import Address
from scenario_apply.model.kept_text import SHORTEST_CUT_NAME, file_name_form, name_letters
from scenario_apply.model.steps import (
    AwaitSample,
    AwaitTraining,
    CallStep,
    CreateModel,
    DrawSample,
    PlannedStep,
    StartTraining,
    StepId,
    UploadImage,
)

IN_FLIGHT_BYTES = 48 * 1024 * 1024
"""Images in flight hold at most this many bytes, unless it is a single one."""


class StepStatus(StrEnum):
    """The status of a step. Each step has exactly one."""

    PENDING = "pending"  # something it depends on is not done
    READY = "ready"  # may start as soon as there is room
    RUNNING = "running"  # its call is in flight
    HELD = "held"  # a launch that waits until another training, or another sample, ends
    DELAYED = "delayed"  # a launch that waits for the end of a cooldown
    WAITING = "waiting"  # a training or a sample that is polled
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"  # its request may have been carried out, and no response said so
    SKIPPED = "skipped"  # something it depends on failed


class Call(Struct, frozen=True):
    """A step that may start now. step: the same step, as one that is carried out by a call."""

    planned: PlannedStep
    step: CallStep


class Schedule:
    """The status of every step of a plan, and the rules by which it changes. Used by one thread.

    parallelism: calls in flight at most. in_flight_bytes: what uploads in flight may hold, unless it is one alone.
    first: steps that start alone; the others are kept until begin_others().
    """

    def __init__(
        self,
        steps: Sequence[PlannedStep],
        *,
        parallelism: int,
        in_flight_bytes: int | None = None,
        first: Collection[StepId] = (),
        leaves_held: bool = False,
    ) -> None:
        self.steps: Mapping[StepId, PlannedStep] = {planned.id: planned for planned in steps}
        self.status: dict[StepId, StepStatus] = dict.fromkeys(self.steps, StepStatus.PENDING)
        self.reasons: dict[StepId, str] = {}  # of steps that failed, are unknown or were skipped
        self._parallelism = max(1, parallelism)
        self._in_flight_bytes = IN_FLIGHT_BYTES if in_flight_bytes is None else in_flight_bytes
        self._order = {planned.id: number for number, planned in enumerate(steps)}
        self._needs = {planned.id: set(planned.after) & self.steps.keys() for planned in steps}
        self._dependants: dict[StepId, list[StepId]] = {}
        for step_id, needs in self._needs.items():
            for need in needs:
                self._dependants.setdefault(need, []).append(step_id)
        self._ready: list[tuple[int, StepId]] = []  # a heap; an entry counts while its step is READY
        self._delayed: list[tuple[float, StepId]] = []  # a heap; an entry counts while its step is DELAYED
        self._running: dict[StepId, Call] = {}
        self._held: list[StepId] = []
        self._leaves_held = leaves_held  # to a later run
        self._first = frozenset(first)
        self._kept: list[StepId] = []  # ready, and not one of the first
        self._waiting: dict[Address, StepId] = {}
        self._drawing: dict[StepId, AwaitSample] = {}
        self._draws_are_held = False  # the account's plan allows no more samples at once than those that run
        self._begun: list[PlannedStep] = []  # what became WAITING and was not reported yet
        for step_id, needs in self._needs.items():
            if not needs:
                self._make_ready(step_id)

    # -- questions

    @property
    def running(self) -> Mapping[StepId, Call]:
        """The calls in flight."""
        return self._running

    @property
    def waiting(self) -> Mapping[Address, StepId]:
        """The trainings that are polled."""
        return self._waiting

    @property
    def drawing(self) -> Mapping[StepId, AwaitSample]:
        """The samples that are polled."""
        return self._drawing

    @property
    def held(self) -> Sequence[StepId]:
        """The launches that wait until another training ends."""
        return [step_id for step_id in self._held if not self._is_draw(step_id)]

    @property
    def held_samples(self) -> Sequence[StepId]:
        """The samples that wait until another one ends."""
        return [step_id for step_id in self._held if self._is_draw(step_id)]

    @property
    def has_ready(self) -> bool:
        return any(self.status[step_id] is StepStatus.READY for _, step_id in self._ready)

    @property
    def has_delayed(self) -> bool:
        return any(self.status[step_id] is StepStatus.DELAYED for _, step_id in self._delayed)

    @property
    def next_delay_ends_at(self) -> float | None:
        """When the first delayed launch may be tried again, in the clock's own seconds; None without any."""
        return min((at for at, step_id in self._delayed if self.status[step_id] is StepStatus.DELAYED), default=None)

    @property
    def bytes_in_flight(self) -> int:
        return sum(_size_of(call.step) for call in self._running.values())

    def has_trainings(self, *, beside: StepId | None = None) -> bool:
        """Whether a training of this run continues or is being launched: its end lets another one start.

        beside: a launch that does not count.
        """
        launches = (step_id for step_id, call in self._running.items() if isinstance(call.step, StartTraining))
        return bool(self._waiting) or any(step_id != beside for step_id in launches)

    def has_samples(self, *, beside: StepId | None = None) -> bool:
        """The same of samples."""
        launches = (step_id for step_id, call in self._running.items() if isinstance(call.step, DrawSample))
        return bool(self._drawing) or any(step_id != beside for step_id in launches)

    @property
    def is_first_over(self) -> bool:
        """Whether none of the first steps can start or end any more."""
        open_ones = (StepStatus.PENDING, StepStatus.READY, StepStatus.RUNNING)
        return not any(self.status[step_id] in open_ones for step_id in self._first)

    # -- what may start

    def begin_others(self) -> None:
        """From now on every step may start."""
        kept, self._kept, self._first = self._kept, [], frozenset()
        for step_id in kept:
            self._make_ready(step_id)

    def start(self, now: float) -> Iterator[Call]:
        """The calls that may start now, in the order of the plan. now: the clock's seconds.

        Each is running from the moment it is yielded; those that are not consumed stay ready.
        """
        while self._delayed and self._delayed[0][0] <= now:
            _, step_id = heapq.heappop(self._delayed)
            if self.status[step_id] is StepStatus.DELAYED:
                self._make_ready(step_id)
        kept_back: list[tuple[int, StepId]] = []
        try:
            while self._ready and len(self._running) < self._parallelism:
                entry = heapq.heappop(self._ready)
                planned = self.steps[entry[1]]
                if self.status[planned.id] is not StepStatus.READY:
                    continue
                step = planned.step
                assert not isinstance(step, AwaitTraining | AwaitSample)  # those are WAITING, never READY
                if self._is_kept_back(planned, step):
                    kept_back.append(entry)
                    continue
                call = Call(planned, step)
                self._running[planned.id] = call
                self.status[planned.id] = StepStatus.RUNNING
                yield call
        finally:
            for entry in kept_back:
                heapq.heappush(self._ready, entry)

    def _is_kept_back(self, planned: PlannedStep, step: CallStep) -> bool:
        """Whether what is in flight leaves no room for it, or could be mistaken for it."""
        size, held = _size_of(step), self.bytes_in_flight
        if size and held and held + size > self._in_flight_bytes:
            return True
        alike = likeness(planned)
        return alike is not None and any(likeness(call.planned) == alike for call in self._running.values())

    def begun_waiting(self) -> list[PlannedStep]:
        """The trainings and samples that are waited for since the last call."""
        begun, self._begun = self._begun, []
        return begun

    # -- results

    def done(self, step_id: StepId) -> None:
        """A call succeeded or a training ended well: what depended on it may start."""
        self._end(step_id, StepStatus.DONE)
        for dependant in self._dependants.get(step_id, ()):
            self._needs[dependant].discard(step_id)
            if not self._needs[dependant] and self.status[dependant] is StepStatus.PENDING:
                self._make_ready(dependant)

    def failed(self, step_id: StepId, reason: str, *, is_unknown: bool = False) -> int:
        """A step failed, or its result is unknown; returns how many steps are skipped because of it."""
        self._end(step_id, StepStatus.UNKNOWN if is_unknown else StepStatus.FAILED)
        self.reasons[step_id] = reason
        planned = self.steps[step_id]
        skipped = 0
        queue = list(self._dependants.get(step_id, ()))
        while queue:
            dependant = queue.pop()
            if self.status[dependant] is StepStatus.PENDING:
                self.status[dependant] = StepStatus.SKIPPED
                self.reasons[dependant] = f"{planned.address} {planned.kind} failed"
                skipped += 1
                queue += self._dependants.get(dependant, ())
        return skipped

    def unknown(self, step_id: StepId, reason: str) -> None:
        """A call was interrupted and may have been carried out. What depends on it stays pending: the run is ending."""
        self._end(step_id, StepStatus.UNKNOWN)
        self.reasons[step_id] = reason

    def put_back(self, step_id: StepId) -> None:
        """A call was interrupted before anything was sent: it may start again."""
        self._end(step_id, StepStatus.PENDING)
        self._make_ready(step_id)

    def delay(self, step_id: StepId, until: float) -> None:
        """A launch came too soon after another one: it may start again at that moment of the clock."""
        self._end(step_id, StepStatus.DELAYED)
        heapq.heappush(self._delayed, (until, step_id))

    def hold(self, step_id: StepId) -> None:
        """A launch that the account's plan does not allow beside the trainings, or samples, that run now.

        One sample stands for all: the others that could start are held, too, without being refused one by one.
        """
        self._end(step_id, StepStatus.HELD)
        self._hold(step_id)
        if not self._is_draw(step_id):
            return
        self._draws_are_held = True
        for _, ready_id in sorted(self._ready):
            if self._is_ready_draw(ready_id):
                self.status[ready_id] = StepStatus.HELD
                self._hold(ready_id)

    def hold_until(self, step_id: StepId, at: float) -> None:
        """A sample that others' jobs leave no room for: it alone is tried again at that moment of the clock."""
        self.hold(step_id)
        self.delay(step_id, at)

    def release_held(self) -> None:
        """A training ended, or none is left: launches that were held may be tried again."""
        for step_id in self.held:
            self._held.remove(step_id)
            self._make_ready(step_id)

    def release_samples(self, most: int | None = None) -> None:
        """So many samples ended, or none is left (None): as many that were held may be tried again, or all."""
        held = self.held_samples
        if most is None or most >= len(held):
            self._draws_are_held = False
        for step_id in held[:most]:
            self._held.remove(step_id)
            self._put_ready(step_id)

    def release_samples_if_idle(self) -> None:
        """All that were held may be tried again where none runs or is about to: nothing is left to wait for."""
        queued = (step_id for _, step_id in (*self._ready, *self._delayed))
        is_idle = not self.has_samples() and not any(self._is_about_to_draw(step_id) for step_id in queued)
        if is_idle and self.held_samples:
            self.release_samples()

    # -- inside

    def _make_ready(self, step_id: StepId) -> None:
        """All that it depends on is done. Waiting takes no call, so it begins at once."""
        planned = self.steps[step_id]
        match planned.step:
            case AwaitTraining():
                self._waiting[planned.address] = step_id
            case AwaitSample() as step:
                self._drawing[step_id] = step
            case DrawSample() if self._draws_are_held:
                self.status[step_id] = StepStatus.HELD
                self._hold(step_id)
                return
            case _:
                self._put_ready(step_id)
                return
        self.status[step_id] = StepStatus.WAITING
        self._begun.append(planned)

    def _put_ready(self, step_id: StepId) -> None:
        self.status[step_id] = StepStatus.READY
        if self._first and step_id not in self._first:
            self._kept.append(step_id)
            return
        heapq.heappush(self._ready, (self._order[step_id], step_id))

    def _hold(self, step_id: StepId) -> None:
        if not self._leaves_held:
            self._held.append(step_id)

    def _is_about_to_draw(self, step_id: StepId) -> bool:
        return self.status[step_id] in (StepStatus.READY, StepStatus.DELAYED) and self._is_draw(step_id)

    def _is_ready_draw(self, step_id: StepId) -> bool:
        return self.status[step_id] is StepStatus.READY and self._is_draw(step_id)

    def _is_draw(self, step_id: StepId) -> bool:
        return isinstance(self.steps[step_id].step, DrawSample)

    def _end(self, step_id: StepId, status: StepStatus) -> None:
        """It is no longer in flight, held or waited for. Raises ValueError for a step that is none of these."""
        if self.status[step_id] not in (StepStatus.RUNNING, StepStatus.WAITING, StepStatus.HELD):
            raise ValueError(f"step {step_id} is {self.status[step_id]}, so it cannot become {status}")
        self._running.pop(step_id, None)
        self._drawing.pop(step_id, None)
        if step_id in self._held:
            self._held.remove(step_id)
        address = self.steps[step_id].address
        if self._waiting.get(address) == step_id:
            del self._waiting[address]
        self.status[step_id] = status


def likeness(planned: PlannedStep) -> tuple[str, ...] | None:
    """By what the result of a call is recognised after its response was lost; None where it cannot be mistaken.

    Two calls of the same likeness must not be in flight at once: their results could not be distinguished. The service
    may keep a name in a form of its own, or cut it.
    """
    match planned.step:
        case CreateModel() as step:
            return "create", name_letters(step.name)[:SHORTEST_CUT_NAME], step.type
        case UploadImage() as step:
            # images added by data are assets as well
            size = "" if step.picture.recipe else str(step.picture.size_bytes)  # of an altered one it is not known yet
            return "upload", file_name_form(step.picture.path), size
        case DrawSample() as step:
            # the service may keep a prompt in a form of its own
            return "sample", str(step.address), str(step.number), str(step.sample.seed)
        case _:
            return None


def _size_of(step: CallStep) -> int:
    return max(step.picture.size_bytes, step.picture.most_bytes) if isinstance(step, UploadImage) else 0

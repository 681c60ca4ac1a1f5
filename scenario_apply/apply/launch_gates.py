"""Right before a training is paid for: compares its quote and its dataset score with the limits; samples as well."""

from __future__ import annotations

import contextlib
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.apply.call_context import CallContext
from scenario_apply.apply.events import Event, Noted
from scenario_apply.apply.run_snapshot import RefusedLaunches
from scenario_apply.errors import ApiError, Diagnostic, GateClosed, Interrupted, LaunchHeld, Refused, Unreachable
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.remote import DatasetScore, ModelId
from scenario_apply.model.steps import CallStep, StartTraining
from scenario_apply.model.training_types import training_type
from scenario_apply.state.outcome import Outcome

WARNINGS_SHOWN = 3
SCORE_READS = 20
SCORE_EVERY_S = 3.0
_ROUNDING = 1e-6
QUOTE_HOLDS_S = 600.0
"""A limit on cost relies on a quote for so long: a launch may wait for hours until another training ends."""


class _Score(Struct):
    """One dataset's score. lock: held while it is read, so that other launches wait for it instead of reading it again.

    score None once is_read: the service has none, and no limit depends on it.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_read: bool = False
    score: DatasetScore | None = None


class Launching:
    """Gates of one run, shared by all its launches. quoted: CU of the launches that were let through.

    refused: CU of those that were not, for their cost. lowest_score: of the datasets below limits.min_score.
    The score of a dataset is read once, however many models train on it. problems: as in Prepared.
    may_launch: trainings of this run, None for any number.
    """

    def __init__(
        self,
        limits: Limits,
        emit: Callable[[Event], None],
        problems: Mapping[Address, tuple[Diagnostic, ...]] | None = None,
        *,
        may_launch: int | None = None,
    ) -> None:
        self.limits = limits
        self.emit = emit
        self._problems = problems or {}
        self.quoted: dict[Address, float] = {}
        self.refused: dict[Address, float] = {}
        self._expected: dict[Address, tuple[float, float]] = {}
        self.lowest_score: float | None = None
        self._scores: dict[str, _Score] = {}
        self._lock = threading.Lock()
        self._may_launch = may_launch
        self._let_through: set[Address] = set()
        self._samples: dict[Address, float] = {}  # CU of those that were let through
        self._refused_samples: dict[Address, float] = {}

    def check(self, step: StartTraining, context: CallContext) -> None:
        """Raises GateClosed when the training would exceed a limit, LaunchHeld when as many were launched as this run
        may; nothing is paid then.

        Called again for a launch that the service postponed: its quote counts once.
        """
        self._hold(step)
        version = context.record(step.address).working
        if not training_type(version.type).is_composition:
            self._score(step, version.id, context)
        quote = self._known(step, context)
        if quote is None and self.limits.cost is not None:
            quote = self._quote(step, version.id, context)
        elif quote is None:
            with contextlib.suppress(ApiError):  # without a limit it is for the account only
                quote = context.api.quote_training(version.id, step.parameters, None)
        if quote is None:
            return
        with self._lock:
            if self.limits.cost is None:
                self.quoted[step.address] = quote
                return
            spent = sum(cu for address, cu in self.quoted.items() if address != step.address)
            spent += sum(self._samples.values())
            if spent + quote > self.limits.cost:
                self.refused[step.address] = quote
                raise GateClosed(
                    f"Scenario quotes {amount(quote)} CU for {step.address}; with {amount(spent)} CU of this run "
                    f"that is over the limit of {amount(self.limits.cost)}{self._remedy(self.limits.cost)}"
                )
            self.quoted[step.address] = quote
            self.refused.pop(step.address, None)

    @property
    def limits_cost(self) -> bool:
        """Whether any limit depends on the price of samples."""
        return self.limits.cost is not None or self.limits.samples_cost is not None

    def take_samples(self, address: Address, cu: float, count: int) -> None:
        """Let samples through that cost so much together. Raises GateClosed when that would exceed a limit."""
        with self._lock:
            drawn = sum(self._samples.values())
            spent = {"samples_cost": drawn, "cost": drawn + sum(self.quoted.values())}
            for name, limit in (("samples_cost", self.limits.samples_cost), ("cost", self.limits.cost)):
                if limit is None or spent[name] + cu <= limit + _ROUNDING:
                    continue
                self._refused_samples[address] = cu
                of_run = f"; with {amount(spent[name])} CU of this run that" if spent[name] else ", which"
                what = f"{count} sample{'s' if count > 1 else ''} of {address}"
                raise GateClosed(
                    f"Scenario quotes {amount(cu)} CU for {what}{of_run} "
                    f"is over the limit of {amount(limit)} ({name}), so none was drawn{self._remedy(limit, name)}"
                )
            self._samples[address] = self._samples.get(address, 0.0) + cu

    def give_back(self, address: Address, cu: float) -> None:
        """A sample that was let through is not drawn."""
        with self._lock:
            self._samples[address] = max(0.0, self._samples.get(address, 0.0) - cu)

    def _hold(self, step: StartTraining) -> None:
        """Raises LaunchHeld above the number of launches that this run may do."""
        with self._lock:
            if self._may_launch is not None and len(self._let_through - {step.address}) >= self._may_launch:
                raise LaunchHeld("as many trainings run as the fleet allows")
            self._let_through.add(step.address)

    def expect(self, quotes: Mapping[Address, float], at: float) -> None:
        """Use these quotes for the launches, so that nothing is asked twice. at: of the clock, when they came."""
        self._expected = {address: (cu, self._expected.get(address, (0.0, at))[1]) for address, cu in quotes.items()}

    def _known(self, step: StartTraining, context: CallContext) -> float | None:
        """The quote of that very training; None where there is none, or it is too old for a limit to rely on."""
        cu, at = self._expected.get(step.address, (None, 0.0))
        is_old = context.clock.now() - at > QUOTE_HOLDS_S
        return None if is_old and self.limits.cost is not None else cu

    def with_quote(self, step: CallStep, outcome: Outcome) -> Outcome:
        """The outcome of a launch with what it was quoted; any other one as it is."""
        return replace(outcome, quoted=self.quoted.get(step.address)) if isinstance(step, StartTraining) else outcome

    def refuse(self, costs: Mapping[Address, float]) -> None:
        """The run ends before its first upload because of these costs."""
        self.refused |= costs

    def _quote(self, step: StartTraining, model_id: ModelId, context: CallContext) -> float:
        """The price by dry run. Without one a limit on cost is closed: raises GateClosed."""
        try:
            return context.api.quote_training(model_id, step.parameters, None)
        except (Refused, Unreachable):
            raise  # what a launch would meet as well
        except ApiError as error:
            raise GateClosed(
                f"the price of {step.address} is unknown, and there is a limit on cost ({self.limits.cost:g}): {error}"
            ) from error

    def _remedy(self, limit: float, name: str = "cost") -> str:
        """The limit that allows every launch refused so far: the next run counts its cost from zero."""
        trainings = sum(self.refused.values()) if name == "cost" else 0.0
        needed = math.ceil(trainings + sum(self._refused_samples.values()))
        if needed <= limit:
            return " for one run: the next run may launch it"
        return f": raise it for a run with --limit {name}={needed}, or in the manifest's limits:"

    def refused_launches(self) -> RefusedLaunches:
        """The launches that the limits stopped so far."""
        with self._lock:
            return RefusedLaunches(
                limits=self.limits,
                over_cost=dict(self.refused),
                samples=dict(self._refused_samples),
                lowest_score=self.lowest_score,
            )

    def forget(self, step: StartTraining) -> None:
        """The launch was refused: nothing is spent on it."""
        with self._lock:
            self.quoted.pop(step.address, None)
            self._let_through.discard(step.address)

    def _score(self, step: StartTraining, model_id: ModelId, context: CallContext) -> None:
        with self._lock:
            of_dataset = self._scores.setdefault(step.dataset or "", _Score())
        with of_dataset.lock:
            if not of_dataset.is_read:
                of_dataset.score = self._read(step, model_id, context)
                of_dataset.is_read = True
        if of_dataset.score is not None:
            self._check_score(step, of_dataset.score)

    def _read(self, step: StartTraining, model_id: ModelId, context: CallContext) -> DatasetScore | None:
        """The score, emitted as a note; None where there is none and no limit needs one."""
        try:
            score = self._read_complete(model_id, context)
        except ApiError as error:
            if self.limits.min_score is not None:
                raise GateClosed(f"the dataset score of {step.address} cannot be read: {error}") from error
            return None  # advisory: a training does not need a score
        if score.status != "complete" and self.limits.min_score is None:
            return None  # not computed (yet)
        shown = "; ".join(_with_paths(warning, context, step) for warning in score.warnings[:WARNINGS_SHOWN])
        more = len(score.warnings) - WARNINGS_SHOWN
        text = (
            f"dataset score {score.score:.2f}" + (f": {shown}" if shown else "") + (f" (+{more})" if more > 0 else "")
        )
        own = self._problems.get(step.address)
        self.emit(Noted(text=text if own is None else f"{text}; own checks: {_tally(own)}", address=step.address))
        return score

    def _read_complete(self, model_id: ModelId, context: CallContext) -> DatasetScore:
        """The score as read; if a limit depends on it, waits until the service has computed it."""
        score = context.api.get_score(model_id)
        for _ in range(SCORE_READS if self.limits.min_score is not None else 0):
            if score.status == "complete":
                break
            if context.clock.wait(SCORE_EVERY_S, context.stop):
                raise Interrupted("interrupted while Scenario computes a dataset score")
            score = context.api.get_score(model_id)
        return score

    def _check_score(self, step: StartTraining, score: DatasetScore) -> None:
        if self.limits.min_score is None:
            return
        if score.status != "complete":
            raise GateClosed(f"Scenario has not computed the dataset score of {step.address} yet: apply again later")
        if score.score < self.limits.min_score:
            with self._lock:
                known = score.score if self.lowest_score is None else self.lowest_score
                self.lowest_score = min(known, score.score)
            raise GateClosed(
                f"Scenario scores the dataset of {step.address} {score.score:.2f}, below the limit of "
                f"{self.limits.min_score:g}: improve the dataset, or lower the limit for this run with "
                f"--limit min_score={rounded_down(score.score):g}, or in the manifest's limits:"
            )


def _tally(problems: Iterable[Diagnostic]) -> str:
    """What our own checks found in the dataset: the codes, the most frequent first. Notes are left out."""
    counts = Counter(problem.code for problem in problems if problem.severity != "info")
    shown = [code if count == 1 else f"{code} x {count}" for code, count in counts.most_common()]
    return ", ".join(shown) if shown else "nothing"


def rounded_down(score: float) -> float:
    """A score as a limit that it passes."""
    return math.floor(round(score * 100, 6)) / 100


def _with_paths(warning: str, context: CallContext, step: StartTraining) -> str:
    """A warning with the paths of images in place of the service's ids."""
    for image in context.record(step.address).working.images:
        warning = warning.replace(image.asset_id, image.path)
    return warning

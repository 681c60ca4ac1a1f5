"""Right before the samples of a version are paid for: their exact price, compared with limits and what was approved.

All samples of a version are judged together, so that a version is drawn as a whole or not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.apply.call_context import CallContext
from scenario_apply.apply.events import Noted
from scenario_apply.apply.launch_gates import QUOTE_HOLDS_S, Launching
from scenario_apply.apply.price_round import Approval
from scenario_apply.apply.sample_calls import generation_of
from scenario_apply.errors import ApiError, GateClosed, Refused, Unreachable
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount, total
from scenario_apply.model.remote import ModelId
from scenario_apply.model.samples import SampleSettings
from scenario_apply.model.steps import CallStep, DrawSample, PlannedStep
from scenario_apply.model.timestamps import from_iso
from scenario_apply.planning.approved_cost import approved_samples
from scenario_apply.planning.changes import Change
from scenario_apply.planning.plan import Plan
from scenario_apply.state.outcome import Outcome

_ROUNDING = 1e-6

VersionKey = tuple[Address, int]
PriceKey = tuple[VersionKey, ModelId, SampleSettings, bool]
"""What a price depends on: the version, the base, the settings but for the scale, and whether a picture is edited."""


class _Judged(Struct):
    """The samples of one version. lock: held while they are priced, so that the others wait for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_judged: bool = False
    closed: str | None = None  # why none of them is drawn


class SampleGates:
    """The gates of one run's samples. Any thread may ask."""

    def __init__(self, launching: Launching, plan: Plan, approval: Approval) -> None:
        self._launching = launching
        self._plan = plan
        self._approval = approval
        self._steps: dict[VersionKey, list[PlannedStep]] = {}
        for planned in plan.steps:
            if isinstance(planned.step, DrawSample):
                self._steps.setdefault(_version(planned.step), []).append(planned)
        self._judged: dict[VersionKey, _Judged] = {version: _Judged() for version in self._steps}
        self._prices: dict[PriceKey, float] = {}
        self._known = self._quoted_by_the_plan()

    def check(self, step: DrawSample, context: CallContext) -> None:
        """Raises GateClosed when the samples of its version would exceed a limit or what was approved.

        Nothing of them is paid then. Raises ApiError where the service refuses the dry run, as it would the launch.
        """
        version = _version(step)
        judged = self._judged[version]
        with judged.lock:
            if judged.closed is not None:
                raise GateClosed(judged.closed)
            if not judged.is_judged:
                try:
                    self._judge(step, context)
                except GateClosed as closed:
                    judged.closed = closed.message
                    raise
                judged.is_judged = True

    def with_quote(self, step: CallStep, outcome: Outcome) -> Outcome:
        """The outcome of a sample with what it was quoted; any other one as it is."""
        return replace(outcome, quoted=self._prices.get(_price_key(step))) if isinstance(step, DrawSample) else outcome

    def forget(self, step: DrawSample) -> None:
        """The launch failed: nothing is spent on it."""
        self._launching.give_back(step.address, self._prices.get(_price_key(step), 0.0))

    def _judge(self, step: DrawSample, context: CallContext) -> None:
        address, steps = step.address, self._steps[_version(step)]
        prices = [self._price(planned.step, step, context) for planned in steps if isinstance(planned.step, DrawSample)]
        known = [price for price in prices if price is not None]
        cu, count = total(known), len(prices)
        if len(known) < count and self._launching.limits_cost:
            raise GateClosed(f"the price of the samples of {address} is unknown, and there is a limit on cost")
        change = next((one for one in self._plan.changes if one.address == address), None)
        self._check_approved(address, cu if len(known) == count else None, change)
        self._launching.take_samples(address, cu, count)
        planned_cu = None if change is None else change.samples.cost.cu
        if known and (planned_cu is None or abs(planned_cu - cu) > _ROUNDING):
            before = "the plan did not know that" if planned_cu is None else f"the plan estimated {amount(planned_cu)}"
            text = f"Scenario quotes {amount(cu)} CU for {count} sample{'s' if count > 1 else ''}; {before}"
            self._launching.emit(Noted(text=text, address=address))

    def _check_approved(self, address: Address, cu: float | None, change: Change | None) -> None:
        """Against the saved plan, or the plan that a user approved at the terminal: a quote as it stands, else a
        quarter more. A price that the plan did not know was approved as such; one that it knew is not unknown.
        """
        plan = self._approval.plan
        if plan is not None:
            change = next((one for one in plan.changes if one.address == address), None)
        elif self._approval.ask is None:
            return
        if change is None or change.samples.cost.cu is None:
            return
        most = approved_samples(change)
        if cu is None:
            raise GateClosed(
                f"the price of the samples of {address} is unknown now, and {amount(most)} CU were approved: "
                "none was drawn; plan again and review the price"
            )
        if cu > most + _ROUNDING:
            raise GateClosed(
                f"Scenario quotes {amount(cu)} CU for the samples of {address}, and {amount(most)} CU were approved: "
                "none was drawn; plan again and review the price"
            )

    def _price(self, one: DrawSample, asking: DrawSample, context: CallContext) -> float | None:
        """CU of one sample; None where it cannot be asked for. asking: the sample whose picture is surely uploaded."""
        key = _price_key(one)
        if key in self._prices:
            return self._prices[key]
        known = self._known.get(one.address)
        if known is not None and context.clock.now() - known[1] <= QUOTE_HOLDS_S:
            self._prices[key] = known[0]
            return known[0]
        source = asking if _price_key(asking) == key else one
        if not _has_picture(source, context):
            return None
        try:
            price = context.api.quote_generation(source.sample.base, generation_of(source, context))
        except (Refused, Unreachable):
            raise  # what a launch would meet as well
        except ApiError:
            return None
        self._prices[key] = price.cu
        return price.cu

    def _quoted_by_the_plan(self) -> Mapping[Address, tuple[float, float]]:
        """CU of one sample and when it was quoted with its own model, of resources whose samples all cost that."""
        at = from_iso(self._plan.created_at) or 0.0
        return {
            change.address: (change.samples.each, at)
            for change in self._plan.changes
            if change.samples.each is not None
            and change.samples.cost.source == "quoted"
            and change.samples.cost.basis is None
        }


def _version(step: DrawSample) -> VersionKey:
    return step.address, step.number


def _price_key(step: DrawSample) -> PriceKey:
    settings = replace(step.sample.settings, scale=None)
    return _version(step), step.sample.base, settings, step.reference is not None


def _has_picture(step: DrawSample, context: CallContext) -> bool:
    """Whether the picture that it edits is an asset by now."""
    return step.reference is None or step.reference.id is not None or step.reference.step in context.assets

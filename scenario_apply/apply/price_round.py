"""The price of a run before its first upload: empty models are made first, then every training is quoted by dry run.

A model costs nothing until it is trained, and a model that exists can be priced exactly. Nothing is asked twice: what
the plan was quoted for the same training counts. A composition whose parts are not trained yet cannot be priced; it is
when it is launched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.apply.events import Priced, TrainingPrice
from scenario_apply.apply.prepare import Prepared
from scenario_apply.errors import ApiError, BadAnswer, Interrupted, Refused
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount, total
from scenario_apply.model.ports import ScenarioApi, WakeUp
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import CreateModel, StartTraining, StepId
from scenario_apply.planning.approved_cost import approved_by
from scenario_apply.planning.changes import Cost
from scenario_apply.planning.plan import Plan
from scenario_apply.state.spending import quote_terms
from scenario_apply.state.state import Quote, State

_ROUNDING = 1e-6


class Approval(Struct, frozen=True, kw_only=True):
    """What of the cost was approved beforehand.

    ask: asks the user when the price exceeds what the plan showed; None: it is not asked. plan: a saved plan, whose
    costs were approved as it shows them; None: whatever the limits allow was approved. only_price: the run ends once
    the price is known, whatever it is.
    """

    ask: Callable[[Priced, str], bool] | None = None
    plan: Plan | None = None
    only_price: bool = False


class PriceReply(Struct, frozen=True, kw_only=True):
    """What the service said of one training: CU, or the error."""

    address: Address
    cu: float | None = None
    error: ApiError | None = None


@dataclass(slots=True)
class PriceRound:
    """first: the steps that make empty models, before all others.

    quotes: of trainings exactly as they will be launched. declined: why the price ends the run.
    """

    prepared: Prepared
    quotes: dict[Address, float] = field(init=False)
    first: frozenset[StepId] = field(init=False)
    answers: tuple[PriceReply, ...] = ()
    is_asked: bool = False
    is_over: bool = False
    declined: str | None = None
    _trainings: dict[Address, StartTraining] = field(init=False)

    def __post_init__(self) -> None:
        plan = self.prepared.plan
        self._trainings = {p.address: p.step for p in plan.steps if isinstance(p.step, StartTraining)}
        creates = [p for p in plan.steps if isinstance(p.step, CreateModel) and p.address in self._trainings]
        alone: set[StepId] = set()
        for planned in creates:
            if alone.issuperset(planned.after):
                alone.add(planned.id)
        self.first = frozenset(alone)
        created = {planned.address for planned in creates}
        self.quotes = {a: cu for a, cu in self.prepared.quotes.items() if a not in created}
        self.is_over = self.is_asked = not self.first

    def questions(self, state: State) -> dict[Address, tuple[ModelId, StartTraining, int]]:
        """The trainings to ask about, now that their models exist: model, parameters, and images that it will have."""
        self.is_asked = True
        made = {planned.address for planned in self.prepared.plan.steps if planned.id in self.first}
        return {
            address: (state.records[address].working.id, self._trainings[address], self.prepared.images.get(address, 0))
            for address in sorted(made)
            if address in state.records and not state.records[address].working.images
        }

    def take(self, answers: tuple[PriceReply, ...]) -> bool:
        """The service has answered; whether anything was asked."""
        self.answers = answers
        self.quotes |= {answer.address: answer.cu for answer in answers if answer.cu is not None}
        self.is_over = True
        return bool(answers)

    def noted_in(self, state: State, at: str) -> State:
        """The state with the quotes, for the run that continues this one once images are attached. at: ISO 8601."""
        for answer in self.answers:
            record = state.records.get(answer.address)
            if answer.cu is None or record is None:
                continue
            version, images = record.working, self.prepared.images.get(answer.address, 0)
            terms = quote_terms(version.type, self._trainings[answer.address].parameters, images)
            quoted = replace(version, quote=Quote(cu=answer.cu, terms=terms, at=at))
            state = state.with_record(answer.address, record.with_working(quoted))
        return state

    @property
    def priced(self) -> Priced:
        """What every training of the run costs, as far as it is known now."""
        costs = {change.address: change.cost for change in self.prepared.plan.changes}
        prices = []
        for address in sorted(self._trainings):
            quoted, planned = self.quotes.get(address), costs.get(address, Cost())
            cost = planned if quoted is None else Cost(cu=quoted, source="quoted")
            error = next((str(a.error) for a in self.answers if a.address == address and a.error is not None), None)
            prices.append(TrainingPrice(address=address, cu=cost.cu, source=cost.source, reason=error))
        known = [price.cu for price in prices if price.cu is not None]
        return Priced(prices=tuple(prices), cu=total(known) if known else None, planned=self.prepared.plan.training_cu)

    def unpriced(self) -> PriceReply | None:
        """A training whose price could not be asked for; one that is refused is asked again at its launch."""
        return next((a for a in self.answers if a.error is not None and not isinstance(a.error, Refused)), None)

    def judged(self, approval: Approval) -> bool:
        """Whether a limit or a saved plan ends the run before its first upload; declined says why, if anything does.

        Asks the user where the price exceeds what the plan showed.
        """
        if approval.only_price:
            self.declined = "the price is known"
            return False
        more = self.over_approved(approval)
        self.declined = self.over_limit()
        if self.declined is None and more is not None and approval.ask is not None:
            self.declined = None if approval.ask(self.priced, more) else f"not approved: {more}"
            return False
        self.declined = self.declined or more
        return self.declined is not None

    def over_limit(self) -> str | None:
        """Why the limit on cost stops the run before its first upload; None: it does not."""
        limit, priced = self.prepared.limits.cost, self.priced
        if limit is None or not self.answers:
            return None
        unknown = self.unpriced()
        if unknown is not None:
            what = f"the price of {unknown.address} is unknown, and there is a limit on cost ({limit:g})"
            return f"{what}: {unknown.error}"
        samples = self.prepared.plan.samples_cu or 0.0
        if priced.cu is not None and priced.cu + samples > limit + _ROUNDING:
            needed = total((priced.cu, samples))
            told = f"{amount(needed)} CU" + (f" ({amount(samples)} of them for samples)" if samples else "")
            over = f"cost: {told} is over the limit of {amount(limit)}"
            return f"{over}; raise it for a run with --limit cost={ceil(needed)}, or in the manifest's limits:"
        return None

    def over_approved(self, approval: Approval) -> str | None:
        """By how much the price exceeds what was approved, in words; None: it does not, or anything was approved."""
        priced = self.priced
        if not self.answers or priced.cu is None:
            return None
        if approval.ask is not None:
            shown = self.prepared.plan.training_cu or 0.0
            if priced.cu <= shown + _ROUNDING:
                return None
            told = f"the plan showed {amount(shown)} CU"
            if self.prepared.plan.training_cu is None:
                told = "the plan did not know that"
            return f"it costs {amount(priced.cu)} CU; {told}"
        if approval.plan is None:
            return None
        approved = approved_by(approval.plan)
        now = total(price.cu for price in priced.prices if price.cu is not None and price.address in approved)
        most = total(approved.values())
        if now <= most + _ROUNDING:
            return None
        over = f"it costs {amount(now)} CU now, and the saved plan approves {amount(most)} CU"
        return f"{over}; approve it with --limit cost={ceil(priced.cu)}, or plan again and review the price"


def ask_prices(
    api: ScenarioApi, questions: Mapping[Address, tuple[ModelId, StartTraining, int]], stop: WakeUp
) -> tuple[PriceReply, ...]:
    """One dry run for each; once the service cannot be asked, or the run is to end, the others are not asked for."""
    answers: list[PriceReply] = []
    down: ApiError | None = None
    for address, (model_id, step, images) in questions.items():
        if stop.is_set():
            break
        if down is not None:
            answers.append(PriceReply(address=address, error=down))
            continue
        try:
            answers.append(
                PriceReply(address=address, cu=api.quote_training(model_id, step.parameters, images or None))
            )
        except Interrupted:
            break
        except ApiError as error:
            answers.append(PriceReply(address=address, error=error))
            down = None if isinstance(error, Refused | BadAnswer) else error
    return tuple(answers)

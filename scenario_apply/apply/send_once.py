"""Sends a request that creates or spends, and after a lost response reads the service before it sends it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from scenario_apply.apply.before_run import Earlier
from scenario_apply.apply.call_context import CallContext
from scenario_apply.apply.lost_answers import BytesSent, Sent, find_outcome
from scenario_apply.apply.sample_lookup import SampleUndecided
from scenario_apply.errors import AnswerLost, Interrupted, Refused
from scenario_apply.model.ports import Sending
from scenario_apply.model.steps import CreateModel, DrawSample, PlannedStep, Step
from scenario_apply.state.outcome import Outcome

LOOKUP_PAUSES_S = (0.0, 1.0, 2.0)
LOOKUP_PAUSES_AFTER_TIMEOUT_S = (0.0, 1.0, 2.0, 4.0)
LOOKUP_PAUSES_OF_SAMPLE_S = (*LOOKUP_PAUSES_AFTER_TIMEOUT_S, 8.0)
"""Pauses before each read after a lost response. After a timeout the service may still be working on the request, and
a list of jobs may show a new one late: drawing it again would be paid again."""

MOST_SENDS = 5

NO_DETAILS: Mapping[str, str] = MappingProxyType({})


def once(
    planned: PlannedStep,
    context: CallContext,
    call: Callable[[Sending], Outcome],
    *,
    earlier: Earlier | None = None,
    details: Mapping[str, str] = NO_DETAILS,
) -> Outcome:
    """Send the request; after a lost response adopt what it created, and send again only when it created nothing.

    details: what the journal keeps with the request.
    """
    sent_at = context.clock.now()

    def request() -> Sent:
        return Sent(
            step=planned,
            at=sent_at,
            owned=context.notes.created_ids,
            baseline=context.baseline,
            earlier=earlier,
            bytes_sent=BytesSent.from_details(details),
        )

    for attempt in range(1, MOST_SENDS + 1):
        sent_at = context.clock.now()

        def sending() -> None:
            nonlocal sent_at
            sent_at = context.clock.now()
            context.journal.sending(planned, sent_at, **details)

        try:
            outcome = call(sending)
        except AnswerLost as lost:
            context.notes.response_lost(planned.id, planned.address)
            sent = request()
            found = _lookup(sent, context, timed_out=lost.timed_out)
            if found is None:
                if attempt == MOST_SENDS:
                    raise
                if context.stop.is_set():
                    raise Interrupted("interrupted after a response was lost") from lost
                if isinstance(planned.step, CreateModel):
                    context.notes.remark(planned.address, _repeated_create(planned.step))
                continue
            outcome = found
        except Refused as refused:
            if not _is_in_success(refused):
                raise
            context.notes.response_lost(planned.id)
            found = find_outcome(context.api, context.state, request())
            if found is None:
                context.notes.response_found(planned.id)
                raise
            outcome = found
        context.notes.response_found(planned.id)
        return outcome
    raise AssertionError("unreachable")


def _is_in_success(refused: Refused) -> bool:
    """Whether the refusal came as a success, so that only the service shows whether the request was carried out."""
    return refused.status is not None and 200 <= refused.status < 300


def _repeated_create(step: CreateModel) -> str:
    return (
        f"the response to its create request was lost, and Scenario does not list a new model {step.name!r} of type "
        f"{step.type}: the request is sent again, so a second, empty model of that name may appear later; "
        "it costs nothing and can be deleted"
    )


def _searched_sample(step: DrawSample) -> str:
    return (
        f"the response to the launch of sample {step.sample.name} was lost: its job is looked for, for up to "
        f"{sum(LOOKUP_PAUSES_OF_SAMPLE_S):.0f} s, before it is launched again"
    )


def _lookup_pauses(step: Step, *, timed_out: bool) -> tuple[float, ...]:
    """A list may show a new object late; a model shows its images and trainings at once."""
    if isinstance(step, DrawSample):
        return LOOKUP_PAUSES_OF_SAMPLE_S
    return LOOKUP_PAUSES_AFTER_TIMEOUT_S if timed_out or isinstance(step, CreateModel) else LOOKUP_PAUSES_S


def _lookup(sent: Sent, context: CallContext, *, timed_out: bool) -> Outcome | None:
    step, undecided = sent.step.step, None
    if isinstance(step, DrawSample):
        context.notes.remark(step.address, _searched_sample(step))
    for delay in _lookup_pauses(step, timed_out=timed_out):
        if delay:
            context.clock.wait(delay, context.stop)
        if delay and context.stop.is_set():
            break  # the next run looks it up
        try:
            found = find_outcome(context.api, context.state, sent)
        except SampleUndecided as error:
            undecided = error
            continue
        if found is not None:
            return found
        undecided = None
    if undecided is not None:
        raise undecided
    return None

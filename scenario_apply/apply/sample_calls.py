"""Draws a sample: one generation on a base model, which is charged, with the trained model as LoRA or composition."""

from __future__ import annotations

from scenario_apply.apply.call_context import CallContext
from scenario_apply.apply.send_once import once
from scenario_apply.errors import ApplyError
from scenario_apply.model.ports import Sending
from scenario_apply.model.samples import Generation
from scenario_apply.model.steps import DrawSample, PlannedStep
from scenario_apply.model.timestamps import iso
from scenario_apply.model.training_types import training_type
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.sample_records import version_of
from scenario_apply.state.state import Version


def draw_sample(planned: PlannedStep, step: DrawSample, context: CallContext) -> Outcome:
    """Launch it; its pictures are waited for by another step. Raises ApiError, or ApplyError for an untrained model."""
    base, generation = step.sample.base, generation_of(step, context)

    def call(sending: Sending) -> Outcome:
        launch = context.api.generate(base, generation, sending=sending)
        return Outcome(
            at=iso(context.clock.now()),
            job_id=launch.job_id,
            cu=launch.cu_cost,
            discount=launch.discount,
            details=launch.details,
        )

    outcome = once(planned, context, call)
    if outcome.job_id is not None:
        context.notes.created(outcome.job_id)
    return outcome


def generation_of(step: DrawSample, context: CallContext) -> Generation:
    """What is sent for a sample. Raises ApplyError when the version that draws it is not trained, or is gone."""
    version = trained_version(step, context)
    is_composition = training_type(version.type).is_composition
    return Generation(
        prompt=step.sample.prompt,
        seed=step.sample.seed,
        lora=None if is_composition else version.id,
        composition=version.id if is_composition else None,
        settings=step.sample.settings,
        references=() if step.reference is None else (context.asset(step.reference),),
    )


def trained_version(step: DrawSample, context: CallContext) -> Version:
    """The version that a sample is drawn with. Raises ApplyError when it is not trained, or is gone."""
    version = version_of(context.state, step.address, step.number)
    if version is None or not version.is_usable:
        phase = "no longer recorded" if version is None else f"not trained ({version.phase})"
        raise ApplyError(f"version {step.number} of {step.address} is {phase}: no sample was drawn")
    return version

"""Reads what exists on the service, in as few requests as possible: the observed side of a plan."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from scenario_apply.apply.epoch_choice import with_epochs
from scenario_apply.apply.late_models import late_models
from scenario_apply.apply.paging import PageTokens
from scenario_apply.errors import ApiError, BadAnswer, Diagnostic, NotFound, Refused, StateForeign, WriteInPlan
from scenario_apply.manifest.spec import CompositionSpec
from scenario_apply.model.address import Address
from scenario_apply.model.limits import MODELS_PER_BULK_READ
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import JobId, ModelId, RemoteJob, RemoteModel
from scenario_apply.planning.attributes import declared_parameters
from scenario_apply.planning.changes import UnknownCost
from scenario_apply.planning.decision import ContentWork, Decision
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.ownership import is_foreign, reference_owners
from scenario_apply.planning.pair_diff import holds_pairs
from scenario_apply.planning.pricing import Quotes, images_priced, needs_quote, recorded_quote
from scenario_apply.state.state import State, Version

LONGEST_REASON = 1000
"""Characters of the service's message that are kept and shown: a job may return megabytes of a log."""


def refresh(api: ScenarioApi, clock: Clock, state: State, desired: Desired, *, project: str | None) -> Observed:
    """One refresh of every recorded model, and of what the manifest names by id or looks up by name.

    A model that was created a moment ago may need some seconds to be shown.
    project: what the manifest says; None: the one that the key implies. Raises StateForeign for a state that records
    models of another project.
    """
    ids = [
        version.id
        for record in state.records.values()
        for version in (record.current, record.pending)
        if version is not None
    ]
    recorded = frozenset(ids)
    ids += [ModelId(block.model_id) for block in desired.imports if block.target not in state.records]
    models = read_models(api, ids, images=True, may_be_hidden=[i for i in ids if i not in recorded])
    models = _with_doubtful_read_again(api, state, models)
    models |= late_models(api, clock, state, models)
    models = with_epochs(api, state, desired, models)
    concepts = [c for s in desired.specs.values() if isinstance(s, CompositionSpec) for c in s.concepts]
    named = [ModelId(c.model_id) for c in concepts if c.model_id is not None]
    parts = read_models(api, named, images=False, may_be_hidden=named)
    own = own_models(api) if any(c.find for c in concepts) or len(recorded) < len(set(ids)) else None
    known = own if own is not None else [model for model_id, model in models.items() if model_id in recorded]
    owners = reference_owners(project, known)
    _refuse_foreign_records(state, models, owners)
    observed = Observed(
        models=models,
        asked=frozenset(ids),
        refreshed=True,
        own=own,
        owners=owners,
        parts=parts,
        named=frozenset(named),
    )
    failed = _failures(api, state, models)
    observed = replace(
        observed,
        failures={job_id: failure.reason for job_id, failure in failed.items()},
        charges={job_id: failure.charged for job_id, failure in failed.items()},
    )
    if not ids and not named and own is None:
        # nothing to refresh: one request anyway, so that a wrong key or address shows here and not during uploads
        observed = replace(observed, listed=api.list_models().models)
    return observed


def _with_doubtful_read_again(
    api: ScenarioApi, state: State, models: Mapping[ModelId, RemoteModel]
) -> dict[ModelId, RemoteModel]:
    """The models, those read by themselves that were shown with less than is recorded: it might be paid for again.

    Fifty in one answer may show the first images only, or come from a copy that lags.
    """
    found = dict(models)
    for record in state.records.values():
        for version in (record.current, record.pending):
            remote = None if version is None else models.get(version.id)
            if version is None or remote is None or not _shows_less(remote, version):
                continue
            try:
                found[version.id] = api.get_model(version.id)
            except NotFound:
                del found[version.id]
    return found


def _shows_less(remote: RemoteModel, version: Version) -> bool:
    if version.is_usable and remote.status == "new":
        return True
    shown = {image.id for image in remote.images or ()}
    if remote.images is not None and any(image.asset_id not in shown for image in version.images):
        return True
    return not holds_pairs(version, remote)


def _refuse_foreign_records(state: State, models: Mapping[ModelId, RemoteModel], owners: frozenset[str]) -> None:
    """A state is part of a repository that may not be trusted: its ids must not show models of another project."""
    for address, record in state.records.items():
        for version in record.versions():
            remote = models.get(version.id)
            if remote is not None and is_foreign(remote, owners):
                raise StateForeign(
                    f"the state records {version.id} as {address}, but that model belongs to another project",
                    hint=f"state rm {address} removes it from the state; state history shows when it was recorded",
                )


def read_models(
    api: ScenarioApi, ids: Iterable[ModelId], *, images: bool, may_be_hidden: Collection[ModelId] = ()
) -> dict[ModelId, RemoteModel]:
    """Models by id, fifty a request, without deleted ones.

    A model that an answer leaves out, or gives without its status, is read by itself: only a 404 says that it is gone.
    So are all where the service refuses the whole request, perhaps for one of them.
    may_be_hidden: those that are left out, too, when the service refuses to show them (403); for others it is an error.
    """
    unique = list(dict.fromkeys(ids))
    found: dict[ModelId, RemoteModel] = {}
    for start in range(0, len(unique), MODELS_PER_BULK_READ):
        try:
            found.update(api.get_models(unique[start : start + MODELS_PER_BULK_READ], images=images))
        except Refused as refused:
            if refused.status not in (400, 404):
                raise
    for model_id in unique:
        model = found.get(model_id)
        if (
            model is not None
            and model.status is not None
            and not (images and model.images is None and model.image_count)
        ):
            continue
        try:
            found[model_id] = api.get_model(model_id)
        except Refused as refused:
            is_hidden = refused.status == 403 and model_id in may_be_hidden
            if not (is_hidden or isinstance(refused, NotFound)):
                raise
            found.pop(model_id, None)
    return found


def own_models(api: ScenarioApi) -> tuple[RemoteModel, ...]:
    """Every own model of the project, newest first. Raises BadAnswer for a list without an end."""
    models: dict[ModelId, RemoteModel] = {}  # one that moved to the next page meanwhile is listed twice
    tokens, token = PageTokens("list the project's models"), None
    while True:
        page = api.list_models(token=token)
        models.update((model.id, model) for model in page.models)
        token = tokens.following(page.next_token)
        if token is None:
            return tuple(models.values())


class Failure(NamedTuple):
    """Why a training failed, and the CU that stay charged: 0 when it is refunded, None for all of it."""

    reason: str
    charged: float | None = 0.0


def _failures(api: ScenarioApi, state: State, models: Mapping[ModelId, RemoteModel]) -> dict[JobId, Failure]:
    """The trainings that are newly known to have failed: one read of a job each."""
    failed: dict[JobId, Failure] = {}
    for record in state.records.values():
        version = record.working
        remote = models.get(version.id)
        if remote is None or remote.status != "failed" or version.phase == "failed":
            continue
        job_id = remote.job_id or version.job_id
        if job_id is not None:
            failed[job_id] = failure_of(api, job_id)
    return failed


def failure_reason(api: ScenarioApi, job_id: JobId) -> str:
    """The service's own message for a failed training, or a general sentence: also when its job cannot be read."""
    return failure_of(api, job_id).reason


def failure_of(api: ScenarioApi, job_id: JobId) -> Failure:
    """As the job says; a failed training is refunded unless it says otherwise. Source: the API contract, section 5."""
    reason, charged = "training failed; Scenario gives no reason", charged_of_failed(None)
    with contextlib.suppress(ApiError):
        job = api.get_job(job_id)
        charged = charged_of_failed(job)
        if reasons := [bounded(text, LONGEST_REASON) for text in (job.error, job.hint) if text]:
            reason = "training failed: " + "; ".join(reasons)
    return Failure(reason, charged)


def charged_of_failed(job: RemoteJob | None) -> float | None:
    """The CU that stay charged for a failed job: 0 when it is refunded, None for all that the launch was charged."""
    return 0.0 if job is None or job.is_refunded else job.cu_cost


def bounded(text: str, most: int) -> str:
    """The text, or its beginning and how much was left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def quotes(
    api: ScenarioApi | None, decisions: Mapping[Address, Decision], observed: Observed
) -> tuple[Quotes, tuple[Diagnostic, ...]]:
    """What the trainings would cost, by dry run, where the resource has a model to ask about. A refusal is no quote.

    A price that cannot be asked for is no reason not to plan: it is a warning, and the others are not asked for either
    where the service fails or is silent. api None: nothing is asked.
    """
    if api is None:
        return Quotes(why=dict.fromkeys(decisions, "not-asked")), ()
    found: dict[Address, float] = {}
    why: dict[Address, UnknownCost] = {}
    problems: dict[Address, ApiError] = {}
    is_down = False
    for decision in decisions.values():
        if not isinstance(decision, ContentWork) or not needs_quote(decision) or decision.record is None:
            continue
        address, known = decision.address, recorded_quote(decision)
        if known is not None:
            found[address] = known
            continue
        if is_down:
            why[address] = "failed"
            continue
        if _lacks_a_part(decision.record.working.id, observed):
            why[address] = "refused"
            continue
        parameters = dict(declared_parameters(decision.declared))
        images = images_priced(decision.contents) or None
        try:
            found[address] = api.quote_training(decision.record.working.id, parameters, images)
        except Refused:
            why[address] = "refused"
        except WriteInPlan:
            raise
        except ApiError as error:
            why[address], problems[address] = "failed", error
            is_down = not isinstance(error, BadAnswer)
    return Quotes(cu=found, why=why), tuple(_not_quoted(address, error) for address, error in problems.items())


def _lacks_a_part(composition: ModelId, observed: Observed) -> bool:
    """Whether a composition names a model that was deleted: its dry run would be refused."""
    remote = observed.models.get(composition)
    return remote is not None and any(observed.is_gone(concept.model_id) for concept in remote.concepts or ())


def _not_quoted(address: Address, error: ApiError) -> Diagnostic:
    return Diagnostic(
        code="price-unknown",
        message=f"{address}: the cost of its training is not quoted: {error}",
        hint="the plan shows an estimate where the state has one; a limit on cost stops a launch without a price",
        severity="warning",
    )

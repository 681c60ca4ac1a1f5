"""The page of report, and what other pages share with it: everything that is known of a manifest, as sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.apply.prepare import make_plan
from scenario_apply.cli.invocation import masked
from scenario_apply.cli.plan_request import plan_options
from scenario_apply.cli.resource_status import not_created, recorded_statuses, refreshed_statuses
from scenario_apply.cli.wiring import all_problems, open_world
from scenario_apply.dataset.dataset_statistics import dataset_statistics
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ApiError, Diagnostic, ManifestError
from scenario_apply.model.remote import ModelId
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.resource_graph import resource_graph
from scenario_apply.planning.selection import select
from scenario_apply.review.html.cost_section import cost_section
from scenario_apply.review.html.graph_section import graph_section
from scenario_apply.review.html.history_section import ModelSamples, history_section
from scenario_apply.review.html.page import Section, page_text
from scenario_apply.review.html.statistics_section import statistics_section
from scenario_apply.review.html.status_section import status_section
from scenario_apply.review.status_text import ResourceStatus
from scenario_apply.state.state import State
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings


class ReportPage(NamedTuple):
    """problems: what could not be asked or planned, to be shown beside the page."""

    text: str
    problems: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a manifest. plan None: there is none, because of problems. samples None: not asked for.

    missing: what the page lacks and why, in sentences. is_asked: whether Scenario answered.
    """

    state: State
    statuses: tuple[ResourceStatus, ...]
    plan: Plan | None = None
    problems: tuple[Diagnostic, ...] = ()
    samples: Mapping[ModelId, ModelSamples] | None = None
    missing: tuple[str, ...] = ()
    is_asked: bool = False


def report_page(call: Invocation, request: PlanRequest) -> ReportPage:
    """Everything, from Scenario where it can be asked. Raises StateError and UsageError."""
    known = _known(call, request)
    sections = [*_plan_sections(known), *_sections(known, request)]
    page = page_text(
        f"Report: {request.manifest.path}", sections, made=f"Made {_now()} by scenario-apply {VERSION}."
    )
    secrets = (*call.settings.secrets, *(secret.reveal() for secret in request.place.secrets))
    return ReportPage(masked(page, secrets), known.problems)

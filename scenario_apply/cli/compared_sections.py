"""Samples side by side on the pages of report, status, plan and apply: one table for each resource, or sweep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.cli.compared_pictures import compared_album, pictures_of
from scenario_apply.cli.comparing import sources_of
from scenario_apply.model.address import Address
from scenario_apply.model.steps import DrawSample
from scenario_apply.review.comparison import compared
from scenario_apply.review.comparison_view import Comparison, Planned, SampleSources
from scenario_apply.review.drawing_weights import Weights, in_use, weights_of
from scenario_apply.review.html.comparison_section import comparison_section
from scenario_apply.state.state import Record, State

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan
    from scenario_apply.review.html.album import Album
    from scenario_apply.review.html.page import Section

MOST_COLUMNS = 48
"""Of a table on a page; the newest ones."""
_NEXT = "after the next apply"


class ComparedSamples(NamedTuple):
    """Tables of samples, and their pictures by asset."""

    views: tuple[Comparison, ...] = ()
    album: Album = MappingProxyType({})
    left_out: int = 0

    def section(self, selected: Iterable[Address] | None = None) -> Section | None:
        """None where there are no samples. selected: of which resources; None: all."""
        chosen = None if selected is None else frozenset(selected)
        views = [one for one in self.views if chosen is None or any(head.address in chosen for head in one.columns)]
        note = f"Columns beyond the newest {MOST_COLUMNS} of a table are left out." if self.left_out else ""
        return comparison_section(views, self.album, note=note) if views else None


def compared_samples(
    state: State,
    root: str,
    settings: Settings,
    *,
    request: PlanRequest | None = None,
    plan: Plan | None = None,
    world: Environment | None = None,
    only_planned: bool = False,
    others: int = 0,
) -> ComparedSamples:
    """The samples that the state records. world: downloads what is missing. others: other pictures of the page.

    plan: what it draws is a column of its own. only_planned: only what the plan draws again, beside what is in use.
    """
    planned = {} if plan is None else planned_samples(plan)
    if only_planned and plan is not None:
        views = [*drawn_again(state, request, plan).values()]
        return ComparedSamples(tuple(views), compared_album(pictures_of(views), root, world, settings, others=others))
    sources = _sources(state, request)
    views, left_out = [], 0
    for title, addresses in _groups(state, planned).items():
        weights = [w for a in addresses if a in state.records for w in _drawn_or_used(a, state.records[a])]
        left_out += max(0, len(weights) - MOST_COLUMNS)
        later = {address: planned[address] for address in addresses if address in planned}
        views.append(compared(title, weights[-MOST_COLUMNS:], sources, _titled(later, addresses)))
    album = compared_album(pictures_of(views), root, world, settings, others=others)
    return ComparedSamples(tuple(views), album, left_out)


def drawn_again(state: State, request: PlanRequest | None, plan: Plan) -> dict[Address, Comparison]:
    """Of each resource that has samples and whose samples a plan draws: those in use beside those to come."""
    sources = _sources(state, request)
    found: dict[Address, Comparison] = {}
    for address, one in planned_samples(plan).items():
        record = state.records.get(address)
        if record is not None and (drew := [w for w in weights_of(address, record) if _drew(w, record)]):
            found[address] = compared(str(address), drew[-1:], sources, {address: one})
    return found


def _sources(state: State, request: PlanRequest | None) -> SampleSources:
    if request is None:
        return sources_of(state, None, ())
    return sources_of(state, request.manifest, request.datasets.values())


def planned_samples(plan: Plan) -> dict[Address, Planned]:
    """What a plan draws, by resource."""
    found: dict[Address, Planned] = {}
    for planned in plan.steps:
        if isinstance(planned.step, DrawSample):
            before = found.get(planned.step.address, Planned((), _NEXT))
            found[planned.step.address] = before._replace(requests=(*before.requests, planned.step.sample))
    return found


def _groups(state: State, planned: Iterable[Address]) -> dict[str, list[Address]]:
    """Addresses with samples, or that will have some, by the title of their table: children of a sweep share one."""
    drew = [address for address, record in state.records.items() if any(v.samples for v in record.versions())]
    found: dict[str, list[Address]] = {}
    for address in sorted({*drew, *planned}):
        found.setdefault(f"{address.kind}.{address.name}{'/*' if address.label else ''}", []).append(address)
    return found


def _drawn_or_used(address: Address, record: Record) -> list[Weights]:
    """Those that drew samples, and those in use."""
    now = in_use(address, record.current)
    return [w for w in weights_of(address, record) if w == now or _drew(w, record)]


def _drew(weights: Weights, record: Record) -> bool:
    version = next(v for v in record.versions() if v.number == weights.number)
    return any((s.training, s.epoch) == (weights.training, weights.epoch) for s in version.samples)


def _titled(planned: Mapping[Address, Planned], addresses: Sequence[Address]) -> Mapping[Address, Planned]:
    if len(addresses) == 1:
        return planned
    return {address: one._replace(title=f"{address.label}, {_NEXT}") for address, one in planned.items()}

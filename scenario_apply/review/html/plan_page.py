"""A plan as a page: what changes, what it costs, what stops it, and the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.model.lint_rules import RULES
from scenario_apply.review.change_view import ChangeView
from scenario_apply.review.html.album import Album
from scenario_apply.review.html.figures import Facts, Sheet, digests_of, sheets_of
from scenario_apply.review.html.page import Section, page_text
from scenario_apply.review.plan_view import PlanTotals, PlanView
from scenario_apply.review.plan_words import (
    content_counts,
    drift_sentence,
    nothing_text,
    price_and_requests,
    subject_text,
    title_address,
    twin_text,
    unknown_cost_text,
)
from scenario_apply.review.screen import duration
from scenario_apply.review.values import about, cost_text

MANY = 40
"""More changes than this are folded, each to its title, unless something stops the plan."""
_STATUS = {
    "errored": "This plan could not be made",
    "stale": "This plan no longer fits what it was made from",
    "blocked": "This plan cannot be applied",
    "partial": "Applying this plan leaves something undone",
    "applyable": "Ready to apply",
    "nothing": "No changes",
}


class Tile(NamedTuple):
    """A figure of the summary. note: in small print below it."""

    label: str
    value: str
    note: str = ""


class Price(NamedTuple):
    """A row of the table of costs. shown: 'about 86 CU'. source: where the number is from."""

    address: Address
    anchor: str
    shown: str
    source: str
    requests: int


class Card(Struct, frozen=True, kw_only=True):
    """A change with its figures. anchor: id of its element."""

    change: ChangeView
    anchor: str
    sheets: tuple[Sheet, ...]

    @property
    def title(self) -> str:
        return title_address(self.change)

    @property
    def price(self) -> str:
        """'230 CU quoted, 6 requests'."""
        return ", ".join(price_and_requests(self.change))

    @property
    def contents(self) -> str:
        """'pictures: 3 added; captions: 2 changed': what is seen once it is unfolded."""
        return "; ".join(content_counts(self.change))

    @property
    def twin(self) -> str:
        return twin_text(self.change)

    @property
    def codes(self) -> str:
        """Of the findings of its pictures and its dataset, each once, with a blank between."""
        found = [finding.code for finding in self.change.beside.findings]
        found += [code for sheet in self.sheets for figure in sheet.figures for code in figure.codes.split()]
        return " ".join(sorted(set(found)))


class FindingGroup(NamedTuple):
    """The findings of one code. name: of a lint rule, or ""."""

    code: str
    name: str
    findings: tuple[Diagnostic, ...]


class PlanPage(Struct, frozen=True, kw_only=True):
    """What the templates of a plan draw."""

    plan: PlanView
    cards: tuple[Card, ...]
    album: Album

    @property
    def headline(self) -> str:
        kind = self.plan.status.kind
        if self.plan.mode == "drift" and kind != "errored":
            return "Changed outside of scenario-apply" if self.plan.drift else "No drift"
        return "Ready to destroy" if self.plan.mode == "destroy" and kind == "applyable" else _STATUS[kind]

    @property
    def explanation(self) -> str:
        """Of a plan that changes nothing, why; of a drift check, its result."""
        if self.plan.mode == "drift":
            return drift_sentence(self.plan)
        return nothing_text(self.plan) if self.plan.status.kind == "nothing" else ""

    @property
    def is_folded(self) -> bool:
        return len(self.cards) > MANY and not self.plan.status.is_whole

    @property
    def counts(self) -> Mapping[str, int]:
        """Actions that some resource has; "none" last."""
        found = {action: count for action, count in self.plan.counts.items() if count and action != "none"}
        return found | ({"unchanged": self.plan.unchanged} if self.plan.unchanged else {})

    @property
    def tiles(self) -> tuple[Tile, ...]:
        return tuple(_tiles(self.plan))

    @property
    def prices(self) -> tuple[Price, ...]:
        """Of every change that costs something or sends requests."""
        return tuple(
            Price(
                card.change.address,
                card.anchor,
                cost_text(card.change.cost).removesuffix(" quoted") or "free",
                card.change.cost_basis or _SOURCES[card.change.cost.source],
                card.change.requests,
            )
            for card in self.cards
            if card.change.requests or card.change.cost.source != "none"
        )

    @property
    def groups(self) -> tuple[FindingGroup, ...]:
        """All findings by code, in the order in which the codes come first."""
        names = {rule.code: rule.name for rule in RULES}
        by_code: dict[str, list[Diagnostic]] = {}
        for finding in self.plan.diagnostics:
            by_code.setdefault(finding.code, []).append(finding)
        return tuple(FindingGroup(code, names.get(code, ""), tuple(found)) for code, found in by_code.items())

    @property
    def codes(self) -> tuple[str, ...]:
        """What pictures and changes can be filtered by."""
        return tuple(sorted({code for card in self.cards for code in card.codes.split()}))


_SOURCES = {
    "none": "nothing is trained",
    "quoted": "quoted by Scenario",
}


def cards_of(plan: PlanView, facts: Mapping[Address, Facts]) -> tuple[Card, ...]:
    """The changes with their figures. facts: of the dataset of each resource."""
    return tuple(
        Card(
            change=change,
            anchor=f"c{number}",
            sheets=sheets_of(change, facts.get(change.address, {}), number),
        )
        for number, change in enumerate(plan.changes, 1)
    )


def shown_digests(cards: Sequence[Card]) -> list[str]:
    """The digests of the pictures that a page shows, as often as it does, in its order."""
    return [digest for card in cards for digest in digests_of(card.sheets)]


def plan_sections(page: PlanPage) -> list[Section]:
    """The sections of a plan, in their order; those with nothing in them are left out."""
    plan = page.plan
    found = [Section("summary", "Summary", "plan_summary.html.jinja", page)]
    if page.cards:
        found.append(Section("changes", "Changes", "plan_changes.html.jinja", page, f"{len(page.cards):,}"))
    if plan.drift:
        differences = sum(len(one.differences) for one in plan.drift)
        found.append(Section("drift", "Changed outside", "plan_drift.html.jinja", page, f"{differences:,}"))
    if page.prices:
        found.append(Section("cost", "Cost and requests", "plan_cost.html.jinja", page))
    if plan.diagnostics:
        found.append(Section("findings", "Findings", "plan_findings.html.jinja", page, f"{len(plan.diagnostics):,}"))
    if plan.kept:
        found.append(Section("unchanged", "Stays as it is", "plan_kept.html.jinja", page, f"{len(plan.kept):,}"))
    return found


def plan_page(page: PlanPage, *, more: Sequence[Section] = (), refresh_s: int | None = None) -> str:
    """The page of a plan. more: sections below those of the plan. refresh_s: as in page_text."""
    plan = page.plan
    return page_text(
        f"{plan.title} for {plan.manifest}",
        [*plan_sections(page), *more],
        about=subject_text(plan),
        made=f"Made {plan.created_at} by scenario-apply {plan.tool_version}.",
        refresh_s=refresh_s,
    )


def _tiles(plan: PlanView) -> Iterator[Tile]:
    totals = plan.totals
    yield Tile("cost", *(("0 CU", "no charge") if plan.mode == "destroy" else _cost(totals)))
    if totals.trainings:
        time = f"about {duration(totals.training_seconds)}" if totals.training_seconds is not None else ""
        yield Tile("trainings", f"{totals.trainings:,}", time)
    if totals.samples:
        known = totals.samples_cu
        yield Tile("samples", f"{totals.samples:,}", "cost unknown" if known is None else f"{amount(known)} CU")
    notes = []
    if totals.seconds_at_limit:
        notes.append(f"at least {duration(totals.seconds_at_limit)} at {totals.rate_limit:,}/min")
    if totals.polls:
        notes.append(f"polls: about {totals.polls:,}")
    yield Tile("requests", f"{totals.requests:,}", "; ".join(notes))
    shown = [change for change in plan.changes if change.twin is None]
    for kind in ("added", "replaced", "removed"):
        if number := sum(picture.kind == kind for change in shown for picture in change.pictures):
            yield Tile(f"pictures {kind}", f"{number:,}")
    if captions := sum(len(change.captions) for change in shown):
        yield Tile("captions changed", f"{captions:,}")


def _cost(totals: PlanTotals) -> tuple[str, str]:
    if not totals.trainings and not totals.samples:
        return "0 CU", "nothing is trained"
    unknown = unknown_cost_text(totals)
    if totals.cu is None:
        return "unknown", "; ".join([*totals.unknown_why, "checked against the limits before the first upload"])
    if totals.estimated:
        note = f"{'partly ' if totals.quoted else ''}estimated {' and '.join(totals.estimated_how)}"
        return about(totals.cu), "; ".join(filter(None, (note, unknown)))
    return f"{amount(totals.cu)} CU", unknown or "quoted by Scenario"

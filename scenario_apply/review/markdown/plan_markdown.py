"""A plan as Markdown for a comment: the summary above the fold, then a block for each resource, within a length.

Where it does not fit, pictures become links, long lists are shortened to their first rows, blocks become a line each,
and lines are counted; nothing is cut in the middle. A plan that is stopped, stale or partial says why first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TypeVar

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.planning.changes import Action
from scenario_apply.review.change_view import ChangeView
from scenario_apply.review.diagnostics_text import problem_text, tally
from scenario_apply.review.drift_text import drift_text
from scenario_apply.review.markdown.fitting import Lines, Part, fitted, length_of
from scenario_apply.review.markdown.inline import code, fence, table, words
from scenario_apply.review.markdown.picture_links import Flavour, PictureLinks
from scenario_apply.review.markdown.resource_block import BlockStyle, block_levels, phrase
from scenario_apply.review.plan_view import PlanView
from scenario_apply.review.plan_words import (
    counts_text,
    drift_sentence,
    nothing_text,
    price_text,
    requests_text,
    title_address,
)
from scenario_apply.review.screen import Screen, counted, duration, fit, safe
from scenario_apply.review.values import cost_text

LONGEST: dict[Flavour, int] = {"github": 65_536, "gitlab": 1_000_000, "bitbucket": 32_768, "azure": 150_000}
"""Characters that each host takes in a comment. Source: their refusals of longer ones, as Atlantis lists them."""
RESERVE = 1_024
"""Characters of that which are left to who posts the comment, for a line of links above it."""
SHORTEST = 2_000
"""The least length in which the summary of any plan fits."""

_ROWS = 20  # resources in the table above the fold; more are summed up by action
_LONGEST_KEY = 100
T = TypeVar("T")
_SCREENS = (Screen(width=100, verbose=True), Screen(width=100))
"""How findings and drift are drawn: all, or the first of each kind."""


class MarkdownOptions(Struct, frozen=True, kw_only=True):
    """max_length: in characters; None: what the host takes, less RESERVE. report_url: of a page that shows all.

    key: what tells this comment from others of scenario-apply on the same pull request. full: blocks start opened.
    samples: of resources whose samples are drawn again, the table of them, from its richest form to its poorest.
    """

    flavour: Flavour = "github"
    key: str = "plan"
    max_length: int | None = None
    report_url: str | None = None
    full: bool = False
    links: PictureLinks = field(default_factory=PictureLinks)
    samples: Mapping[Address, Sequence[Lines]] = field(default_factory=dict)

    @property
    def folds(self) -> bool:
        """Whether the host has blocks that open with a click. Bitbucket shows HTML as text."""
        return self.flavour != "bitbucket"

    @property
    def room(self) -> int:
        return self.max_length or LONGEST[self.flavour] - RESERVE


def comment_key(name: str) -> str:
    """A key for markers, of a manifest's path: where that holds other characters, with a part of its digest."""
    key = re.sub(r"[^A-Za-z0-9_./]+", "-", name).strip("-./")[:_LONGEST_KEY]
    return (
        key if key == name else f"{key[: _LONGEST_KEY - 9]}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
    )


def marker(key: str, flavour: Flavour) -> str:
    """The hidden first line by which the comment is found again: an HTML comment, or what Bitbucket hides."""
    return f"[//]: # (scenario-apply:{key})" if flavour == "bitbucket" else f"<!-- scenario-apply:{key} -->"


def plan_markdown(view: PlanView, options: MarkdownOptions) -> str:
    """The whole comment."""
    head = "\n".join([marker(options.key, options.flavour), "", *_head(view)]) + "\n"
    room = options.room - length_of(head) - length_of(_tail(view, options, counted_only=len(view.changes)))
    style = BlockStyle(options.links, options.folds, options.full, options.samples)
    blocks = [Part(block_levels(change, style)) for change in view.changes]
    around = _around(view, options)
    found = fitted([*around, *blocks], room)
    texts, shown = found[: len(around)], found[len(around) :]
    left = sum(one.level == len(part.levels) for one, part in zip(shown, blocks, strict=True))
    folded = sum(one.level > 0 for one in shown) - left
    before, after = "".join(one.text for one in texts[:3]), "".join(one.text for one in texts[3:])
    tail = _tail(view, options, counted_only=left, folded=folded)
    return f"{head}{before}{''.join(one.text for one in shown)}{after}{tail}"


def _around(view: PlanView, options: MarkdownOptions) -> list[Part]:
    """What stands above the blocks (status, resources, drift) and below them (kept resources, findings)."""
    findings = view.diagnostics if view.mode != "destroy" and view.status.kind != "errored" else ()
    return [
        Part(_status(view)),
        Part(_resources(view)),
        Part(_drift(view)),
        Part(_kept(view)),
        Part(_folded(f"Findings: {tally(findings)}", findings, options) if findings else ()),
    ]


# -- above the fold


def _head(view: PlanView) -> Iterator[str]:
    """The title, and the sum in a sentence; short whatever the plan holds."""
    at = "" if view.endpoint == "local" else f" at {code(fit(safe(view.endpoint), 200))}"
    project = "" if view.project is None else f" (project {code(view.project)})"
    service = "the embedded Scenario" if view.endpoint == "local" else f"Scenario{project}"
    yield f"### {view.title} for {code(fit(safe(view.manifest), 200))}"
    yield ""
    yield f"On {service}{at}."
    yield ""
    if view.status.kind == "errored" and not view.changes:
        yield "**This plan could not be made.**"
    elif view.mode == "drift":
        yield f"**{drift_sentence(view)}**"
    elif view.changes:
        totals = view.totals
        yield f"**{counts_text(view)}.** {requests_text(totals)} **{price_text(view)}**"
        if totals.training_seconds is not None:
            yield f"The trainings take about {duration(totals.training_seconds)}, by past trainings."
    elif not view.status.blocked:
        yield words(nothing_text(view))
    yield ""


def _status(view: PlanView) -> list[Lines]:
    """Why the plan cannot be applied, or not as a whole: in full, else the messages shortened, else counted."""
    status = view.status
    groups = [
        ("This saved plan is stale:", status.stale),
        ("This plan cannot be applied:", status.blocked),
        ("Errors:", [p for p in view.diagnostics if p.severity == "error"] if status.kind == "errored" else []),
    ]
    if not any(problems for _, problems in groups) and not status.partial:
        return []

    def whole() -> Iterator[str]:
        for title, problems in groups:
            if problems:
                yield f"**{title}**"
                yield ""
                yield fence(problem_text(problems, _SCREENS[0], count=False))
        yield from partial()

    def shorter() -> Iterator[str]:
        for title, problems in groups:
            for problem in problems:
                yield f"- **{title}** {code(fit(safe(problem.message), 300))}"
        yield from partial()

    def count() -> Iterator[str]:
        for title, problems in groups:
            if problems:
                yield f"- **{title}** {counted(len(problems), 'reason')}; `scenario-apply plan` lists them."
        yield from partial()

    def partial() -> Iterator[str]:
        if status.partial:
            yield f"**This plan is partial:** {'; '.join(map(words, status.partial))}."

    return [whole, shorter, count]


def _resources(view: PlanView) -> list[Lines]:
    """The resources in a table, or, where there are many, how many there are by action."""
    if not view.changes or view.mode == "drift":
        return []

    def each() -> Iterator[str]:
        yield from table(["", "resource", "why", "cost"], (_resource_row(change) for change in view.changes))

    def by_action() -> Iterator[str]:
        rows = []
        for action in Action:
            found = [change for change in view.changes if change.action is action]
            if found:
                rows.append([f"{code(action.sign)} {action.value}", f"{len(found):,}", _sum_of(found)])
        yield from table(["", "resources", "cost"], rows)

    return [each, by_action] if len(view.changes) <= _ROWS else [by_action]


def _resource_row(change: ChangeView) -> list[str]:
    why = "; ".join(words(fit(safe(reason.text), 200)) for reason in change.reasons)
    return [
        code(change.sign),
        f"**{code(title_address(change))}** {phrase(change)}",
        why,
        cost_text(change.cost) or "free",
    ]


def _sum_of(changes: Sequence[ChangeView]) -> str:
    """'460 CU and 2 unknown'."""
    paid = [change.cost for change in changes if change.cost.source != "none"]
    known = [cost.cu for cost in paid if cost.cu is not None]
    unknown = len(paid) - len(known)
    parts = [f"{amount(sum(known))} CU"] if known else []
    return " and ".join([*parts, f"{unknown:,} unknown"] if unknown else parts) or "free"


# -- the rest


def _drift(view: PlanView) -> list[Lines]:
    if not view.drift:
        return []

    differences = sum(len(one.differences) for one in view.drift)
    text = f"Changed outside of scenario-apply: {counted(differences, 'difference')} in "
    drawn: list[Lines] = [_fence_of(drift_text, view.drift, screen) for screen in _SCREENS]
    return [*drawn, lambda: [f"{text}{counted(len(view.drift), 'resource')}."]]


def _fence_of(draw: Callable[[T, Screen], str], what: T, screen: Screen) -> Lines:
    return lambda: [fence(draw(what, screen))]


def _kept(view: PlanView) -> list[Lines]:
    """Notes on resources that stay as they are."""
    noted = [change for change in view.kept if [note.code for note in change.notes] != ["not-selected"]]
    if not noted:
        return []

    def listed(most: int) -> Callable[[], Iterator[str]]:
        def lines() -> Iterator[str]:
            yield f"**Unchanged**, {counted(len(noted), 'with a note', 'with notes')}:"
            yield ""
            for change in noted[:most]:
                yield f"- {code(str(change.address))}: {'; '.join(words(note.text) for note in change.notes)}"
            if len(noted) > most:
                yield f"- … and {len(noted) - most:,} more"

        return lines

    return [listed(len(noted)), listed(6), listed(0)]


def _folded(title: str, problems: Sequence[Diagnostic], options: MarkdownOptions) -> list[Lines]:
    def at(screen: Screen) -> Lines:
        def lines() -> Iterator[str]:
            yield f"<details><summary>{title}</summary>" if options.folds else f"#### {title}"
            yield ""
            yield fence(problem_text(problems, screen, count=False))
            if options.folds:
                yield "</details>"

        return lines

    return [*map(at, _SCREENS), lambda: [f"{title}."]]


def _tail(view: PlanView, options: MarkdownOptions, *, counted_only: int = 0, folded: int = 0) -> str:
    """What is not shown and where it is, the next command, and what the plan was made of."""
    lines: list[str] = []
    report = f"[the report](<{options.report_url}>)" if options.report_url else "`scenario-apply plan --full`"
    if counted_only:
        lines += [f"{counted(counted_only, 'resource is', 'resources are')} only counted here; {report} shows all.", ""]
    elif folded:
        lines += [f"{counted(folded, 'resource is', 'resources are')} shortened here; {report} shows all.", ""]
    elif options.report_url:
        lines += [f"Pictures and all details: {report}.", ""]
    if view.next_command is not None:
        lines += [f"Next: {code(fit(safe(view.next_command), 400))}", ""]
    if view.created_at:
        source = f"Planned {view.created_at} by scenario-apply {view.tool_version}"
        lines.append(f"<sub>{source}</sub>" if options.folds else source)
    return "\n".join(lines) + "\n"

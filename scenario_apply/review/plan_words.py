"""The sentences of a plan: what it is for, its sum, why there is nothing to do, drift. Not safe to print before safe().

Every writer uses these, so that terminal, Markdown and HTML say the same.
"""

from __future__ import annotations

from collections import Counter

from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.planning.changes import Action
from scenario_apply.review.change_view import AttributeView, ChangeView
from scenario_apply.review.plan_view import LOCAL, PlanTotals, PlanView
from scenario_apply.review.sample_words import news_text
from scenario_apply.review.screen import counted, duration
from scenario_apply.review.values import about, cost_text

_KINDS = ("added", "removed", "replaced", "changed")
_NAMED = 5  # addresses in a sentence


def subject_text(view: PlanView) -> str:
    """'scenario.yaml on the embedded Scenario'."""
    at = "" if view.endpoint == LOCAL else f" at {view.endpoint}"
    return f"{view.manifest} on {view.service}{at}"


def counts_text(view: PlanView) -> str:
    """'1 create, 0 update, 1 replace, 0 delete, 3 unchanged'; of a destroy, without what no destroy does."""
    is_destroy = view.mode == "destroy"
    always = ("delete",) if is_destroy else ("create", "update", "replace", "delete")
    order = ("create", "update", "retrain", "replace", "delete", "wait", "move", "import", "forget")
    parts = [f"{view.counts.get(key, 0):,} {key}" for key in order if key in always or view.counts.get(key)]
    if view.unchanged or not is_destroy:
        parts.append(f"{view.unchanged:,} {'kept' if is_destroy else 'unchanged'}")
    return ", ".join([*parts, f"{view.not_selected:,} not selected"] if view.not_selected else parts)


def requests_text(totals: PlanTotals) -> str:
    """'12 requests, at least 60 s at 100/min (polls: about 4).'"""
    text = counted(totals.requests, "request")
    if totals.seconds_at_limit:  # what fits into the first minute's budget need not wait
        text += f", at least {duration(totals.seconds_at_limit)} at {totals.rate_limit:,}/min"
    return f"{text} (polls: about {totals.polls:,})." if totals.polls else f"{text}."


def price_text(view: PlanView) -> str:
    """'140 CU.', 'About 86 CU (estimated from past trainings).', 'Cost unknown (...).'"""
    totals = view.totals
    if view.mode == "destroy":
        return "No charge."
    if totals.cu is None:
        return f"Cost unknown ({'; '.join(totals.unknown_why)}; checked against the limits before the first upload)."
    if unknown := unknown_cost_text(totals):
        return f"A{about(totals.cu)[1:]}{samples_share(totals)}, {unknown}."
    if totals.estimated:
        part = "partly " if totals.quoted else ""
        return f"A{about(totals.cu)[1:]} ({part}estimated {' and '.join(totals.estimated_how)}){samples_share(totals)}."
    return f"{amount(totals.cu)} CU{samples_share(totals)}."


def unknown_cost_text(totals: PlanTotals) -> str:
    """'plus 2 trainings and the samples of 1 resource of unknown cost'; empty where all is known."""
    parts = [counted(len(totals.unknown), "training")] if totals.unknown else []
    if totals.samples_unknown:
        parts.append(f"the samples of {counted(len(totals.samples_unknown), 'resource')}")
    return f"plus {' and '.join(parts)} of unknown cost" if parts else ""


def samples_share(totals: PlanTotals) -> str:
    """', 43 of it for 4 samples', or ' for 4 samples' where nothing else is paid for; empty where none is drawn."""
    if not totals.samples or totals.samples_cu is None:
        return ""
    if totals.samples_cu == totals.cu:
        return f" for {counted(totals.samples, 'sample')}"
    return f", {amount(totals.samples_cu)} of it for {counted(totals.samples, 'sample')}"


def nothing_text(view: PlanView) -> str:
    """Why there is nothing to do."""
    held, absent = view.recorded, view.absent
    if view.mode == "destroy":
        if not held:
            return "Nothing to destroy: the state records no resource."
        return f"Nothing to destroy: {counted(len(held), 'resource is', 'resources are')} kept, as noted above."
    if view.mode == "samples":
        return "No samples to draw."
    if not held and not absent:
        return "No changes. The manifest declares no model or composition, and the state records none."
    unchecked = "" if view.is_refreshed else " (not compared with Scenario)"
    if not absent:
        matching = len(held) - view.not_selected
        subject = f"{'All ' if matching > 1 else ''}{counted(matching, 'resource matches', 'resources match')}"
        unselected = f"; {view.not_selected:,} not selected" if view.not_selected else ""
        return f"No changes. {subject} the manifest{unselected}{unchecked}."
    left = f"This plan does not create {named(absent)}."
    if not held:
        return f"No changes. The state records no resource. {left}"
    recorded_ones = counted(len(held), "resource matches", "resources match")
    return f"No changes. {recorded_ones} the manifest{unchecked}. {left}"


def named(addresses: tuple[Address, ...]) -> str:
    """'model.a, model.b and 3 more'."""
    more = f" and {len(addresses) - _NAMED:,} more" if len(addresses) > _NAMED else ""
    return f"{', '.join(map(str, addresses[:_NAMED]))}{more}"


def drift_sentence(view: PlanView) -> str:
    """How much drift there is, at the end of plan --refresh-only."""
    if not view.drift:
        return "No drift. The recorded state matches Scenario."
    differences = counted(sum(len(one.differences) for one in view.drift), "difference")
    how = "" if view.next_command is not None else " Run `scenario-apply plan` to see how to repair it."
    return f"Drift: {differences} in {counted(len(view.drift), 'resource')}.{how}"


def title_address(change: ChangeView) -> str:
    """The address that a title begins with: of a move, the one it had."""
    return str(change.previous_address if change.action is Action.MOVE else change.address)


def price_and_requests(change: ChangeView) -> list[str]:
    """['130 CU quoted', '6 requests'], as far as they apply."""
    parts = []
    if price := cost_text(change.cost):
        parts.append(price)
    elif change.action in (Action.UPDATE, Action.DELETE):
        parts.append("free")
    return [*parts, counted(change.requests, "request")] if change.requests else parts


def twin_text(change: ChangeView) -> str:
    """'the same images and pairs as model.kael', of a change with a twin."""
    pairs = " and pairs" if change.pairs else ""
    same = f"the same images{pairs}" if change.action is Action.CREATE else "the same changes of images and captions"
    return f"{same} as {change.twin}"


def values_text(attribute: AttributeView) -> tuple[str, str]:
    """Both values of an attribute. One that is not set is, of a parameter, the type's default."""
    unset = "(default)" if attribute.is_parameter else "(none)"
    return attribute.before or unset, attribute.after or unset


def content_counts(change: ChangeView) -> list[str]:
    """['pictures: 3 added, 1 replaced', 'captions: 2 changed', 'samples: 4 new']: what a block is opened for."""
    parts = []
    for noun, kinds in (
        ("pictures", Counter[str](picture.kind for picture in change.pictures)),
        ("captions", Counter[str](caption.kind for caption in change.captions)),
        ("pairs", Counter[str](pair.kind for pair in change.pairs)),
    ):
        found = [f"{kinds[kind]:,} {kind}" for kind in _KINDS if kinds[kind]]
        parts += [f"{noun}: {', '.join(found)}"] if found else []
    return [*parts, f"samples: {news_text(change.samples.draw)}"] if change.samples else parts

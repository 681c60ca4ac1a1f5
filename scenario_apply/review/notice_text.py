"""A notification as the body of a webhook: JSON for programs, or the text alone in the form that Slack reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct, field

from scenario_apply.apply.events import Ledger
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.planning.plan import Plan
from scenario_apply.review.ledger_text import headline
from scenario_apply.review.screen import counted, fit, safe
from scenario_apply.state.state import TrainingEntry
from scenario_apply.version import VERSION

NoticeEvent = Literal["apply.finished", "training.failed", "drift.found"]
NoticeFormat = Literal["json", "slack"]

_NAMED = 10
_LONGEST = 300  # characters of a reason
_SLACK_HOSTS = ("slack.com", "slack-gov.com")


class Notice(Struct, frozen=True, kw_only=True):
    """text: one or more lines for people. facts: for programs; values of the service and of the repository in them."""

    event: NoticeEvent
    text: str
    at: str
    manifest: str
    endpoint: str
    facts: dict[str, object] = field(default_factory=dict)


def applied_notice(plan: Plan, ledger: Ledger, at: str, *, destroy: bool, trained: Iterable[Address] = ()) -> Notice:
    """An apply that changed the state has ended. trained: resources whose training ended well since the run before."""
    lines = [f"{plan.source.manifest_path}: {headline(ledger, destroy=destroy)}"]
    ended = sorted({str(address) for address in trained})
    if elsewhere := [name for name in ended if name not in {str(entry.address) for entry in ledger.done}]:
        lines.append(f"trained: {_listed(elsewhere)}")
    for title, entries in (("done", ledger.done), ("running", ledger.running), ("failed", ledger.failed)):
        if entries:
            lines.append(f"{title}: {_listed([str(entry.address) for entry in entries])}")
    cu = "Charge unknown" if ledger.cu_charged is None else f"{amount(ledger.cu_charged)} CU charged"
    lines.append(f"{cu}, {counted(ledger.requests, 'request')}.")
    facts: dict[str, object] = {
        "status": ledger.status,
        "gated": ledger.gated,
        "cu_charged": ledger.cu_charged,
        "requests": ledger.requests,
        "trained": ended,
        **{
            name: [{"address": str(e.address), "what": e.what, "reason": e.reason} for e in getattr(ledger, name)]
            for name in ("done", "running", "failed", "not_started")
        },
    }
    return _notice("apply.finished", lines, plan, at, facts)


def failed_notice(plan: Plan, entry: TrainingEntry, reason: str | None, at: str) -> Notice:
    """A training has failed since the last run. reason: the service's own words."""
    charge = "refunded" if entry.charged == 0 else f"{amount(entry.charged)} CU charged" if entry.charged else ""
    told = fit(safe(reason or "training failed"), _LONGEST)
    lines = [f"{entry.address} version {entry.version}: {told}{f' ({charge})' if charge else ''}"]
    facts: dict[str, object] = {
        "address": str(entry.address),
        "version": entry.version,
        "model_id": entry.model_id,
        "job_id": entry.job_id,
        "reason": reason,
        "cu_charged": entry.charged,
    }
    return _notice("training.failed", lines, plan, at, facts)


def drift_notice(plan: Plan, at: str) -> Notice:
    """The service and the state disagree."""
    addresses = sorted({drift.address for drift in plan.drift})
    what = f"{counted(len(plan.drift), 'difference')} in {counted(len(addresses), 'resource')}"
    lines = [f"{plan.source.manifest_path}: drift: {what}: {_listed([str(address) for address in addresses])}"]
    found = [{"address": str(d.address), "what": d.what, "path": d.path, "moved": d.moved} for d in plan.drift]
    return _notice("drift.found", lines, plan, at, {"drift": found})


def notice_body(notice: Notice, form: NoticeFormat) -> bytes:
    """JSON. slack: the text alone, in which nothing is a link or addresses anybody."""
    if form == "slack":
        text = notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return json.dumps({"text": text}, ensure_ascii=False).encode()
    values = {
        "event": notice.event,
        "text": notice.text,
        "at": notice.at,
        "tool": f"scenario-apply {VERSION}",
        "manifest": notice.manifest,
        "endpoint": notice.endpoint,
        **notice.facts,
    }
    return json.dumps(values, ensure_ascii=False).encode()


def notice_format(url: str, asked: str | None) -> NoticeFormat:
    """As asked for; else slack for the hosts of Slack. Raises ValueError for another word."""
    if asked in ("json", "slack"):
        return "slack" if asked == "slack" else "json"
    if asked is not None:
        raise ValueError(asked)
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return "slack" if any(host == known or host.endswith(f".{known}") for known in _SLACK_HOSTS) else "json"


def _notice(event: NoticeEvent, lines: list[str], plan: Plan, at: str, facts: dict[str, object]) -> Notice:
    source = plan.source
    facts = {**facts, "project": source.project, "lineage": source.lineage}
    # a zero-width space keeps a name of the repository from addressing a channel
    text = "\n".join(safe(line).replace("@", "@\u200b") for line in lines)
    return Notice(event=event, text=text, at=at, manifest=source.manifest_path, endpoint=source.endpoint, facts=facts)


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")

"""Notifications to the webhook of SCENARIO_APPLY_WEBHOOK: an apply ended, a training failed, drift was found.

Each is sent once per change of the state, or of the drift. A webhook that fails is a warning: it never fails a run, and
holds one up for DEADLINE_S at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING

from scenario_apply.model.timestamps import iso

if TYPE_CHECKING:
    from scenario_apply.apply.events import Ledger
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.planning.plan import Plan
    from scenario_apply.review.notice_text import Notice
    from scenario_apply.state.state import State

VARIABLE = "SCENARIO_APPLY_WEBHOOK"
FORMAT_VARIABLE = "SCENARIO_APPLY_WEBHOOK_FORMAT"
DEADLINE_S = 10.0


def notify_of_run(call: Invocation, plan: Plan, ledger: Ledger, before: State, after: State, *, destroy: bool) -> None:
    """After a run: the trainings that failed since the state before it, and its end, if it changed anything or found
    trainings ended that an earlier run had left running.

    A run that the user interrupted leaves at once and sends nothing.
    """
    if call.settings.webhook is None or ledger.status == "interrupted" or after.serial == before.serial:
        return
    from scenario_apply.review.notice_text import applied_notice, failed_notice
    from scenario_apply.state.spending import trainings_of

    at, known = iso(time.time()), {(e.model_id, e.at, e.phase) for e in trainings_of(before)}
    new = [e for e in trainings_of(after) if (e.model_id, e.at, e.phase) not in known]
    failed, trained = ([e for e in new if e.phase == phase] for phase in ("failed", "trained"))
    reasons = {v.id: v.reason for record in after.records.values() for v in record.versions()}
    notices = [failed_notice(plan, entry, reasons.get(entry.model_id), at) for entry in failed]
    if plan.has_changes or trained:
        notices.append(applied_notice(plan, ledger, at, destroy=destroy, trained=[e.address for e in trained]))
    _send(call, notices)


def notify_of_drift(call: Invocation, plan: Plan, root: str) -> None:
    """After a plan that compared state and service. root: the manifest's folder, whose .scenario/ remembers it."""
    if call.settings.webhook is None or not plan.refreshed:
        return
    from scenario_apply.review.notice_text import drift_notice
    from scenario_apply.state.stores.sent_notices import SentNotices

    about = f"drift {plan.source.endpoint} {plan.source.lineage}"
    found = sorted(repr((str(d.address), d.what, d.path, d.recorded, d.observed)) for d in plan.drift)
    digest = sha256("\n".join(found).encode("utf-8", "replace")).hexdigest() if found else None
    try:
        sent = SentNotices(root)
        if digest is not None and sent.is_sent(about, digest):
            return
        if digest is None or _send(call, [drift_notice(plan, iso(time.time()))]):
            sent.sent(about, digest)
    except OSError as error:
        call.tell(f"warning: what was sent to {VARIABLE} cannot be remembered: {error.strerror or error}")


def _send(call: Invocation, notices: Iterable[Notice]) -> bool:
    """Whether all were accepted; the first that is not ends it, with a warning."""
    from scenario_apply.api.webhook import post_to_webhook
    from scenario_apply.review.notice_text import notice_body, notice_format

    url, until = call.settings.webhook, time.monotonic() + DEADLINE_S
    assert url is not None
    try:
        form = notice_format(url, call.settings.environment.get(FORMAT_VARIABLE) or None)
    except ValueError:
        call.tell(f"warning: {FORMAT_VARIABLE} is neither json nor slack: no notification was sent")
        return False
    for notice in notices:
        left = max(0.1, until - time.monotonic())
        problem = post_to_webhook(url, notice_body(notice, form), deadline_s=left, allow_http=call.settings.allow_http)
        if problem is not None:
            call.tell(f"warning: the webhook of {VARIABLE} did not take the notification {notice.event}: {problem}")
            return False
    return True

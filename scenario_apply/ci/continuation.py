"""Whether a plan only finishes what another plan began: the same inputs, and nothing that was not reviewed.

A scheduled job resumes a reviewed plan after its trainings have ended. It must not start what was not looked
at: a change that was merged since, the repair of drift, or a training that failed and would be paid for once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scenario_apply.ci.host_requests import Json, object_of, text_of

_INPUTS: Mapping[str, str] = {
    "endpoint": "the endpoint differs from what was reviewed",
    "project": "the project differs from what was reviewed",
    "inputs": "images, captions or variables differ from what was reviewed",
}
_IDLE = ("none", "wait")
_NEEDS_REVIEW: Mapping[str, str] = {
    "training-ended": "its training failed or was cancelled, and another one is charged again",
    "remotely-deleted": "it was deleted on Scenario",
    "drift-found": "it was changed on Scenario",
    "label-drift": "it was changed on Scenario",
    "sample-failed": "a sample failed, and another try is charged again",
    "manifest-changed-meanwhile": "its running training is not the one that was reviewed",
}


def new_in(now: Json, reviewed: Json) -> list[str]:
    """What a plan contains that the reviewed one did not, as sentences; empty when it only finishes that one."""
    found = [words for key, words in _INPUTS.items() if now.get(key) != reviewed.get(key)]
    if object_of(now.get("manifest")).get("digest") != object_of(reviewed.get("manifest")).get("digest"):
        found.insert(0, "the manifest differs from what was reviewed")
    if not found:
        known = {text_of(change.get("address")): change for change in _changes(reviewed)}
        for change in _changes(now):
            why = _why_new(change, known)
            if why is not None:
                found.append(f"{text_of(change.get('address'))}: {why}")
    return found


def _changes(plan: Json) -> Iterator[Json]:
    changes = plan.get("changes")
    return (object_of(change) for change in changes) if isinstance(changes, list) else iter(())


def _why_new(change: Json, reviewed: Mapping[str, Json]) -> str | None:
    action = text_of(change.get("action"))
    if action in _IDLE:
        return None
    reasons = change.get("reasons")
    for reason in reasons if isinstance(reasons, list) else ():
        why = _NEEDS_REVIEW.get(text_of(object_of(reason).get("code")))
        if why is not None:
            return why
    before = reviewed.get(text_of(change.get("address")), {})
    if text_of(before.get("action")) not in ("", *_IDLE) or _draws(before):
        if _is_paid(change) and not _is_paid(before):
            return f"{action} is paid for, and what was reviewed of it was free"
        if action != "delete" or before.get("action") == "delete":
            return None
    return f"{action} was not part of the reviewed plan"


def _draws(change: Json) -> bool:
    """Whether samples are drawn: also once a training that is waited for has ended."""
    return bool(object_of(change.get("samples")).get("draw"))


def _is_paid(change: Json) -> bool:
    return object_of(change.get("cost")).get("source") not in (None, "none")

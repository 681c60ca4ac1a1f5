"""Turns error responses into errors of ours, with the service's own reason."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from scenario_apply.api.exchange import Reply, Request, Safety
from scenario_apply.api.json_answers import read_json
from scenario_apply.errors import (
    AnswerLost,
    ApiError,
    BadAnswer,
    CoolingDown,
    NotFound,
    PlanCeiling,
    RateLimited,
    Refused,
    Unauthorized,
)
from scenario_apply.model.amounts import amount
from scenario_apply.model.codec import Misfit

CREDENTIALS_HINT = "set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET to a key of the project and its secret"
RATE_HINT = "another program may use up the project's requests; try --rate-limit"
_NOT_THE_API_HINT = "check SCENARIO_BASE_URL: it should end in /v1, and no login page or proxy may answer in its place"
_PAGE_HINT = "a firewall or proxy on the way to Scenario refused the request, perhaps for a word in it"
_REASON_KEYS = ("reason", "message", "error", "detail", "errors", "description")
_LONGEST_REASON = 300
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")
_NOISE = re.compile(r"(?is)<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>")


def json_of(content: bytes) -> object:
    """What an answer holds as JSON. Raises ValueError when it is none."""
    return read_json(content)


def json_object(reply: Reply) -> Mapping[str, object] | None:
    """The object in an answer; None when it holds none."""
    try:
        value = json_of(reply.content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def looks_like_a_page(reply: Reply) -> bool:
    """Whether the response is a web page."""
    kind = reply.headers.get("content-type", "").lower()
    return "html" in kind or reply.content.lstrip()[:1] == b"<"


def reason_of(reply: Reply) -> str:
    """The service's own message in one line; of a web page its title or text; "" when there is none."""
    body = json_object(reply)
    if body is not None:
        return said_in(body)
    text = reply.content[:20_000].decode("utf-8", "replace")
    if looks_like_a_page(reply):
        title = _TITLE.search(text)
        text = html.unescape(title.group(1) if title and title.group(1).strip() else _NOISE.sub(" ", text))
    return _one_line(text)


def remaining_seconds(body: Mapping[str, object] | None) -> float | None:
    """The cooldown a 429 speaks of: remainingSeconds at the top or in details, or None."""
    for place in (body, _details(body)):
        value = _as_number(None if place is None else place.get("remainingSeconds"))
        if value is not None and value >= 0:
            return value
    return None


def _as_number(value: object) -> float | None:
    """A finite number, however many digits it was written with; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


class Ceiling(NamedTuple):
    """A limit of the account's plan. scope: what it counts for, e.g. "team"; "" where the service does not say."""

    action: str
    limit: float | None
    scope: str


def ceiling_of(body: Mapping[str, object] | None) -> Ceiling | None:
    """What a 429 that names a limit of the account's plan says of it; None for any other."""
    details = _details(body)
    action = details.get("actionName") if details is not None else None
    if details is None or not isinstance(action, str) or not action:
        return None
    scope = details.get("limitScope")
    return Ceiling(
        action=_one_line(action),
        limit=_as_number(details.get("actionLimit")),
        scope=_one_line(scope) if isinstance(scope, str) else "",
    )


def is_for_the_rate(reply: Reply) -> bool:
    """Whether it is a 429 for the request rate, not for a limit of the account's plan or a launch cooldown."""
    if reply.status != 429:
        return False
    body = json_object(reply)
    return ceiling_of(body) is None and remaining_seconds(body) is None


def error_of(request: Request, reply: Reply, mask: Callable[[str], str]) -> ApiError:
    """The error for an answer that is no success. Every text in it has gone through mask."""
    body = json_object(reply)
    reason = mask(reason_of(reply)) or "no reason given"
    status = reply.status
    is_a_page = body is None and looks_like_a_page(reply)
    if is_a_page and 400 <= status < 500:
        reason = f"a web page answered in place of the API: {reason}"
    what = f"{request.doing}: {reason} (HTTP {status})"
    if 300 <= status < 400:
        raise AssertionError("redirects are handled before")
    if status >= 500 or status == 408:
        return AnswerLost(what, status=status) if request.safety is not Safety.READ else ApiError(what, status=status)
    if status == 401:
        return Unauthorized(what, status=status, hint=CREDENTIALS_HINT)
    if status == 403:
        return _of_403(what, body, mask, is_a_page=is_a_page)
    if status == 404:
        # a page, or an address without /v1, must not read as "the model is gone"
        if body is None or request.path.count("/") == 1 or request.path.endswith("/get-bulk"):
            return BadAnswer(what, status=status, hint=_NOT_THE_API_HINT)
        return NotFound(what, status=status)
    if status == 410:
        return Refused(what, status=status, hint="it was removed permanently: choose another type, or create it again")
    if status == 429:
        return _of_429(what, body, mask)
    return Refused(what, status=status)


def error_of_part(request: Request, reply: Reply, mask: Callable[[str], str]) -> ApiError:
    """The error for a part of an upload that was not taken. It speaks of no credentials: none were sent."""
    what = f"{request.doing}: {mask(reason_of(reply)) or 'no reason given'} (HTTP {reply.status})"
    if reply.status >= 500 or reply.status == 408:
        return AnswerLost(what, status=reply.status)
    return Refused(what, status=reply.status, hint="its address may have expired: the next apply opens a new upload")


def redirected(request: Request, host: str, status: int) -> BadAnswer:
    """The error for a redirect, which is never followed."""
    what = f"{request.doing}: the service redirects to {host}, and redirects are not followed (HTTP {status})"
    return BadAnswer(what, status=status, hint="set SCENARIO_BASE_URL to the API's own address")


def unreadable(request: Request, reply: Reply, mask: Callable[[str], str]) -> ApiError:
    """The error for a success that is not JSON."""
    if looks_like_a_page(reply):
        what = f"{request.doing}: the response is a web page: {mask(reason_of(reply)) or 'an empty one'}"
    else:
        what = (
            f"{request.doing}: the response is incomplete or no JSON ({len(reply.content)} bytes){_why(reply.content)}"
        )
    if request.safety is Safety.ONCE:
        return AnswerLost(what, status=reply.status)
    return BadAnswer(what, status=reply.status, hint=_NOT_THE_API_HINT)


def _why(content: bytes) -> str:
    try:
        read_json(content)
    except Misfit as misfit:
        return f": {misfit.what}"
    return ": it is null"


def _of_429(what: str, body: Mapping[str, object] | None, mask: Callable[[str], str]) -> ApiError:
    ceiling = ceiling_of(body)
    if ceiling is not None:
        return PlanCeiling(what + mask(_allowed(ceiling)), action=ceiling.action, limit=ceiling.limit)
    remaining_s = remaining_seconds(body)
    if remaining_s is not None:
        return CoolingDown(what, remaining_s=remaining_s)
    return RateLimited(what, status=429, hint=RATE_HINT)


def _allowed(ceiling: Ceiling) -> str:
    """'; the account's plan allows 1 per team (parallel-training)', as far as the service says so."""
    scope = f" per {ceiling.scope}" if ceiling.scope else ""
    if ceiling.limit is not None:
        return f"; the account's plan allows {amount(ceiling.limit)}{scope} ({ceiling.action})"
    return f"; the account's plan limits it{scope} ({ceiling.action})" if scope else ""


def _of_403(what: str, body: Mapping[str, object] | None, mask: Callable[[str], str], *, is_a_page: bool) -> Refused:
    """The plan that is needed is part of the message: a step that failed is shown without its hint."""
    plan = (body or {}).get("requiredPlan")
    if isinstance(plan, str) and plan:
        return Refused(f"{what}; this needs the plan {mask(_one_line(plan))}", status=403)
    key = "check that the API key belongs to this project and may do this"
    return Refused(what, status=403, hint=_PAGE_HINT if is_a_page else key)


def _details(body: Mapping[str, object] | None) -> Mapping[str, object] | None:
    details = (body or {}).get("details")
    return details if isinstance(details, dict) else None


def said_in(value: object) -> str:
    """The service's own message in a JSON value, in one line; "" when there is none."""
    return _one_line(_said(value)) if isinstance(value, dict) else ""


def _said(body: Mapping[str, object], depth: int = 0) -> str:
    for key in _REASON_KEYS:
        value = body.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, dict) and depth < 2 and (inner := _said(value, depth + 1)):
            return inner
        if isinstance(value, list) and depth < 2 and (inner := _said_in_list(value, depth + 1)):
            return inner
    return ""


def _said_in_list(items: list[object], depth: int) -> str:
    said = (item if isinstance(item, str) else _said(item, depth) if isinstance(item, dict) else "" for item in items)
    return "; ".join(text for text in said if text.strip())


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"

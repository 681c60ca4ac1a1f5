"""What the service says of the account: CU that were consumed, and the team's limits. An API key may be refused both.

Source: the API contract, sections 1, 12 and 20 (GET /usages, GET /projects, GET /teams/{teamId}/limits).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from scenario_apply.api import loose
from scenario_apply.api.exchange import Request, Safety
from scenario_apply.api.sender import Sender
from scenario_apply.api.urls import segment
from scenario_apply.errors import ApiError, BadAnswer
from scenario_apply.model.amounts import total
from scenario_apply.model.remote import AccountFacts

Value = TypeVar("Value")

_RANGE = "last-thirty-one-days"


def read_account(sender: Sender, project: str | None) -> AccountFacts:
    """Two requests, or three. What cannot be read is None, with the reason; nothing is raised for it."""
    usage, usage_problem = _tolerated(lambda: _usage(sender, project))
    limits, limits_problem = _tolerated(lambda: _limits(sender, _team(sender, project)))
    facts = limits or AccountFacts(limits_problem=limits_problem)
    return replace(facts, used_in_31_days=usage, usage_problem=usage_problem)


def _tolerated(read: Callable[[], Value]) -> tuple[Value | None, str | None]:
    try:
        return read(), None
    except ApiError as error:
        return None, str(error)


def _get(sender: Sender, path: str, doing: str, query: tuple[tuple[str, str], ...] = ()) -> dict[str, object]:
    request = Request(method="GET", path=path, safety=Safety.READ, doing=doing, query=query, is_advisory=True)
    answer = sender.call(request, lambda value: value)
    if not isinstance(answer, dict):
        raise BadAnswer(f"{doing}: the answer is no JSON object")
    return answer


def _usage(sender: Sender, project: str | None) -> float:
    query = (("type", "consumption"), ("timeRange", _RANGE), *((("projectIds", project),) if project else ()))
    lines = _get(sender, "/usages", "read the usage", query).get("consumption")
    values = (loose.amount(line.get("value")) for line in _items(lines) if isinstance(line, dict))
    return total(value for value in values if value is not None)


def _team(sender: Sender, project: str | None) -> str:
    """The team of the project; without one, of the first project that the key may see."""
    if project:
        listed = [_get(sender, f"/projects/{segment('a project', project)}", "read the project").get("project")]
    else:
        listed = _items(_get(sender, "/projects", "list the projects", (("pageSize", "1"),)).get("projects"))
    team = next((one.get("teamId") for one in listed if isinstance(one, dict)), None)
    if not isinstance(team, str) or not team:
        raise BadAnswer("the service does not say which team the project belongs to")
    return team


def _limits(sender: Sender, team: str) -> AccountFacts:
    answer = _get(sender, f"/teams/{segment('a team', team)}/limits", "read the team's limits")
    limits, values, period = (answer.get(key) for key in ("limits", "values", "period"))
    return AccountFacts(
        team=team,
        plan=_text(answer, "plan"),
        period_end=_text(period, "end"),
        used_in_period=_number(values, "creativeUnits"),
        ceiling=_number(limits, "creativeUnits"),
    )


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _number(part: object, key: str) -> float | None:
    return loose.amount(part.get(key)) if isinstance(part, dict) else None


def _text(part: object, key: str) -> str | None:
    return loose.words(part.get(key)) if isinstance(part, dict) else None

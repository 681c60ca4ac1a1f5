"""api/account.py: usage and limits. An API key may be refused either: that is told, and nothing is raised for it."""

from __future__ import annotations

import pytest

from scenario_apply.api.exchange import Reply
from tests.api.transports import Bench, reply

USAGE = {"consumption": [{"userId": "u", "value": 0.1, "total": 1, "discount": 0}, {"userId": "v", "value": 0.2}]}
PROJECT = {"project": {"id": "proj_1", "teamId": "team_1"}}
LIMITS = {
    "limits": {"creativeUnits": 1000, "parallelTraining": 2},
    "values": {"creativeUnits": 10.75},
    "plan": "cu-pro",
    "period": {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"},
}


def test_usage_and_limits_take_three_reads_in_the_form_of_the_contract() -> None:
    bench = Bench([reply(200, USAGE), reply(200, PROJECT), reply(200, LIMITS)], project_id="proj_1")
    account = bench.client.get_account()
    assert (account.used_in_31_days, account.usage_problem, account.limits_problem) == (0.3, None, None)
    assert (account.team, account.plan, account.used_in_period, account.ceiling) == ("team_1", "cu-pro", 10.75, 1000)
    paths = [(request.method, request.path) for request in bench.transport.requests]
    assert paths == [("GET", "/usages"), ("GET", "/projects/proj_1"), ("GET", "/teams/team_1/limits")]
    assert ("projectIds", "proj_1") in bench.transport.requests[0].query
    assert all(not dict(request.query).get("projectId") for request in bench.transport.requests)


def test_without_a_project_the_first_one_of_the_key_names_the_team() -> None:
    listed = {"projects": [{"id": "p", "teamId": "team_2"}]}
    bench = Bench([reply(200, USAGE), reply(200, listed), reply(200, LIMITS)])
    assert bench.client.get_account().team == "team_2"


FORBIDDEN = reply(403, {"reason": "API Keys cannot access protected resources"})


@pytest.mark.parametrize("refusal", [FORBIDDEN, reply(404, {"reason": "Team not found"}), reply(200, [])])
def test_what_is_refused_is_told_and_the_rest_is_read(refusal: Reply) -> None:
    account = Bench([refusal, reply(200, PROJECT), refusal], project_id="proj_1").client.get_account()
    assert account.used_in_31_days is None
    assert account.usage_problem
    assert account.limits_problem
    account = Bench([reply(200, USAGE), refusal], project_id="proj_1").client.get_account()
    assert (account.used_in_31_days, account.ceiling) == (0.3, None)
    assert account.limits_problem

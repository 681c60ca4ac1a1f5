"""Every folder tests/golden/*: manifest, state and what the service answers in; the plan as JSON and as text out.

case.yaml says what is promised, which pictures there are, the options, and what a second plan would still want
(`then`, by address; nothing when it is left out). Where there is no observed.json the service holds what the state
says. UPDATE_GOLDEN=1 writes plan.json and plan.txt anew: read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.planning.plan_reader import plan_from_json
from scenario_apply.review.plan_json import plan_values
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.plan_view import plan_view
from scenario_apply.review.screen import Screen
from tests.golden.case import CASES, Case, open_case
from tests.planning.situations import as_text

MANY = 100


def check(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.parent.name}: UPDATE_GOLDEN=1 if this is meant"


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_case_is_planned_as_it_was_judged_to_be_right(folder: Path, tmp_path: Path) -> None:
    """The plan, word for word; it survives its file; carried out, it leaves nothing to do but what the case says."""
    case = open_case(folder, tmp_path)
    prepared = case.plan()
    plain = plan_values(prepared.plan)
    check(folder / "plan.json", as_text(plain))
    check(folder / "plan.txt", plan_text(plan_view(prepared.plan), Screen(width=80, terminal=True)))
    assert plan_values(plan_from_json(json.loads(as_text(plain)))) == plain
    if case.service is not None and not prepared.plan.blocked:
        assert left_to_do(case) == case.about.get("then", {})


def left_to_do(case: Case) -> dict[str, str]:
    """What a plan after the apply would still change: address -> action."""
    assert case.service is not None
    prepared = case.plan()
    state = case.service.carry_out(prepared.plan, prepared.state, prepared.edits)
    again = replace(case.options, replace=(), destroy=False) if not case.options.destroy else case.options
    assert isinstance(again, PlanOptions)
    plan = case.plan(state, again).plan
    return {str(change.address): change.action.value for change in plan.changes if change.action.value != "none"}


def test_there_are_many_cases() -> None:
    """A runner that finds nothing would be green."""
    assert len(CASES) >= MANY


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_case_says_what_it_is_for(folder: Path, tmp_path: Path) -> None:
    case = open_case(folder, tmp_path)
    assert case.about["promise"].strip()
    assert set(case.about) <= {"promise", "pictures", "pictures_before", "options", "then"}

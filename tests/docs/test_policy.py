"""docs/policy.md: its rules, evaluated on plans of the golden cases."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
GOLDEN = ROOT / "tests" / "golden"

pytestmark = pytest.mark.skipif(
    find_spec("regopy") is None, reason="the rules of docs/policy.md are evaluated with regopy (extra dev)"
)

EVALUATOR = """\
import json, os, sys
from regopy import Interpreter
for line in sys.stdin:
    given = json.loads(line)
    rules = Interpreter()
    rules.add_module("plan", given["rules"])
    rules.add_data(given["data"])
    rules.set_input(given["plan"])
    output = rules.query("denied = data.main.deny")
    print(json.dumps(output[0]["denied"]), flush=True)
    del output, rules
os._exit(0)
"""
"""In a process of its own: the library is native code, and its memory is none of the other tests' business."""

Evaluate = Callable[..., list[str]]


def block(marker: str) -> str:
    """The code block below a marker of the page."""
    found = re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, marker
    return found[1]


RULES = block("rego: plan")
OWNERS = yaml.safe_load(block("data: owners"))["owners"]


def golden(case: str, created_at: str = "2026-11-26T10:00:00Z", file: str = "teams/heroes/a.yaml") -> dict[str, Any]:
    """The plan of a golden case, made on a day (default: a Thursday) from a manifest of a team."""
    plan: dict[str, Any] = json.loads((GOLDEN / case / "plan.json").read_text(encoding="utf-8"))
    plan["created_at"] = created_at
    for change in plan["changes"]:
        if change.get("place"):
            change["place"]["file"] = file
    return plan


@pytest.fixture(scope="module")
def denied() -> Iterator[Evaluate]:
    """What the rules deny of a plan whose pull request has these labels."""
    with subprocess.Popen(
        [sys.executable, "-c", EVALUATOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def evaluate(plan: dict[str, Any], *labels: str) -> list[str]:
            data = {"owners": OWNERS, "labels": list(labels)}
            asked.write(json.dumps({"rules": RULES, "data": data, "plan": plan}) + "\n")
            asked.flush()
            return sorted(json.loads(answers.readline()))

        yield evaluate
        asked.close()


def test_an_ordinary_plan_passes(denied: Evaluate) -> None:
    assert denied(golden("caption-changed")) == []


def test_no_retraining_on_a_friday(denied: Evaluate) -> None:
    assert denied(golden("caption-changed", "2026-11-27T10:00:00Z")) == [
        "model.kael would be trained again on a Friday"
    ]


def test_a_budget_for_each_folder(denied: Evaluate) -> None:
    plan = golden("caption-changed", file="teams/props/a.yaml")
    assert denied(plan) == ["teams/props/: 45 CU exceed the budget of ben (40 CU)"]


def test_a_folder_without_an_owner_spends_nothing(denied: Evaluate) -> None:
    assert denied(golden("caption-changed", file="teams/props-old/a.yaml")) == [
        "model.kael costs something and no owner of teams/props-old/a.yaml is known"
    ]


def test_an_unknown_cost_fits_no_budget(denied: Evaluate) -> None:
    plan = golden("caption-changed")
    plan["changes"][0]["cost"] = {"cu": None, "source": "unknown"}
    assert any("is unknown" in message for message in denied(plan))


@pytest.mark.parametrize("case", ["no-longer-declared-consent", "keep-versions-with-consent"])
def test_deletes_need_a_label(case: str, denied: Evaluate) -> None:
    """Of models, and of versions beyond keep_versions."""
    messages = [message for message in denied(golden(case)) if "deleted" in message]
    assert messages
    assert all(message.endswith("the pull request needs the label allow-delete") for message in messages)
    assert not any("deleted" in message for message in denied(golden(case), "allow-delete"))


def test_what_a_protected_composition_is_made_of_needs_a_label(denied: Evaluate) -> None:
    plan = golden("caption-changed")
    plan["changes"][0]["affects"] = [{"address": "composition.ink", "action": "retrain", "protected": True}]
    assert denied(plan) == ["model.kael affects composition.ink, which is protected"]
    assert denied(plan, "allow-protected") == []


def test_a_plan_that_could_not_be_made_is_refused(denied: Evaluate) -> None:
    plan = golden("caption-changed") | {"errored": True, "complete": False}
    assert denied(plan) == ["the plan could not be made; see its diagnostics", "the plan is not complete"]

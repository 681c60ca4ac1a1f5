"""A plan file of any content is a plan or a placed error; an edited one never gets past the comparison by accident."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.errors import UsageError
from scenario_apply.planning.plan_comparison import differences
from scenario_apply.planning.plan_document import BadDocument, plan_document
from scenario_apply.planning.plan_format import sealed
from scenario_apply.planning.plan_reader import plan_from_json

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = (
    "first-create",
    "caption-changed",
    "composition-follows-its-part",
    "edit-pairs-create",
    "import-block",
    "moved-and-changed",
    "no-longer-declared-consent",
    "selected-upstream",
    "tags-changed",
    "training-running",
    "drift-image-added",
)
OTHER_KINDS: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**25,
    "",
    "x",
    "s1",
    "\0",
    [],
    [None],
    {},
    {"id": "s1"},
    {"kind": "train"},
)

Plain = dict[str, Any]


def plan_of(case: str) -> Plain:
    plain: Plain = json.loads((GOLDEN / case / "plan.json").read_text(encoding="utf-8"))
    return plain


def step(plan: Plain, kind: str = "create") -> Plain:
    return next(found for found in plan["steps"] if found["kind"] == kind)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda p: p["changes"][0]["cost"].update(cu="12"), "changes[0].cost.cu: expected a number or null, got text"),
        (lambda p: p["changes"][0]["cost"].update(cu=-1), "changes[0].cost.cu: expected a number >= 0"),
        (lambda p: p["changes"][0].update(cost=[]), "changes[0].cost: expected a map, got a list"),
        (lambda p: p["changes"][0].update(action="burn"), "changes[0].action: 'burn' is not a value that the format"),
        (lambda p: p["changes"][0].update(address="m/x"), "changes[0].address: expected an address such as model.kael"),
        (lambda p: p["changes"][0].update(address="model.kael\n"), "changes[0].address: expected an address"),
        (lambda p: p["changes"][0].update(steps="s1"), "changes[0].steps: expected a list, got text"),
        (lambda p: p["changes"][0].pop("reasons"), "changes[0].reasons: it is missing"),
        (lambda p: step(p).update(kind="burn"), "steps[0].kind: 'burn' is not a value that the format knows"),
        (lambda p: step(p).pop("kind"), "steps[0].kind: it is missing"),
        (lambda p: step(p).update(id="../s1"), "steps[0].id: expected an id: at most 128 letters"),
        (lambda p: step(p).update(id="s1\n"), "steps[0].id: expected an id"),
        (lambda p: step(p).update(id="s" * 129), "steps[0].id: expected an id"),
        (lambda p: step(p).update(number=True), "steps[0].number: expected a whole number, got true or false"),
        (lambda p: step(p).update(number=2**70), "steps[0].number: expected a whole number <="),
        (lambda p: step(p, "train").update(parameters=[1]), "parameters: expected a map, got a list"),
        (lambda p: step(p, "upload")["picture"].update(size_bytes=1.5), "picture.size_bytes: expected a whole number"),
        (lambda p: step(p, "caption").update(asset={"id": "a/../b"}), "asset.id: expected an id"),
        (lambda p: p["inputs"].update(variables={"a": 1}), "inputs.variables[...]: expected text, got a whole number"),
        (lambda p: p["inputs"].update(var_files="more.yaml"), "inputs.var_files: expected a list, got text"),
        (lambda p: p["inputs"].update(options={"destroy": "no"}), "inputs.options.destroy: expected true or false"),
        (lambda p: p["manifest"].update(path=None), "manifest.path: expected text, got null"),
        (lambda p: p.update(blocked=-1), "blocked: expected a whole number >= 0"),
        (lambda p: p.update(created_at="today\nfor another"), "created_at: expected a moment such as"),
        (lambda p: p.update(withheld=[1]), "withheld[0]: expected text, got a whole number"),
        (lambda p: p.update(changes=None), "changes: expected a list, got null"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(damage: Callable[[Plain], object], said: str) -> None:
    plain = plan_of("first-create")
    damage(plain)
    with pytest.raises(BadDocument) as raised:
        plan_document(plain)
    assert said in str(raised.value)
    with pytest.raises(UsageError, match=r"p\.json is damaged"):
        plan_from_json(sealed(plain), source="p.json", is_sealed=True)


def test_unknown_fields_are_ignored() -> None:
    """A minor version of the format adds fields."""
    plain = plan_of("first-create")
    for part in (plain, plain["changes"][0], plain["steps"][0], plain["inputs"], plain["changes"][0]["cost"]):
        part["of_a_later_release"] = {"x": [1]}
    assert differences(plan_from_json(plain), plan_from_json(plan_of("first-create"))) == []


def nodes(value: object) -> Iterator[tuple[Any, Any]]:
    """Every map or list with a key or index of it."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from nodes(value[key])


@pytest.mark.parametrize("case", CASES)
def test_any_node_of_another_kind_is_an_error_or_a_difference_or_nothing(case: str) -> None:
    """One to three nodes at a time; no other exception comes out."""
    chance = random.Random(case)
    original = plan_from_json(plan_of(case))
    refused = 0
    for _ in range(150):
        plain = copy.deepcopy(plan_of(case))
        for _ in range(chance.randint(1, 3)):
            at, key = chance.choice(list(nodes(plain)))
            at[key] = copy.deepcopy(chance.choice(OTHER_KINDS))
        try:
            plan = plan_from_json(sealed(plain), is_sealed=True)
        except UsageError:
            refused += 1
            continue
        refused += bool(differences(plan, original))
    assert refused > 75

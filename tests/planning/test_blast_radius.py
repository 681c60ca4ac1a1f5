"""planning/blast_radius.py: which compositions a change reaches, and what the plan does to them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.model.address import Address
from scenario_apply.planning.blast_radius import affected
from scenario_apply.planning.changes import Action, Affected
from scenario_apply.planning.desired import desire
from scenario_apply.planning.retention import with_retention
from scenario_apply.state.state import State
from tests.planning.decisions import IMAGES, INK, KAEL, SPEC, decisions, ink, recorded, version
from tests.planning.manifests import composition, dataset, manifest, part

WASH = Address("composition", "wash")
INKED = composition("ink", [part("kael")], lifecycle=Lifecycle(prevent_destroy=True))
WASHED = composition("wash", [part("kael")])
STATE = recorded()
BOTH = State(records={**STATE.records, INK: replace(ink("m1"), protected=True), WASH: ink("m1")})


def reached(*, state: State = BOTH, **asked: Any) -> tuple[Affected, ...]:
    """What the change of model.kael reaches."""
    declared = manifest(replace(SPEC, parameters={"nbEpochs": 12}), INKED, WASHED)
    found = with_retention(decisions(declared, state, **asked), consent=True)
    return affected(found, desire(declared, {"set": dataset("set", IMAGES)})).get(KAEL, ())


def test_a_new_version_reaches_the_compositions_of_the_old_one() -> None:
    assert reached() == (
        Affected(address=INK, action=Action.REPLACE, is_protected=True),
        Affected(address=WASH, action=Action.REPLACE),
    )


def test_compositions_that_are_not_selected_are_reached_and_left_as_they_are() -> None:
    assert [one.action for one in reached(selected=frozenset({KAEL}))] == [Action.NONE, Action.NONE]


def test_compositions_that_do_not_exist_yet_are_not_reached() -> None:
    assert reached(state=STATE) == ()


def test_a_delete_reaches_what_is_recorded_of_it() -> None:
    only_wash = State(records={**STATE.records, INK: ink("m9"), WASH: ink("m1")})
    found = reached(state=only_wash, destroy=True, selected=frozenset({KAEL}))
    assert found == (Affected(address=WASH, action=Action.NONE),)


def test_a_return_to_an_old_version_reaches_them_as_well() -> None:
    """Nothing is trained for it, but the compositions move with it."""
    old = version(1, parameters={"nbEpochs": 12})
    state = State(records={KAEL: replace(recorded(version(2)).records[KAEL], previous=(old,)), WASH: ink("m2")})
    assert [one.address for one in reached(state=state)] == [WASH]

"""review/affected_text.py: the blast radius of a change in a sentence."""

from __future__ import annotations

from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Action
from scenario_apply.review.affected_text import affected_text
from scenario_apply.review.change_view import DependantView


def dependant(name: str, action: Action = Action.NONE, *, is_protected: bool = False) -> DependantView:
    return DependantView(address=Address("composition", name), action=action, is_protected=is_protected)


def test_one_is_named_with_what_happens_to_it() -> None:
    assert affected_text([dependant("a", Action.RETRAIN)]) == "affects 1 composition: composition.a (retrain)"


def test_a_single_protected_one_is_said_to_be() -> None:
    assert affected_text([dependant("a", is_protected=True)]) == "affects 1 protected composition: composition.a"


def test_many_are_counted_and_the_first_named() -> None:
    many = [dependant(name, is_protected=name == "b") for name in "abcdefg"]
    names = ", ".join(f"composition.{name}" for name in "abcde")
    assert affected_text(many) == f"affects 7 compositions, 1 of them protected: {names} and 2 more"

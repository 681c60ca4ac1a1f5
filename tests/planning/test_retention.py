"""planning/retention.py: which versions go, and what keeps the others."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.manifest.spec import Lifecycle
from scenario_apply.model.remote import ModelId
from scenario_apply.planning import reasons as why
from scenario_apply.planning.decision import Decision, Delete, Keep
from scenario_apply.planning.retention import old_versions, protected_users, with_retention
from scenario_apply.state.state import State
from tests.planning.decisions import INK, KAEL, MANIFEST, decided, decisions, declared, ink, recorded, version
from tests.planning.manifests import composition, manifest, model, part

THREE = recorded(version(3), previous=(version(2), version(1)))


def judged(*, consent: bool = True, keep: int = 1, protected: bool = False, **asked: Any) -> Decision:
    made = declared(lifecycle=Lifecycle(keep_versions=keep))
    state = recorded(version(3), previous=(version(2), version(1)), protected=protected)
    return with_retention(decisions(made, state, **asked), consent=consent)[KAEL]


@pytest.mark.parametrize(("keep", "numbers"), [(2, []), (1, [1]), (0, [2, 1]), (-1, [2, 1])])
def test_the_newest_usable_versions_are_kept(keep: int, numbers: list[int]) -> None:
    assert [v.number for v in old_versions(decided(state=THREE), keep)] == numbers


def test_a_version_that_was_never_trained_is_not_worth_keeping() -> None:
    state = recorded(version(3), previous=(version(2, phase="failed"), version(1)))
    assert [v.number for v in old_versions(decided(state=state), 1)] == [2]


def test_a_replacement_makes_the_current_version_an_old_one() -> None:
    decision = decided(state=THREE, replace=frozenset({KAEL}))
    assert [v.number for v in old_versions(decision, 1)] == [2, 1]


def test_a_pending_version_takes_the_place_of_the_current_one() -> None:
    state = recorded(version(2), pending=version(3, phase="training"), previous=(version(1),))
    assert [v.number for v in old_versions(decided(state=state), 1)] == [1]


def test_with_consent_old_versions_are_deleted() -> None:
    decision = judged()
    assert [v.number for v in decision.delete] == [1]
    assert decision.reasons == (why.OldVersionsDeleted(1, 1),)


def test_without_consent_they_are_kept_and_the_plan_says_why() -> None:
    decision = judged(consent=False, keep=0)
    assert (decision.delete, decision.notes) == ((), (why.OldVersionsKept(2, 0, "consent"),))


def test_those_of_a_protected_resource_are_kept() -> None:
    decision = judged(protected=True)
    assert (decision.delete, decision.notes) == ((), (why.OldVersionsKept(1, 1, "protected"),))


def test_protection_that_a_problem_keeps_from_being_recorded_counts() -> None:
    """A composition that waits for a part is left alone, and so is its protection; its old versions stay."""
    waiting = composition("ink", [part("other")], lifecycle=Lifecycle(keep_versions=0, prevent_destroy=True))
    record = replace(ink("m3"), previous=(replace(ink("m3").current, number=2, id=ModelId("c0")),))
    made = manifest(model("other", lifecycle=Lifecycle(train="manual")), waiting)
    found = with_retention(decisions(made, State(records={INK: record})), consent=True)[INK]
    assert (found.delete, found.notes[-1]) == ((), why.OldVersionsKept(1, 0, "protected"))


def test_those_of_a_resource_that_is_not_selected_are_kept() -> None:
    """--select leaves the others alone."""
    decision = judged(selected=frozenset())
    assert (decision.delete, decision.notes) == ((), (why.NotSelected(),))


def test_a_version_that_a_composition_continues_to_use_is_kept() -> None:
    made = declared(lifecycle=Lifecycle(keep_versions=0))
    state = replace(THREE, records={**THREE.records, INK: ink("m2")})
    found = with_retention(decisions(made, state, selected=frozenset({KAEL})), consent=True)
    assert [v.number for v in found[KAEL].delete] == [1]
    assert found[KAEL].notes == (why.VersionInUse(2, INK),)
    deleted = with_retention(decisions(made, state), consent=True)
    assert isinstance(deleted[INK], Delete)
    assert [v.number for v in deleted[KAEL].delete] == [2, 1]


def test_what_a_composition_continues_to_use_is_not_deleted() -> None:
    """No longer declared, but a composition that stays is made of it."""
    kept = composition("ink", [part("other")], enabled=False)
    state = replace(THREE, records={**THREE.records, INK: ink("m3")})
    made = manifest(model("other"), kept)
    found = with_retention(decisions(made, state), consent=True)
    assert (type(found[KAEL]), found[KAEL].notes) == (Keep, (why.VersionInUse(3, INK),))


@pytest.mark.parametrize("is_protected", [True, False])
def test_destroy_of_a_part_alone_spares_a_protected_composition(is_protected: bool) -> None:
    user = replace(ink("m3"), protected=is_protected)
    state = replace(THREE, records={**THREE.records, INK: user})
    found = with_retention(decisions(MANIFEST, state, destroy=True, selected=frozenset({KAEL})), consent=True)
    assert isinstance(found[KAEL], Delete)
    problems = [problem.message for problem in protected_users(found)]
    assert problems == (
        ["model.kael is a part of composition.ink, which is protected against being deleted"] if is_protected else []
    )


def test_a_delete_needs_consent() -> None:
    found = with_retention(decisions(manifest()), consent=False)[KAEL]
    assert isinstance(found, Delete)
    assert not found.consented
    assert found.notes == (why.DeleteNeedsConsent(),)

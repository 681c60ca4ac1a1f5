"""planning/best_versions.py: what a person found best is kept and shown, and changes nothing."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.spec import BestVersion, Lifecycle, Manifest
from scenario_apply.model.remote import RemoteEpoch
from scenario_apply.planning import reasons as why
from scenario_apply.planning.decision import Keep
from scenario_apply.planning.retention import with_retention
from tests.planning.decisions import KAEL, decided, decisions, declared, recorded, seen, version

TWO = recorded(version(2, epoch="8"), previous=(version(1, parameters={"nbEpochs": 4}),))
LAST = tuple(RemoteEpoch(name=str(number), assets=()) for number in range(6, 9))


def best(number: int, epoch: str | None = None, **more: object) -> Manifest:
    return declared(best=BestVersion(version=number, epoch=epoch, by="Ada", at="2026-11-27"), epoch="8", **more)


@pytest.mark.parametrize(
    ("made", "note"),
    [
        (best(2), None),
        (best(2, "8"), None),
        (best(2, "6"), why.BestNotInUse(2, "6", 2, "8", "Ada", "2026-11-27")),
        (best(1), why.BestNotInUse(1, None, 2, "8", "Ada", "2026-11-27")),
    ],
)
def test_a_note_says_that_something_else_is_best_than_is_used(made: Manifest, note: why.Reason | None) -> None:
    decision = decided(made, TWO)
    assert isinstance(decision, Keep)
    assert decision.notes == (() if note is None else (note,))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (best(3), "`best:` of model.kael names version 3, which does not exist (versions: 1 and 2)"),
        (best(2, "12"), "`best:` of model.kael names epoch 12 of version 2, which has 6, 7 and 8"),
    ],
)
def test_a_version_or_epoch_that_does_not_exist_is_a_warning_with_its_place(made: Manifest, words: str) -> None:
    (problem,) = decided(made, TWO, seen(id="m2", epoch="8", epochs=LAST)).resource.problems
    assert (problem.severity, problem.code, problem.message) == ("warning", "best-unknown", words)
    assert problem.location is not None


def test_the_best_version_is_kept_beside_those_of_keep_versions() -> None:
    """Also where deletes are allowed."""
    old = tuple(version(number, parameters={"nbEpochs": number}) for number in (3, 2, 1))
    state = recorded(version(4), previous=old)
    made = best(1, lifecycle=Lifecycle(keep_versions=1))
    decision = with_retention(decisions(made, state), consent=True)[KAEL]
    assert [one.number for one in decision.delete] == [2]
    assert why.BestKept(1) in decision.notes

"""planning/selection.py: which resources a run is about."""

from __future__ import annotations

import pytest

from scenario_apply.errors import UsageError
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning.desired import desire
from scenario_apply.planning.selection import select
from scenario_apply.state.state import Record, State, Version
from tests.planning.manifests import composition, manifest, model, part

MADE = manifest(
    model("kael", tags=("hero", "north")),
    model("props"),
    model("lr", label="slow", tags=("hero",)),
    model("lr", label="fast"),
    composition("ink", [part("kael")]),
    composition("wash", [part("kael"), part("props")]),
)
DESIRED = desire(MADE, {})
OLD = Record(current=Version(number=1, id=ModelId("m"), phase="trained", name="old", type="flux.1-lora"))
STATE = State(records={Address("model", "old"): OLD})


def chosen(*patterns: str, exclude: tuple[str, ...] = ()) -> set[str]:
    found = select(DESIRED, STATE, patterns, exclude)
    assert found is not None
    return {str(address) for address in found}


def test_nothing_said_is_no_selection() -> None:
    assert select(DESIRED, STATE, [], []) is None


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("model.kael", {"model.kael"}),
        ("model.lr", {"model.lr/slow", "model.lr/fast"}),
        ("model.lr/slow", {"model.lr/slow"}),
        ("composition.*", {"composition.ink", "composition.wash"}),
        ("*.old", {"model.old"}),
        ("model.lr/*", {"model.lr/slow", "model.lr/fast"}),
        ("tag:hero", {"model.kael", "model.lr/slow"}),
        ("tag:n*", {"model.kael"}),
        ("+composition.ink", {"composition.ink", "model.kael"}),
        ("model.kael+", {"model.kael", "composition.ink", "composition.wash"}),
        ("+model.props+", {"model.props", "composition.wash"}),
        ("tag:north+", {"model.kael", "composition.ink", "composition.wash"}),
    ],
)
def test_a_pattern_selects(pattern: str, found: set[str]) -> None:
    """Addresses, a matrix with all its children, globs, tags, and what is up and down the stream."""
    assert chosen(pattern) == found


def test_patterns_add_up_and_excludes_take_away() -> None:
    assert chosen("model.kael", "model.props") == {"model.kael", "model.props"}
    assert chosen("model.*", exclude=("model.lr", "model.old")) == {"model.kael", "model.props"}
    assert chosen(exclude=("composition.*", "model.lr", "model.old")) == {"model.kael", "model.props"}


def test_a_pattern_that_selects_nothing_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="selects nothing") as raised:
        select(DESIRED, STATE, ["model.keal"], [])
    assert str(raised.value.problems[0].hint).startswith("did you mean model.kael")
    for pattern, hint in (("kael", "did you mean model.kael?"), ("dataset.kael", "did you mean model.kael?")):
        with pytest.raises(UsageError) as raised:
            select(DESIRED, STATE, [pattern], [])
        assert raised.value.problems[0].hint == hint
    with pytest.raises(UsageError) as raised:
        select(DESIRED, STATE, [], ["tag:nobody"])
    assert str(raised.value.problems[0].hint).startswith("there are ")

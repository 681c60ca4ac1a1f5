"""planning/pricing.py: quoted, from history, or unknown; never 0 for what is not known."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.planning.changes import Action, Change, Cost
from scenario_apply.planning.decision import Decision, StateEdit
from scenario_apply.planning.pricing import needs_quote, priced
from scenario_apply.state.state import ImageRecord, Record, State, Version
from tests.planning.manifests import model

KAEL = Address("model", "kael")
SPEC = model("kael")


def version(
    images: int = 12, charged: float | None = 80, at: str = "2026-01-01T00:00:00Z", type: str = "flux.1-lora"
) -> Version:
    held = tuple(ImageRecord(f"{n}.png", f"sha{n}", AssetId(f"asset_{n}"), "") for n in range(images))
    return Version(
        number=1,
        id=ModelId("model_1"),
        phase="trained",
        name="kael",
        type=type,
        parameters={"nbEpochs": 10},
        images=held,
        charged=charged,
        launched_at=at,
    )


def state(*versions: Version) -> State:
    return State(records={Address("model", f"m{n}"): Record(current=v) for n, v in enumerate(versions)})


def verdict(*, train: bool = True, record: Record | None = None, gone: bool = False) -> Decision:
    change = Change(address=KAEL, action=Action.REPLACE, image_count=12)
    return Decision(change=change, spec=SPEC, train=train, record=record, edit=StateEdit(gone=gone))


def test_a_quote_is_taken_before_history_and_history_before_nothing() -> None:
    change = verdict().change
    assert priced(change, verdict(), {KAEL: 90.0}, state(version())).cost == Cost(cu=90.0, source="quoted")
    assert priced(change, verdict(), {}, state(version())).cost == Cost(cu=80, source="history")
    assert priced(change, verdict(), {}, state()).cost == Cost(cu=None, source="unknown")


def test_what_trains_nothing_costs_nothing() -> None:
    asked = verdict(train=False)
    assert priced(asked.change, asked, {}, state()).cost == Cost(cu=0, source="none")


def test_a_quote_of_nothing_is_still_a_quote() -> None:
    assert priced(verdict().change, verdict(), {KAEL: 0.0}, state()).cost == Cost(cu=0.0, source="quoted")


def of_history(*versions: Version) -> Cost:
    return priced(verdict().change, verdict(), {}, state(*versions)).cost


@pytest.mark.parametrize(("images", "source"), [(9, "history"), (15, "history"), (8, "unknown"), (16, "unknown")])
def test_history_counts_for_sets_of_about_that_size(images: int, source: str) -> None:
    """Within a quarter."""
    assert of_history(version(images=images)).source == source


def test_history_is_of_that_type_the_newest_and_charged() -> None:
    old, new = version(charged=50, at="2026-01-01T00:00:00Z"), version(charged=60, at="2026-02-01T00:00:00Z")
    assert of_history(new, old).cu == 60
    assert of_history(old, new).cu == 60
    assert of_history(version(type="sd-xl-lora")).cu is None
    assert of_history(version(charged=None)).cu is None


def test_the_service_is_asked_where_there_is_a_model_of_that_type() -> None:
    """A dry run on a model of another type would quote another training."""
    record = Record(current=version())
    assert needs_quote(verdict(record=record))
    assert not needs_quote(verdict())
    assert not needs_quote(verdict(record=record, train=False))
    assert not needs_quote(verdict(record=record, gone=True))
    assert not needs_quote(verdict(record=replace(record, current=version(type="sd-xl-lora"))))

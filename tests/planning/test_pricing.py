"""planning/pricing.py: quoted, from history, or unknown; never 0 for what is not known."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.dataset.types import Contents, Pair
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.planning.changes import Cost, UnknownCost
from scenario_apply.planning.content_diff import compare_contents
from scenario_apply.planning.decision import Replace, Resource
from scenario_apply.planning.pricing import Quotes, cost_of, costs_of, exact_quotes, needs_quote, quote_notes
from scenario_apply.planning.reasons import QuoteCovers
from scenario_apply.planning.state_edit import StateEdit
from scenario_apply.state.state import ImageRecord, PairRecord, Record, State, Version
from tests.planning.manifests import model, picture

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


PICTURES = tuple(picture(f"{n}.png", f"picture {n}") for n in range(12))


def replacing(*, trains: bool = True, record: Record | None = None, gone: bool = False) -> Replace:
    contents = Contents(images=PICTURES)
    return Replace(
        resource=Resource(address=KAEL, spec=SPEC, record=record, edit=StateEdit(gone=gone)),
        declared=SPEC,
        contents=contents,
        content=compare_contents(contents, None),
        dataset_digest=None,
        trains=trains,
    )


def test_a_quote_is_taken_before_history_and_history_before_nothing() -> None:
    assert cost_of(replacing(), {KAEL: 90.0}, state(version())) == Cost(cu=90.0, source="quoted")
    assert cost_of(replacing(), {}, state(version())) == Cost(cu=80, source="history", basis="2026-01-01")
    assert cost_of(replacing(), {}, state()) == Cost(cu=None, source="unknown")


def test_what_trains_nothing_costs_nothing() -> None:
    assert cost_of(replacing(trains=False), {}, state()) == Cost(cu=0, source="none")


def test_a_quote_of_nothing_is_still_a_quote() -> None:
    assert cost_of(replacing(), {KAEL: 0.0}, state()) == Cost(cu=0.0, source="quoted")


def test_a_quote_for_another_number_of_images_is_noted() -> None:
    """The service prices a model with the images that it has now."""
    quoted = Cost(cu=1, source="quoted")
    assert quote_notes(replacing(record=Record(current=version(images=3))), quoted) == (QuoteCovers(3, 12),)
    assert quote_notes(replacing(record=Record(current=version(images=12))), quoted) == ()
    assert quote_notes(replacing(record=Record(current=version(images=3))), Cost(cu=1, source="history")) == ()


def test_a_picture_that_pairs_share_is_one_image_of_the_quote() -> None:
    twice = Contents(images=(*PICTURES, *(replace(p, path=f"after/{p.path}") for p in PICTURES)))
    decision = replace(replacing(record=Record(current=version(images=12))), contents=twice)
    assert quote_notes(decision, Cost(cu=90.0, source="quoted")) == ()


def of_history(*versions: Version) -> Cost:
    return cost_of(replacing(), {}, state(*versions))


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
    assert needs_quote(replacing(record=record))
    assert not needs_quote(replacing())
    assert not needs_quote(replacing(record=record, trains=False))
    assert not needs_quote(replacing(record=record, gone=True))
    assert not needs_quote(replacing(record=replace(record, current=version(type="sd-xl-lora"))))


def test_a_dataset_of_pairs_is_compared_by_its_pairs() -> None:
    """Six pairs are twelve images: an earlier training on six pairs tells what another one on six costs."""
    pairs = tuple(Pair(before=f"{n}.png", after=f"{n + 6}.png", instruction="make it night") for n in range(6))
    declared = model("kael", type="flux.1-kontext-lora", parameters={"nbEpochs": 10})
    work = replace(replacing(), declared=declared, contents=Contents(images=PICTURES, pairs=pairs))
    held = tuple(PairRecord(AssetId(f"asset_{n}"), AssetId(f"asset_{n + 6}"), "make it night") for n in range(6))
    past = state(replace(version(type="flux.1-kontext-lora"), pairs=held))
    assert cost_of(work, {}, past) == Cost(cu=80, source="history", basis="2026-01-01")


def test_a_new_model_is_estimated_by_a_quote_of_its_type_scaled_by_steps() -> None:
    """The first quote of the type in the plan; marked, with the resource that was quoted."""
    quoted = replacing(record=Record(current=version(charged=None)))
    fast = Address("model", "fast")
    contents = Contents(images=PICTURES)
    twice = model("fast", parameters={"nbEpochs": 20})
    created = replace(
        replacing(), resource=Resource(address=fast, spec=twice, record=None), declared=twice, contents=contents
    )
    other = replace(created, declared=model("fast", type="flux.1-krea-lora"))
    steps = {"nbEpochs": 10}
    quoted = replace(quoted, declared=model("kael", parameters=steps))
    costs = costs_of({KAEL: quoted, fast: created}, Quotes(cu={KAEL: 90.5}), state())
    assert costs[KAEL] == Cost(cu=90.5, source="quoted")
    assert costs[fast] == Cost(cu=181, source="estimate", basis="model.kael")
    unknown = costs_of({KAEL: quoted, fast: other}, Quotes(cu={KAEL: 90.5}), state())[fast]
    assert unknown == Cost(cu=None, source="unknown", why="no-model")


@pytest.mark.parametrize("why", ["refused", "failed", "not-asked"])
def test_an_unknown_cost_says_why(why: UnknownCost) -> None:
    costs = costs_of({KAEL: replacing()}, Quotes(why={KAEL: why}), state())
    assert costs[KAEL] == Cost(cu=None, source="unknown", why=why)


def test_the_resources_own_training_is_a_better_estimate_than_a_newer_one_of_another() -> None:
    own = replace(version(charged=50), id=ModelId("model_9"))
    newer = version(charged=60, at="2026-02-01T00:00:00Z")
    known = State(records={KAEL: Record(current=own), Address("model", "m1"): Record(current=newer)})
    assert cost_of(replacing(), {}, known).cu == 50


def test_only_a_quote_of_the_very_training_counts_as_exact() -> None:
    """A replacement is another model, and a dry run prices the images that a model has."""
    record = Record(current=version(images=12))
    assert exact_quotes([replacing(record=record)], Quotes(cu={KAEL: 90})) == {}

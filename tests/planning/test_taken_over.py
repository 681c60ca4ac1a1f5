"""planning/taken_over.py: what a refresh alone shows and records, and that it costs nothing later."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.manifest.spec import Lifecycle, Manifest
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.decision import Keep
from scenario_apply.planning.desired import desire
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import PlanRequestOptions
from scenario_apply.planning.taken_over import all_drift, taken_over
from scenario_apply.state.state import AssetRecord, ConceptRecord, State
from tests.planning.decisions import (
    HELD,
    IMAGES,
    INK,
    KAEL,
    MANIFEST,
    decided,
    declared,
    gone,
    held,
    ink,
    recorded,
    seen,
    version,
)
from tests.planning.manifests import dataset, manifest

OTHER = (held("a1", "01.png", "from behind"), HELD[1])


def drift(observed: Observed, state: State | None = None, made: Manifest = MANIFEST, **asked: Any) -> tuple[Drift, ...]:
    desired = desire(made, {"set": dataset("set", IMAGES)})
    given = Inputs(desired=desired, state=state or recorded(), observed=observed, asked=PlanRequestOptions(**asked))
    return all_drift(given, ())


def refreshed(observed: Observed, state: State | None = None) -> State:
    state = state or recorded()
    return taken_over(state, drift(observed, state), observed)


def test_labels_are_recorded_as_they_are() -> None:
    state = recorded(version(description="ours", tags=("x", "y")))
    shown = seen(name="new", short_description="theirs", tags=("y", "foreign"), images=HELD)
    now = refreshed(shown, state).records[KAEL].current
    assert (now.name, now.description, now.tags) == ("new", "theirs", ("y",)), "foreign tags are nobody's business"
    assert drift(shown, refreshed(shown, state)) == ()


def test_a_caption_is_recorded_as_it_is_and_the_plan_proposes_what_it_did() -> None:
    shown = seen(images=OTHER)
    state = refreshed(shown)
    assert [image.caption for image in state.records[KAEL].current.images] == ["from behind", "side"]
    assert drift(shown, state) == ()
    assert [type(decided(MANIFEST, one, shown)).__name__ for one in (recorded(), state)] == ["Replace", "Replace"]


def test_the_manifest_with_that_caption_is_up_to_date() -> None:
    """So that files with the service's own words cost no training."""
    shown = seen(images=OTHER)
    images = (replace(IMAGES[0], caption="from behind"), IMAGES[1])
    assert isinstance(decided(MANIFEST, refreshed(shown), shown, images), Keep)


def test_compositions_are_not_trained_for_an_edited_caption() -> None:
    """Their part is the same model with the same weights."""
    parts = (ConceptRecord(ModelId("m1"), 0.5, None, version().fingerprint),)
    duo = replace(ink("m1"), current=replace(ink("m1").current, type="flux.1-composition", concepts=parts))
    before = State(records={**recorded().records, INK: duo})
    after = refreshed(seen(images=OTHER), before)
    new = after.records[INK].current.concepts[0].trained_from
    assert new == after.records[KAEL].current.fingerprint != version().fingerprint


def test_an_image_that_was_detached_is_still_known() -> None:
    """It is not uploaded again."""
    state = refreshed(seen(images=HELD[1:]))
    assert [image.path for image in state.records[KAEL].current.images] == ["02.png"]
    assert state.assets()[AssetId("a1")] == AssetRecord(IMAGES[0].sha256, "front")


def test_an_image_that_was_attached_is_recorded_without_a_digest() -> None:
    state = refreshed(seen(images=(*HELD, held("a9", "new.png", "theirs"))))
    assert [(i.path, i.sha256) for i in state.records[KAEL].current.images][2:] == [("new.png", "")]
    assert state.records[KAEL].current.fingerprint is None


def test_a_deleted_model_leaves_the_state_and_its_images_stay_known() -> None:
    state = refreshed(gone("m1"))
    assert KAEL not in state.records
    assert set(state.assets()) == {"a1", "a2"}


def test_a_deleted_model_with_an_old_version_stays_recorded() -> None:
    state = recorded(version(2), previous=(version(1),))
    assert refreshed(gone("m2"), state) == state


@pytest.mark.parametrize(
    "made",
    [declared(enabled=False), declared(lifecycle=Lifecycle(ignore_changes=("captions",)))],
    ids=["off", "ignored"],
)
def test_what_is_disabled_or_ignored_is_no_drift(made: Manifest) -> None:
    assert drift(seen(images=OTHER), made=made) == ()


def test_what_is_not_selected_is_no_drift() -> None:
    assert drift(seen(images=OTHER), selected=frozenset()) == ()


@pytest.mark.parametrize("state", [recorded(held="2:abc"), recorded()], ids=["pinned", "undeclared"])
def test_what_no_plan_looks_into_is_drift_all_the_same(state: State) -> None:
    made = MANIFEST if state.records[KAEL].held else manifest()
    assert [one.what for one in drift(seen(images=OTHER), state, made)] == ["caption"]

"""planning/image_placement.py: every image is uploaded once at most, and no caption is taken from another resource."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.manifest.spec import Lifecycle, Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.limits import SINGLE_UPLOAD_BYTES
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.planning.decision import ContentWork
from scenario_apply.planning.image_placement import (
    EarlierUpload,
    ImagePlacement,
    KnownAsset,
    NewAsset,
    place_images,
)
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import Record, State
from tests.planning.decisions import HELD, IMAGES, KAEL, MANIFEST, decisions, held, recorded, seen, version
from tests.planning.manifests import manifest, model, picture

PROPS = Address("model", "props")
A1, A2 = AssetId("a1"), AssetId("a2")
REPLACED = frozenset({KAEL})


def placed(
    made: Manifest = MANIFEST, state: State | None = None, observed: Observed | None = None, **more: object
) -> dict[Address, ImagePlacement]:
    state = recorded() if state is None else state
    found = decisions(made, state, observed, **more)  # type: ignore[arg-type]  # options by name
    assert any(isinstance(decision, ContentWork) for decision in found.values()), "the test is about nothing"
    return place_images(found, state, observed or Observed())


def places(placement: ImagePlacement) -> list[object]:
    return [place for _, place in placement.places]


def test_nothing_is_placed_where_nothing_changes() -> None:
    assert place_images(decisions(), recorded(), Observed()) == {}


def test_a_new_image_of_one_model_is_sent_as_data() -> None:
    assert places(placed(state=State())[KAEL]) == [NewAsset("data"), NewAsset("data")]


def test_a_large_image_goes_in_parts() -> None:
    images = (picture("01.png", "ash", size=SINGLE_UPLOAD_BYTES + 1),)
    assert places(placed(state=State(), images=images)[KAEL]) == [NewAsset("multipart")]


def test_an_image_of_two_models_is_uploaded_once() -> None:
    found = placed(manifest(model("kael"), model("props")), State())
    assert places(found[KAEL]) == [NewAsset("asset")] * 2
    assert places(found[PROPS]) == [EarlierUpload()] * 2


def test_a_replacement_is_made_of_the_assets_that_exist() -> None:
    assert places(placed(replace=REPLACED)[KAEL]) == [KnownAsset(A1, False, False), KnownAsset(A2, False, False)]


def test_the_same_bytes_and_caption_under_two_names_are_one_image() -> None:
    images = (*IMAGES, replace(IMAGES[0], path="03.png"))
    assert len(placed(images=images, replace=REPLACED)[KAEL].places) == 2


BACK = (replace(IMAGES[0], caption="back"), IMAGES[1])


def test_the_caption_of_a_model_that_was_never_trained_is_changed_in_place() -> None:
    state = recorded(version(phase="building"))
    observed = seen(status="new", images=HELD)
    assert places(placed(state=state, observed=observed, images=BACK)[KAEL])[0] == KnownAsset(A1, True, True)


def test_the_caption_of_a_model_that_is_retrained_is_changed_in_place() -> None:
    found = placed(
        manifest(model("kael", lifecycle=Lifecycle(on_change="retrain"))), observed=seen(images=HELD), images=BACK
    )
    assert places(found[KAEL])[0] == KnownAsset(A1, True, True)


def test_a_replaced_version_keeps_the_captions_it_was_trained_with() -> None:
    """The new version gets an asset of its own; what did not change is attached to both."""
    assert places(placed(images=BACK)[KAEL]) == [NewAsset("data"), KnownAsset(A2, False, False)]


def test_a_caption_that_somebody_changed_on_the_service_is_not_taken_from_a_trained_version() -> None:
    """Though the asset holds the wanted words now, the version was trained with others."""
    observed = seen(images=(held("a1", "01.png", "back"), *HELD[1:]))
    assert places(placed(observed=observed, images=BACK)[KAEL])[0] == NewAsset("data")


def test_a_caption_that_somebody_changed_on_the_service_is_set_back_for_both_versions() -> None:
    observed = seen(images=(held("a1", "01.png", "back"), *HELD[1:]))
    assert places(placed(observed=observed)[KAEL])[0] == KnownAsset(A1, True, False)


def test_an_interrupted_replacement_continues_without_touching_the_current_version() -> None:
    """The pending version is completed; the image that both hold gets no other caption."""
    pending = replace(version(phase="building"), number=2, id=ModelId("model_2"))
    record = replace(recorded().records[KAEL], pending=pending)
    state = replace(recorded(), records={KAEL: record})
    assert places(placed(state=state, images=BACK)[KAEL])[0] == NewAsset("data")


def test_the_captions_of_older_kept_versions_are_kept_too() -> None:
    record = recorded().records[KAEL]
    other = replace(version(), number=2, id=ModelId("model_2"), images=())
    state = replace(recorded(), records={KAEL: replace(record, current=other, previous=(record.current,))})
    assert places(placed(state=state, images=BACK)[KAEL]) == [NewAsset("data"), KnownAsset(A2, False, False)]


def test_the_assets_of_a_model_that_is_gone_may_get_other_captions() -> None:
    gone = Observed(asked=frozenset({version().id}), refreshed=True)
    assert places(placed(observed=gone, images=BACK)[KAEL])[0] == KnownAsset(A1, True, False)


def test_the_caption_of_another_resource_is_not_changed() -> None:
    """The asset of props keeps its caption: the same bytes with another caption are uploaded again."""
    images = (replace(IMAGES[0], caption="back"), IMAGES[1])
    state = replace(recorded(), records={**recorded().records, PROPS: Record(current=version(name="props"))})
    assert places(placed(state=state, images=images, selected=REPLACED)[KAEL])[0] == NewAsset("data")


def test_what_is_attached_and_not_declared_is_detached() -> None:
    unfinished = recorded(version(phase="building"))
    found = placed(state=unfinished, observed=seen(status="new", images=(held("a9", "09.png"), *HELD)))[KAEL]
    assert found.detach == ((AssetId("a9"), "09.png"),)
    assert places(found) == [KnownAsset(A1, False, True), KnownAsset(A2, False, True)]


def test_an_asset_that_was_detached_on_the_service_is_attached_again_unless_it_is_gone() -> None:
    detached = seen(images=HELD[1:])
    assert places(placed(observed=detached)[KAEL])[0] == KnownAsset(A1, False, False)
    gone = replace(detached, gone_assets=frozenset({A1}))
    assert places(placed(observed=gone)[KAEL])[0] == NewAsset("data")

"""Pictures drawn while training are compared epoch by epoch, beside samples that were asked for."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel
from scenario_apply.review.comparison import compared
from scenario_apply.review.comparison_view import SampleSources
from scenario_apply.review.drawing_weights import epochs_drawn
from scenario_apply.review.epoch_samples import with_epochs
from scenario_apply.state.state import Record
from tests.review.compared import HARBOUR, KAEL, picture, request, sample, state_of, version

EPOCHS = tuple(RemoteEpoch(name=n, assets=(AssetId(f"e{n}a"), AssetId(f"e{n}b"))) for n in ("1", "2", "3"))
REMOTE = {ModelId("model_1"): RemoteModel(id=ModelId("model_1"), type="t", status="trained", epoch="3", epochs=EPOCHS)}
DRAWN = version(1, sample(request(HARBOUR), picture("own")), parameters={"samplePrompts": ["at sea"]})


def test_each_epoch_is_a_column_and_each_prompt_of_the_training_a_row() -> None:
    """The samples of the service's choice are those of the epoch in use; a training's prompts have no seed."""
    state = with_epochs(state_of({KAEL: Record(current=DRAWN)}), REMOTE)
    view = compared("x", epochs_drawn(KAEL, state.records[KAEL].current), SampleSources(state=state))
    assert [(head.title, head.place) for head in view.columns] == [
        ("epoch 1", ""),
        ("epoch 2", ""),
        ("epoch 3", "current"),
    ]
    rows = {row.name: [[one.asset_id for one in cell.pictures] for cell in row.cells] for row in view.rows}
    assert rows == {
        "1": [[], [], ["asset_own"]],
        "training 1": [["e1a"], ["e2a"], ["e3a"]],
        "training 2": [["e1b"], ["e2b"], ["e3b"]],
    }
    words = {row.name: (row.prompt, row.words) for row in view.rows}
    assert words["training 1"] == ("at sea", "drawn while training")
    assert words["1"][1].startswith("seed 7")


def test_samples_of_the_last_epoch_stay_its_own_once_another_is_chosen() -> None:
    """They were drawn when nobody had chosen one."""
    state = with_epochs(state_of({KAEL: Record(current=replace(DRAWN, epoch="2"))}), REMOTE)
    view = compared("x", epochs_drawn(KAEL, state.records[KAEL].current), SampleSources(state=state))
    assert [head.place for head in view.columns] == ["", "current", ""]
    assert [bool(cell.pictures) for cell in view.rows[0].cells] == [False, False, True]


def test_a_version_that_the_service_says_nothing_of_is_left_alone() -> None:
    state = state_of({KAEL: Record(current=DRAWN)})
    assert with_epochs(state, {}) == state

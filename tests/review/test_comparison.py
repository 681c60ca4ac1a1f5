"""Rows, columns, what is missing, and distances of comparisons."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.manifest.spec import BestVersion
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.review.comparison import compared, request_words
from scenario_apply.review.comparison_json import comparison_values
from scenario_apply.review.comparison_text import comparison_text
from scenario_apply.review.comparison_view import Comparison, Planned, SampleSources
from scenario_apply.review.drawing_weights import Weights, epochs_drawn, weights_of
from scenario_apply.review.hash_bits import differing_bits
from scenario_apply.review.markdown.comparison_markdown import SampleLinks, comparison_levels
from scenario_apply.review.screen import Screen
from scenario_apply.state.state import DrawnPicture, ImageRecord, Record, State, TrainingEntry
from tests.review.compared import (
    FAST,
    HARBOUR,
    KAEL,
    PORTRAIT,
    SLOW,
    picture,
    request,
    sample,
    state_of,
    two_versions,
    version,
)


def all_of(state: State, **known: object) -> Comparison:
    chosen = [w for address, record in state.records.items() for w in weights_of(address, record)]
    return compared("x", chosen, SampleSources(state=state, **known))  # type: ignore[arg-type]  # by name


def test_a_row_is_a_prompt_and_a_column_a_version() -> None:
    view = all_of(two_versions())
    assert [head.title for head in view.columns] == ["version 1", "version 2"]
    assert [head.place for head in view.columns] == ["previous", "current"]
    assert [(row.name, row.prompt) for row in view.rows] == [("harbour", HARBOUR), ("portrait", PORTRAIT)]
    assert [[p.asset_id for p in cell.pictures] for cell in view.rows[0].cells] == [
        ["asset_a1", "asset_a2"],
        ["asset_c1", "asset_c2"],
    ]


def test_heads_have_what_differs_and_what_was_charged() -> None:
    old, new = all_of(two_versions()).columns
    assert dict(old.facts) == {"learningRate": "0.0001", "trained on": "(default)"}
    assert dict(new.facts) == {"learningRate": "0.0002", "trained on": "1 picture"}
    assert (old.training_cu, old.samples_cu) == (130.5, 21.5)
    assert (new.training_cu, new.samples_cu) == (120.0, 10.75)


def test_the_head_of_the_best_version_says_who_chose_it() -> None:
    """Of the epoch that was chosen, and of its last training."""
    chosen = BestVersion(version=1, by="Ada", at="2026-11-27", why="the <b>cloak")
    view = all_of(two_versions(), best={KAEL: chosen})
    assert [head.best for head in view.columns] == ["chosen by Ada on 2026-11-27: the <b>cloak", ""]
    assert "best" in comparison_text(view, Screen(width=100))
    assert "| best | `chosen by Ada on 2026-11-27: the <b>cloak` |  |" in "\n".join(
        comparison_levels(view, SampleLinks())[0]()
    )
    assert comparison_values(view)["columns"][0]["best"] == view.columns[0].best  # type: ignore[index]  # plain values
    other = BestVersion(version=1, epoch="8")
    assert [head.notes.get("best") for head in all_of(two_versions(), best={KAEL: other}).columns] == [None, None]


def test_what_is_missing_is_said() -> None:
    running = version(3, at="2026-11-07T10:00:00Z", phase="training")
    state = two_versions()
    state = state.with_record(KAEL, replace(state.records[KAEL], pending=running))
    cells = all_of(state).rows[1].cells
    assert [cell.missing for cell in cells] == ["", "failed: no capacity: try later", "not trained yet"]


def test_a_sample_that_no_version_drew_is_no_row_and_one_that_one_did_not_is_said() -> None:
    one = version(1, sample(request(HARBOUR), picture("a")))
    other = version(2, sample(request(PORTRAIT), picture("b")), at="2026-11-05T10:00:00Z")
    view = all_of(state_of({KAEL: Record(current=other, previous=(one,))}))
    missing = {row.prompt: [cell.missing for cell in row.cells] for row in view.rows}
    assert missing == {HARBOUR: ["", "not drawn"], PORTRAIT: ["not drawn", ""]}


def test_other_settings_share_a_row_and_are_noted() -> None:
    one = version(1, sample(request(HARBOUR, scale=1.0), picture("a")))
    other = version(2, sample(request(HARBOUR, scale=0.5), picture("b")), at="2026-11-05T10:00:00Z")
    (row,) = all_of(state_of({KAEL: Record(current=other, previous=(one,))})).rows
    assert row.words == "seed 7, scale 0.5"
    assert [cell.note for cell in row.cells] == ["seed 7", ""]


def test_a_version_that_draws_a_prompt_twice_has_two_rows() -> None:
    """Scales of one prompt and seed are not mixed up: each has its own row, in all versions."""
    both = [sample(request(HARBOUR, scale=s), picture(f"s{s}")) for s in (0.5, 1.0)]
    old = version(1, sample(request(HARBOUR, scale=1.0), picture("old")))
    new = version(2, *both, at="2026-11-05T10:00:00Z")
    rows = all_of(state_of({KAEL: Record(current=new, previous=(old,))})).rows
    found = {row.settings.scale: [c.missing or c.pictures[0].asset_id for c in row.cells] for row in rows}
    assert found == {0.5: ["not drawn", "asset_s0.5"], 1.0: ["asset_old", "asset_s1.0"]}


def test_rows_come_in_the_order_of_the_manifest() -> None:
    declared = {KAEL: [("portrait", PORTRAIT, 7), ("harbour", HARBOUR, 7)]}
    assert [row.prompt for row in all_of(two_versions(), declared=declared).rows] == [PORTRAIT, HARBOUR]


def test_distances_to_the_version_before_count_bits() -> None:
    view = all_of(two_versions())
    pictures = view.rows[0].cells[1].pictures
    assert [(one.from_previous, one.previous) for one in pictures] == [(2, "version 1"), (2, "version 1")]
    assert view.rows[0].cells[0].pictures[0].from_previous is None
    assert view.distance_words == "perceptual distance (128-bit difference hash)"


def test_the_version_before_counts_although_it_is_not_shown() -> None:
    state = two_versions()
    shown = weights_of(KAEL, state.records[KAEL])[1:]
    assert compared("x", shown, SampleSources(state=state)).rows[0].cells[0].pictures[0].from_previous == 2


def test_distance_to_the_nearest_picture_it_was_trained_on() -> None:
    images = tuple(ImageRecord(f"{n}.png", f"{n:064x}", AssetId("a"), "") for n in range(3))
    drawn = sample(request(HARBOUR), picture("a", 0b1111))
    state = state_of({KAEL: Record(current=version(1, drawn, images=images))})
    hashes = {f"{0:064x}": f"{0:032x}", f"{2:064x}": f"{0b111:032x}", "other": f"{0b1111:032x}"}
    (found,) = all_of(state, hashes=hashes).rows[0].cells[0].pictures
    assert (found.from_dataset, found.nearest) == (1, "2.png")


@pytest.mark.parametrize(("one", "other"), [(None, "0"), ("00", "0"), ("zz", "00")])
def test_hashes_that_cannot_be_compared_have_no_distance(one: str | None, other: str) -> None:
    assert differing_bits(one, other) is None


def test_trainings_of_one_version_are_columns_of_their_own() -> None:
    """A composition that is trained again keeps its version; what it drew before is still shown, and compared."""
    before = sample(request(HARBOUR), picture("a", 0), training="2026-10-01T10:00:00Z")
    now = sample(request(HARBOUR), picture("b", 0b11))
    again = version(1, before, now)
    entry = TrainingEntry(
        at="2026-10-01T10:00:00Z", address=KAEL, version=1, model_id=ModelId("model_1"), type="t", phase="trained",
        charged=99.0,
    )  # fmt: skip
    state = replace(state_of({KAEL: Record(current=again)}), trainings=(entry,))
    view = all_of(state)
    assert [head.title for head in view.columns] == [
        "version 1, trained 2026-10-01 10:00:00",
        "version 1, trained 2026-11-01 10:00:00",
    ]
    assert [(head.training_cu, head.place) for head in view.columns] == [(99.0, "previous"), (130.5, "current")]
    assert [head.facts for head in view.columns] == [(), ()], "what the first one was made of is not recorded"
    (later,) = view.rows[0].cells[1].pictures
    assert (later.from_previous, later.previous) == (2, "the training before")


def test_epochs_are_columns_in_their_order_each_measured_from_the_one_before() -> None:
    drawn = [sample(request(HARBOUR), picture(e, n), epoch=e) for n, e in ((0, "10"), (3, "2"))]
    one = version(1, *drawn, epoch="10")
    state = state_of({KAEL: Record(current=one)})
    view = compared("x", epochs_drawn(KAEL, one), SampleSources(state=state))
    assert [(head.title, head.place) for head in view.columns] == [
        ("epoch 2", ""),
        ("epoch 10", "current"),
    ]
    assert [cell.pictures[0].previous for cell in view.rows[0].cells] == ["", "epoch 2"]


def test_children_of_a_sweep_are_told_apart_by_address_and_parameter() -> None:
    children = {
        address: Record(current=version(1, sample(request(HARBOUR), picture(address.label)), parameters={"lr": rate}))
        for address, rate in ((SLOW, 5e-5), (FAST, 2e-4))
    }
    view = all_of(state_of(children))
    assert [head.title for head in view.columns] == ["slow", "fast"]
    assert [dict(head.facts) for head in view.columns] == [{"lr": "5e-05"}, {"lr": "0.0002"}]


def test_what_the_next_apply_draws_is_a_column() -> None:
    state = two_versions()
    planned = {KAEL: Planned((request(PORTRAIT), request("new one")), "next")}
    view = compared("x", weights_of(KAEL, state.records[KAEL])[1:], SampleSources(state=state), planned)
    assert [head.title for head in view.columns] == ["version 2", "next"]
    shown = {row.prompt: row.cells[1].missing for row in view.rows}
    assert shown == {PORTRAIT: "will be drawn", "new one": "will be drawn", HARBOUR: ""}


def test_pictures_that_were_never_downloaded_are_pictures() -> None:
    state = state_of({KAEL: Record(current=version(1, sample(request(HARBOUR), DrawnPicture(asset_id=AssetId("a")))))})
    (cell,) = all_of(state).rows[0].cells
    assert not cell.missing
    assert cell.pictures[0].thumbnail is None


def test_settings_in_words() -> None:
    asked = request("x", scale=0.8, count=2)
    assert request_words(asked) == "seed 7, scale 0.8, 2 pictures"
    assert request_words(asked, base=True) == "seed 7, scale 0.8, 2 pictures, on model_bfl-flux-1-dev"


def test_a_declared_sample_that_nothing_drew_is_a_row() -> None:
    declared = {KAEL: [("later", "another", 3), ("portrait", PORTRAIT, 7)]}
    view = all_of(two_versions(), declared=declared)
    assert [row.name for row in view.rows] == ["later", "portrait", "harbour"]
    assert [cell.missing for cell in view.rows[0].cells] == ["not drawn", "not drawn"]


def test_weights_are_recorded_ones() -> None:
    state = two_versions()
    assert weights_of(KAEL, state.records[KAEL]) == [
        Weights(KAEL, 1, "2026-11-01T10:00:00Z"),
        Weights(KAEL, 2, "2026-11-05T10:00:00Z"),
    ]

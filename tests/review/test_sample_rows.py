"""sample_rows.py and its text: what is declared beside what is recorded, each sample once."""

from __future__ import annotations

import json

from scenario_apply.manifest.spec import Manifest, SampleSpec, SamplesSpec
from scenario_apply.model.samples import SampleSettings
from scenario_apply.planning.changes import Action, Change, Cost, SampleChange, SampleDiff
from scenario_apply.review.sample_rows import SampleRow, sample_rows
from scenario_apply.review.sample_rows_text import sample_rows_json, sample_rows_text
from scenario_apply.review.screen import Screen
from scenario_apply.state.state import Record, State
from tests.planning.manifests import HERE, model
from tests.review.compared import (
    BASE,
    HARBOUR,
    KAEL,
    PORTRAIT,
    picture,
    request,
    sample,
    state_of,
    two_versions,
    version,
)

NIGHT = "KAEL_07 at night"


def declared(*prompts: tuple[str, str]) -> Manifest:
    samples = tuple(SampleSpec(name=name, prompt=prompt, seed=7, place=HERE) for name, prompt in prompts)
    kael = model("kael", samples=SamplesSpec(samples=samples))
    return Manifest(path="m", root="/m", name="m", is_folder=False, digest="", files=(), models={kael.address: kael})


def owed(*samples: SampleChange, each: float | None = 10.75) -> Change:
    cost = Cost(cu=None if each is None else each * len(samples), source="quoted" if each is not None else "unknown")
    return Change(address=KAEL, action=Action.UPDATE, samples=SampleDiff(draw=samples, each=each, cost=cost))


def to_draw(name: str, prompt: str, **more: object) -> SampleChange:
    values: dict[str, object] = {"settings": SampleSettings(scale=1.0), **more}
    return SampleChange(name=name, prompt=prompt, seed=7, base=BASE, **values)  # type: ignore[arg-type]  # by name


def rows_of(state: State, manifest: Manifest, *changes: Change, files: dict[str, str] | None = None) -> list[SampleRow]:
    return sample_rows(manifest, state, changes, files or {})


def test_a_failed_sample_that_is_owed_again_is_one_row_with_its_reason_and_its_price() -> None:
    manifest = declared(("portrait", PORTRAIT), ("harbour", HARBOUR))
    change = owed(to_draw("portrait", PORTRAIT, news="again", reason="no capacity: try later"))
    rows = rows_of(two_versions(), manifest, change)
    assert [(row.version, row.name, row.status, row.cu, row.is_current) for row in rows] == [
        (2, "portrait", "failed", 10.75, True),
        (2, "harbour", "drawn", 10.75, True),
        (1, "portrait", "drawn", 10.75, False),
        (1, "harbour", "drawn", 10.75, False),
    ]
    assert rows[0].reason == "no capacity: try later"
    text = sample_rows_text(rows, Screen())
    assert "no capacity: try later" in text
    assert "model.kael version 1 (earlier)" in text
    assert "3 drawn, 1 failed. 32.25 CU charged." in text


def test_samples_of_an_untrained_model_wait_for_its_training() -> None:
    for state in (State(), state_of({KAEL: Record(current=version(1, phase="training"))})):
        [row] = rows_of(state, declared(("1", NIGHT)))
        assert (row.status, row.version, row.cu) == ("untrained", None, None)
        assert "not trained yet" in sample_rows_text([row], Screen())


def test_what_is_no_longer_declared_stays_and_is_said_to_be() -> None:
    old = version(1, sample(request(HARBOUR, name="harbour"), picture("a", 1, "f" * 64)))
    change = owed(to_draw("night", NIGHT), each=None)
    rows = rows_of(
        state_of({KAEL: Record(current=old)}), declared(("night", NIGHT)), change, files={"f" * 64: "f.webp"}
    )
    assert [(row.name, row.status, row.declared) for row in rows] == [
        ("night", "missing", True),
        ("harbour", "drawn", False),
    ]
    assert rows[1].pictures[0].file == "f.webp"
    text = sample_rows_text(rows, Screen(verbose=True))
    assert "drawn, not declared" in text
    assert "? CU" in text, "an unknown price is not shown as none"
    assert "f.webp" in text


def test_samples_of_earlier_weights_of_a_version_are_no_current_ones() -> None:
    drawn = sample(request(NIGHT), picture("a"), training="2026-10-01T10:00:00Z")
    change = owed(to_draw("1", NIGHT))
    rows = rows_of(state_of({KAEL: Record(current=version(1, drawn))}), declared(("1", NIGHT)), change)
    assert [(row.status, row.is_current) for row in rows] == [("missing", True), ("drawn", False)]


def test_texts_of_others_move_no_cursor_and_json_holds_them_as_they_are() -> None:
    nasty = "night\x1b[2J\u202e"
    rows = rows_of(State(), declared(("1", nasty)))
    assert "\x1b" not in sample_rows_text(rows, Screen())
    document = json.loads(sample_rows_json(rows))
    assert document["samples"][0]["prompt"] == nasty
    assert document["summary"] == {"drawn": 0, "drawing": 0, "failed": 0, "missing": 0, "untrained": 1}
    assert document["samples"][0]["address"] == "model.kael"
    assert sample_rows_text([], Screen()) == "No samples are declared or recorded.\n"

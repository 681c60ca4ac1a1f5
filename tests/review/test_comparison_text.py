"""A comparison as text: it fits the width, and says what is missing and why."""

from __future__ import annotations

import json

import pytest

from scenario_apply.review.comparison import compared
from scenario_apply.review.comparison_json import comparison_json
from scenario_apply.review.comparison_text import comparison_text
from scenario_apply.review.comparison_view import Comparison, SampleSources
from scenario_apply.review.drawing_weights import weights_of
from scenario_apply.review.printable import is_harmless
from scenario_apply.review.screen import Screen, columns
from scenario_apply.state.state import Record
from tests.hostile_text.strings import HOSTILE
from tests.review.compared import (
    HARBOUR,
    KAEL,
    PORTRAIT,
    picture,
    request,
    sample,
    state_of,
    two_versions,
    version,
    view_with_text,
)


def view_of_two() -> Comparison:
    state = two_versions()
    return compared("model.kael", weights_of(KAEL, state.records[KAEL]), SampleSources(state=state))


def many(number: int) -> Comparison:
    versions = [
        version(n, sample(request(HARBOUR), picture(f"a{n}", n)), at=f"2026-11-{n:02}T10:00:00Z")
        for n in range(1, number + 1)
    ]
    record = Record(current=versions[-1], previous=tuple(versions[:-1]))
    return compared("model.kael", weights_of(KAEL, record), SampleSources(state=state_of({KAEL: record})))


EXPECTED = """\
model.kael: 2 columns, 2 samples

                          version 1                  version 2
                          previous                   current
learningRate              0.0001                     0.0002
trained on                (default)                  1 picture
training                  130.5 CU                   120 CU
samples                   21.5 CU                    10.75 CU
harbour                   2 pictures                 2 pictures
  from the one before                                2, 2
portrait                  1 picture                  failed

harbour: KAEL_07 at the harbour, evening light (seed 7)
portrait: portrait of KAEL_07, green cloak (seed 7)

The numbers are bits of the perceptual distance (128-bit difference hash): 0 for the same shapes.

model.kael version 2, sample portrait: failed: no capacity: try later
"""


def test_two_versions() -> None:
    assert comparison_text(view_of_two(), Screen(width=80)) == EXPECTED


@pytest.mark.parametrize("width", [60, 80, 160])
def test_many_versions_fit_the_width_in_tables_of_their_own(width: int) -> None:
    text = comparison_text(many(20), Screen(width=width, terminal=True))
    assert max(columns(line) for line in text.splitlines()) <= width
    words = " ".join(text.split())
    assert all(f"version {n}" in words for n in range(1, 21))


def test_more_columns_fit_a_wider_screen() -> None:
    tables = [comparison_text(many(9), Screen(width=width)).count("training") for width in (80, 160)]
    assert tables == [3, 2]


def test_json_has_everything() -> None:
    plain = json.loads(comparison_json(view_of_two()))
    assert [column["version"] for column in plain["columns"]] == [1, 2]
    assert plain["columns"][0]["cost"] == {"training": 130.5, "samples": 21.5}
    cell = plain["rows"][0]["cells"][1]
    assert [one["distance_to_previous"] for one in cell["pictures"]] == [2, 2]
    assert plain["rows"][1]["cells"][1]["missing"] == "failed: no capacity: try later"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_acts_on_a_terminal(text: str) -> None:
    """Whatever a prompt, a name or a reason holds, lines stay within the width, and nothing in them is hidden."""
    shown = comparison_text(view_with_text(text), Screen(width=80, terminal=True))
    assert is_harmless(shown.replace("\n", " "))
    assert all(columns(line) <= 80 for line in shown.splitlines())


def test_rows_of_one_name_can_be_told_apart() -> None:
    """A changed prompt keeps the name of its sample: the table and the prompts below it number them alike."""
    before = version(1, sample(request(PORTRAIT, name="hero", seed=1), picture("a", 1)), at="2026-11-01T10:00:00Z")
    after = version(2, sample(request(HARBOUR, name="hero", seed=2), picture("b", 1)), at="2026-11-02T10:00:00Z")
    record = Record(current=after, previous=(before,))
    view = compared("model.kael", weights_of(KAEL, record), SampleSources(state=state_of({KAEL: record})))
    table, _, prompts = comparison_text(view, Screen(width=80)).partition("\n\nhero")
    assert [line.partition("  ")[0] for line in table.splitlines() if line.startswith("hero")] == ["hero", "hero (2)"]
    assert f"\nhero (2): {PORTRAIT}" in prompts

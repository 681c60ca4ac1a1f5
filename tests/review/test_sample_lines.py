"""review/sample_lines.py and sample_words.py: the samples of a plan in text, at every width, and in Markdown."""

from __future__ import annotations

import pytest

from scenario_apply.model.remote import ModelId
from scenario_apply.model.samples import SampleSettings
from scenario_apply.planning.changes import Action, Change, Cost, SampleChange, SampleDiff
from scenario_apply.planning.sample_reasons import SampleFailed, SamplesChanged, SamplesDrawing, SamplesMissing
from scenario_apply.review.change_view import Beside, change_view
from scenario_apply.review.markdown.plan_markdown import MarkdownOptions, plan_markdown
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.plan_view import plan_view
from scenario_apply.review.plan_words import price_text
from scenario_apply.review.screen import Screen, columns
from tests.cli.plans import KAEL, plan_of

BASE = ModelId("model_bfl-flux-1-dev")
LONG = "KAEL_07, portrait of a hero in the rain, low light, " + "thick oil paint, " * 9
DRAW = (
    SampleChange(name="rain", prompt="KAEL_07 in the rain", seed=42, base=BASE, settings=SampleSettings(scale=1.0)),
    SampleChange(name="a long name of a set/2", prompt=LONG, seed=2147483647, base=BASE),
    SampleChange(name="fog", prompt="heavy fog", seed=1, base=BASE, news="changed", previous="fog"),
    SampleChange(name="bad", prompt="\x1b[31mred\x1b[0m <b>", seed=1, base=BASE, news="again", reason="Too \x1bdark"),
)
REASONS = (SamplesMissing(("rain",)), SamplesChanged(("fog",)), SampleFailed("bad", None))


def drawing(*draw: SampleChange, cost: Cost | None = None, each: float | None = 10.75) -> Change:
    """model.kael, which stays as it is but for these samples."""
    cost = cost or Cost(cu=43, source="quoted")
    samples = SampleDiff(draw=draw or DRAW, each=each, cost=cost)
    return Change(address=KAEL, action=Action.UPDATE, change_class="samples", reasons=REASONS, samples=samples)


def line(change: Change) -> str:
    return change_view(change, Beside()).samples.line


@pytest.mark.parametrize(
    ("cost", "each", "text"),
    [
        (Cost(cu=43, source="quoted"), 10.75, "samples 4 x 10.75 = 43 CU"),
        (Cost(cu=50, source="quoted"), None, "samples 4: 50 CU"),
        (
            Cost(cu=43, source="estimate", basis="model.old"),
            10.75,
            "samples 4 x 10.75 = about 43 CU (estimated with model.old)",
        ),
        (
            Cost(cu=43, source="history", basis="2026-11-01"),
            10.75,
            "samples 4 x 10.75 = about 43 CU (estimated from a sample of 2026-11-01)",
        ),
        (
            Cost(cu=None, source="unknown", why="not-asked"),
            None,
            "samples 4: cost unknown (the plan was made without Scenario)",
        ),
    ],
)
def test_the_line_of_the_cost(cost: Cost, each: float | None, text: str) -> None:
    assert line(drawing(cost=cost, each=each)) == text


def test_samples_of_several_pictures_say_how_many_there_are() -> None:
    two = SampleChange(name="1", prompt="x", seed=1, base=BASE, settings=SampleSettings(count=2))
    cost = Cost(cu=21.5, source="quoted")
    assert line(drawing(two, cost=cost, each=21.5)) == "samples 1 x 21.5 = 21.5 CU, 2 pictures"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_screen_and_nothing_acts_on_the_terminal(width: int, verbose: bool) -> None:
    text = plan_text(plan_view(plan_of(drawing())), Screen(width=width, verbose=verbose, terminal=True))
    assert "gets 4 samples" in text
    assert "\x1b" not in text
    assert [found for found in text.splitlines() if columns(found) > width] == []
    assert "failed before: Too \\x1bdark" in " ".join(text.split())


def test_each_sample_is_shown_with_its_prompt_its_seed_and_what_is_new() -> None:
    text = plan_text(plan_view(plan_of(drawing())), Screen(width=100, terminal=True))
    assert "+ sample rain " in text
    assert '"KAEL_07 in the rain"  seed 42' in text
    assert "~ sample fog" in text
    assert "{+heavy+} fog" in text
    assert "↻ sample bad" in text


def test_a_model_that_only_waits_for_its_samples_is_not_said_to_train() -> None:
    waiting = SampleDiff(waiting=("rain",))
    change = Change(address=KAEL, action=Action.WAIT, reasons=(SamplesDrawing(("rain",)),), samples=waiting)
    text = plan_text(plan_view(plan_of(change)), Screen(width=100, terminal=True))
    assert "waits for its samples" in text
    assert "because 1 sample is being drawn: rain" in text


@pytest.mark.parametrize(
    ("training", "samples", "text"),
    [
        (Cost(), Cost(cu=43, source="quoted"), "43 CU for 4 samples."),
        (Cost(cu=140, source="quoted"), Cost(cu=43, source="quoted"), "183 CU, 43 of it for 4 samples."),
        (
            Cost(cu=140, source="quoted"),
            Cost(cu=43, source="estimate", basis="b"),
            "About 183 CU (partly estimated for samples with other models or the base alone), 43 of it for 4 samples.",
        ),
        (
            Cost(cu=140, source="quoted"),
            Cost(cu=None, source="unknown", why="refused"),
            "About 140 CU, plus the samples of 1 resource of unknown cost.",
        ),
        (
            Cost(),
            Cost(cu=None, source="unknown", why="refused"),
            "Cost unknown (Scenario gives no price for it; checked against the limits before the first upload).",
        ),
    ],
)
def test_the_sum_says_what_of_it_is_for_samples(training: Cost, samples: Cost, text: str) -> None:
    change = Change(address=KAEL, action=Action.REPLACE, cost=training, samples=SampleDiff(draw=DRAW, cost=samples))
    assert price_text(plan_view(plan_of(change))) == text


def test_markdown_has_a_table_of_samples_and_takes_no_prompt_for_markup() -> None:
    text = plan_markdown(plan_view(plan_of(drawing())), MarkdownOptions())
    assert "| `rain` | new | `KAEL_07 in the rain` | seed 42 |" in text
    assert "samples: 2 new, 1 changed, 1 again" in text
    assert "\x1b" not in text
    assert "`\\x1b[31mred\\x1b[0m <b>`" in text

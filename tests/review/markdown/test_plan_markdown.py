"""review.markdown.plan_markdown: the comment that reviewers read, and how it keeps to a length."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Action, Change, ImageChange, ImageDiff
from scenario_apply.planning.reasons import NotSelected
from scenario_apply.review.change_view import Beside
from scenario_apply.review.markdown.fitting import length_of
from scenario_apply.review.markdown.picture_links import Commit, Flavour, PictureLinks
from scenario_apply.review.markdown.plan_markdown import (
    LONGEST,
    SHORTEST,
    MarkdownOptions,
    comment_key,
    marker,
    plan_markdown,
)
from scenario_apply.review.plan_view import PlanContext, failed_plan_view, plan_view
from tests.cli.plans import ALL_SIGNS, CREATED, KAEL, REPLACED, plan_of

GATE = Diagnostic(code="gate", message="cost: 600 is over the limit of 500", hint="raise it with --limit cost=600")
COMMIT = Commit(url="https://github.com/o/r", sha="a" * 40)
HUNDREDS = plan_of(*(replace(CREATED, address=Address("model", f"m{n:03}")) for n in range(300)))


def test_the_first_line_is_the_marker_and_the_sum_stands_above_the_first_block() -> None:
    text = plan_markdown(plan_view(ALL_SIGNS), MarkdownOptions(key="art/kael.yaml"))
    assert text.startswith("<!-- scenario-apply:art/kael.yaml -->\n")
    above = text.partition("<details>")[0]
    assert "1 create, 1 update, 2 retrain, 1 replace, 1 delete" in above
    assert "About 1,466 CU, plus 1 training of unknown cost." in above
    assert "| `±` | **`model.kael`** will be replaced | `parameters.nbEpochs 10 -> 12`" in above


def test_every_resource_has_a_block_with_its_values_pictures_and_captions() -> None:
    text = plan_markdown(plan_view(plan_of(REPLACED)), MarkdownOptions())
    assert text.count("<details>") == text.count("</details>") == 1
    assert "| `nbEpochs` | `10` | `12` |" in text
    assert "| added | `poses/14.png` | `KAEL_07, side view, cloak` |" in text
    assert "| `03.png` | `KAEL_07, a ranger in a red` ~~`cape`~~ **`cloak`** `, standing" in text
    assert "`12 images x 20 repeats x 12 epochs / batch 1 = 2880 steps`" in text


def test_pictures_are_shown_where_they_are_in_git() -> None:
    """Added at the head, removed at the base, replaced on both sides; nothing is uploaded."""
    diff = ImageDiff(
        add=(ImageChange(path="1.png", file="k/1.png"),),
        change=(ImageChange(path="2.png", file="k/2.png"),),
        remove=(ImageChange(path="3.png"),),
    )
    view = plan_view(plan_of(replace(REPLACED, images=diff)), PlanContext(beside={KAEL: Beside(folder="k")}))
    links = PictureLinks(head=COMMIT, base=Commit(url=COMMIT.url, sha="b" * 40), folder="art")
    text = plan_markdown(view, MarkdownOptions(links=links))
    assert 'src="https://github.com/o/r/blob/' + "a" * 40 + '/art/k/1.png?raw=true"' in text
    assert 'src="https://github.com/o/r/blob/' + "b" * 40 + '/art/k/3.png?raw=true"' in text
    (row,) = (line for line in text.splitlines() if "picture replaced" in line)
    assert row.index("b" * 40 + "/art/k/2.png?raw=true") < row.index("a" * 40 + "/art/k/2.png?raw=true")
    assert 'alt=""' not in text  # a link is said by name where pictures are not seen
    assert text.count('alt="picture before">') == 2
    without = plan_markdown(view, MarkdownOptions())  # nothing to see before and after
    assert "| replaced |  |\n| --- | --- |\n| `2.png` | picture replaced |" in without


@pytest.mark.parametrize("flavour", LONGEST)
@pytest.mark.parametrize("most", [SHORTEST, 10_000, None])
def test_a_comment_keeps_to_its_length_and_is_not_cut(flavour: Flavour, most: int | None) -> None:
    """Blocks and tables stay whole; what is left out is counted, and linked."""
    options = MarkdownOptions(flavour=flavour, max_length=most, report_url="https://ci.example/report")
    text = plan_markdown(plan_view(HUNDREDS), options)
    assert length_of(text) <= (most or LONGEST[flavour] - 1_024)
    assert text.count("<details") == text.count("</details>") == text.count("</summary>")
    assert text.endswith(("</sub>\n", "by scenario-apply 0.1.0\n"))
    named = len(set(re.findall(r"model\.m\d{3}", text)))
    left = re.search(r"(\d+) resources are only counted here", text)
    assert named + (int(left[1]) if left else 0) == 300
    assert "300 create" in text
    assert ("[the report](<https://ci.example/report>)" in text) is (named < 300 or "shortened" in text) or most is None


def test_more_room_shows_more() -> None:
    lengths = [len(plan_markdown(plan_view(HUNDREDS), MarkdownOptions(max_length=n))) for n in (5_000, 20_000, 80_000)]
    assert lengths == sorted(lengths)
    assert lengths[2] > 2 * lengths[1] > 4 * lengths[0]


def test_long_lists_are_shortened_before_resources_are_counted() -> None:
    text = plan_markdown(plan_view(plan_of(CREATED)), MarkdownOptions(max_length=SHORTEST))
    assert "… and 34 more" in text
    assert "1 resource is shortened here; `scenario-apply plan --full` shows all." in text


@pytest.mark.parametrize("kind", ["blocked", "stale", "partial"])
def test_what_stands_against_a_plan_is_said_first_and_the_plan_is_still_shown(kind: str) -> None:
    left_out = Change(address=Address("model", "other"), action=Action.NONE, notes=(NotSelected(),))
    plan = plan_of(REPLACED, left_out if kind == "partial" else CREATED, blocked=(GATE,) if kind == "blocked" else ())
    view = plan_view(plan, PlanContext(stale=(GATE,) if kind == "stale" else ()))
    text = plan_markdown(view, MarkdownOptions())
    said = "This plan is partial:** 1 resource is not selected" if kind == "partial" else GATE.message
    assert text.index(said) < text.index("| `±` |") < text.index("<details>")
    assert "**`cloak`**" in text


def test_many_and_long_reasons_are_shortened_and_not_dropped() -> None:
    gates = tuple(replace_message(n) for n in range(20))
    text = plan_markdown(plan_view(plan_of(REPLACED, blocked=gates)), MarkdownOptions(max_length=SHORTEST))
    assert "**This plan cannot be applied:** 20 reasons" in text
    assert len(text) <= SHORTEST


def replace_message(number: int) -> Diagnostic:
    return Diagnostic(code="gate", message=f"reason {number} " + "x" * 500)


def test_a_plan_of_nothing_and_one_that_could_not_be_made_say_so() -> None:
    same = Change(address=KAEL, action=Action.NONE)
    assert "\nNo changes. 1 resource matches the manifest.\n" in plan_markdown(
        plan_view(plan_of(same)), MarkdownOptions()
    )
    failed = failed_plan_view((GATE,), manifest="a.yaml", endpoint="local", created_at="2026-01-02T03:04:05Z")
    text = plan_markdown(failed, MarkdownOptions())
    assert "**This plan could not be made.**" in text
    assert GATE.message in text


def test_bitbucket_gets_no_html() -> None:
    text = plan_markdown(plan_view(ALL_SIGNS), MarkdownOptions(flavour="bitbucket", key="k"))
    assert text.startswith("[//]: # (scenario-apply:k)\n")
    assert "<" not in re.sub(r"`[^`]*`", "", text)


def test_blocks_are_open_when_all_is_asked_for() -> None:
    text = plan_markdown(plan_view(ALL_SIGNS), MarkdownOptions(full=True))
    assert "<details open>" in text


def test_keys_of_markers_are_paths_and_cannot_end_the_comment() -> None:
    assert comment_key("art/kael.yaml") == "art/kael.yaml"
    for path in ("a--b", "a -->", "ä.yaml", "x" * 300, "-a", "a b", ".."):
        key = comment_key(path)
        assert re.fullmatch(r"[A-Za-z0-9_./-]{1,100}", key)
        assert "--" not in key
        assert MarkdownIt().render(marker(key, "github")).strip() == marker(key, "github")
    assert comment_key("a b") != comment_key("a-b")

"""Samples side by side in a comment: small copies where a host can show them, else counts; within a length."""

from __future__ import annotations

import pytest

from scenario_apply.review.comparison import compared
from scenario_apply.review.comparison_view import Comparison, SampleSources
from scenario_apply.review.drawing_weights import weights_of
from scenario_apply.review.markdown.comparison_markdown import SampleLinks, comparison_markdown
from scenario_apply.review.markdown.fitting import length_of
from scenario_apply.review.markdown.picture_links import Commit, PictureLinks
from scenario_apply.review.markdown.plan_markdown import MarkdownOptions
from scenario_apply.state.state import Record
from tests.review.compared import HARBOUR, KAEL, picture, request, sample, state_of, two_versions, version

ONE, OTHER = "a" * 64, "b" * 64
GIT = PictureLinks(head=Commit(url="https://git.example/o/r", sha="c" * 40), folder="art")


def view_of(*thumbnails: str) -> Comparison:
    drawn = [picture(f"p{n}", thumbnail=one) for n, one in enumerate(thumbnails)]
    record = Record(current=version(1, sample(request(HARBOUR, count=len(drawn)), *drawn)))
    return compared("model.kael", weights_of(KAEL, record), SampleSources(state=state_of({KAEL: record})))


def shown(view: Comparison, links: SampleLinks, **options: object) -> str:
    return comparison_markdown(view, MarkdownOptions(**options), links, "compare model.kael")  # type: ignore[arg-type]  # by name


def test_pictures_at_a_given_address() -> None:
    text = shown(view_of(ONE), SampleLinks(url="https://example.com/samples/"))
    address = f"https://example.com/samples/{ONE}.webp"
    assert f'<a href="{address}"><img src="{address}" width="110" alt="picture 1"></a>' in text


def test_an_address_with_a_query_keeps_it_behind_the_name() -> None:
    """As those of folders that a token opens; its signs end no attribute."""
    text = shown(view_of(ONE), SampleLinks(url="https://example.com/samples?sv=1&sig=x%2F"))
    assert f'<img src="https://example.com/samples/{ONE}.webp?sv=1&amp;sig=x%2F"' in text


def test_pictures_in_git_are_linked_at_the_commit_under_review() -> None:
    text = shown(view_of(ONE), SampleLinks(links=GIT, in_git=frozenset([ONE])))
    page = f"https://git.example/o/r/blob/{'c' * 40}/art/.scenario/samples/{ONE}.webp"
    assert f'<a href="{page}"><img src="{page}?raw=true"' in text


def test_pictures_that_are_nowhere_are_counted() -> None:
    """One that Git has does not stand for the others."""
    text = shown(view_of(ONE, OTHER), SampleLinks(links=GIT, in_git=frozenset([ONE])), report_url="https://x.example/r")
    assert "2 pictures" in text
    assert "<img" not in text
    assert "All pictures: [the report](<https://x.example/r>)." in text
    assert "All pictures: `compare model.kael`." in shown(view_of(ONE), SampleLinks())


@pytest.mark.parametrize("digest", ['"><script>', "../../x", ""])
def test_what_is_no_digest_is_no_part_of_an_address(digest: str) -> None:
    text = shown(view_of(digest), SampleLinks(url="https://example.com"))
    assert "example.com" not in text


def test_a_host_without_html_gets_links() -> None:
    links = PictureLinks(flavour="bitbucket")
    text = shown(view_of(ONE), SampleLinks(links=links, url="https://example.com"), flavour="bitbucket")
    assert f"[picture 1](https://example.com/{ONE}.webp)" in text
    assert "<img" not in text


def test_heads_distances_and_what_is_missing() -> None:
    state = two_versions()
    view = compared("model.kael", weights_of(KAEL, state.records[KAEL]), SampleSources(state=state))
    text = shown(view, SampleLinks())
    assert "| sample | version 1 (previous) | version 2 (current) |" in text
    assert "| `learningRate` | `0.0001` | `0.0002` |" in text
    assert "| samples | 21.5 CU | 10.75 CU |" in text
    assert "2 pictures · 2, 2 from version 1" in text
    assert "failed: `no capacity: try later`" in text


def test_where_not_all_pictures_fit_those_of_the_last_columns_are_shown() -> None:
    drawn = [version(n, sample(request(HARBOUR), picture(f"p{n}", thumbnail=ONE))) for n in range(1, 21)]
    record = Record(current=drawn[-1], previous=tuple(reversed(drawn[:-1])))
    view = compared("x", weights_of(KAEL, record), SampleSources(state=state_of({KAEL: record})))
    for length, columns in ((8_000, 20), (4_500, 12), (3_000, 6)):
        text = shown(view, SampleLinks(url="https://example.com"), max_length=length)
        assert text.count("<img") == columns
        assert ("of 20 columns" in text) is (columns < 20)
        assert "version 20 (current)" in text


@pytest.mark.parametrize("length", [2_000, 4_000, 20_000])
def test_a_comment_is_never_longer_than_asked(length: int) -> None:
    drawn = [sample(request(f"{n} " * 300, seed=n), picture(f"p{n}", thumbnail=ONE)) for n in range(40)]
    record = Record(current=version(1, *drawn))
    view = compared("x", weights_of(KAEL, record), SampleSources(state=state_of({KAEL: record})))
    text = shown(view, SampleLinks(url="https://example.com"), max_length=length)
    assert length_of(text) <= length
    assert "1 picture" in text or "40 samples in 1 column." in text or "<img" in text

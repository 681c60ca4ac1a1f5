"""review.markdown.inline: texts of other people are code, and code is what hosts leave alone."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from scenario_apply.review.markdown.inline import code, diff, fence, in_html, table, words
from scenario_apply.review.screen import safe
from scenario_apply.review.word_diff import word_diff

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.mark.parametrize(
    "text", ["a", "`", "a `` b", "``` ", " a ", "  ", "|", r"\|", "a\nb", "@team #1 ~1 :+1:", "\\"]
)
def test_a_code_span_says_the_text_and_nothing_else(text: str) -> None:
    """Also within a table, where a bar would end the cell."""
    (inline,) = (token for token in _PARSER.parse(code(text)) if token.type == "inline")
    assert [(child.type, child.content) for child in inline.children or []] == [("code_inline", safe(text))]
    cells = [token for token in _PARSER.parse("\n".join(table(["a"], [[code(text)]]))) if token.type == "inline"]
    assert [child.content for child in cells[1].children or []] == [safe(text)]


def test_a_sentence_is_plain_unless_something_in_it_could_mean_something() -> None:
    assert words("it does not exist yet") == "it does not exist yet"
    assert words("its training failed: Out of memory") == "its training failed: Out of memory"
    for text in ("captions ~1", "ask @team", "see #1", "www.example.com", "GH-1", "a  b", "*b*", ":smile:", "1e-4"):
        assert words(text) == f"`{text}`"


def test_a_diff_strikes_out_what_goes_and_makes_bold_what_comes() -> None:
    assert diff(word_diff("a red cape", "a red cloak, wet")) == "`a red` ~~`cape`~~ **`cloak, wet`**"
    html = _PARSER.renderInline(diff(word_diff("~~a~~ **b**", "~~c~~ **b**")))
    assert html == "<code>~~</code> <s><code>a</code></s> <strong><code>c</code></strong> <code>~~ **b**</code>"


def test_a_fence_is_longer_than_any_in_its_text() -> None:
    assert fence("a\n```\nb") == "````text\na\n```\nb\n````\n"


def test_html_is_escaped_in_summaries() -> None:
    assert in_html('</summary><b a="1">&') == "<code>&lt;/summary&gt;&lt;b a=&quot;1&quot;&gt;&amp;</code>"

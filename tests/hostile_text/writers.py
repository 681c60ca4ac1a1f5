"""Every writer of plans, with what a reader or a program makes of its document. A new writer is one more entry here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from html.parser import HTMLParser
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from scenario_apply.review.comparison_json import comparison_json
from scenario_apply.review.html.plan_page import PlanPage, cards_of, plan_page
from scenario_apply.review.markdown.comparison_markdown import SampleLinks, comparison_markdown
from scenario_apply.review.markdown.picture_links import Commit, Flavour, PictureLinks
from scenario_apply.review.markdown.plan_markdown import MarkdownOptions, plan_markdown
from scenario_apply.review.plan_annotations import plan_annotations
from scenario_apply.review.plan_json import plan_json
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.printable import json_text, terminal_text
from scenario_apply.review.screen import Screen, safe
from scenario_apply.review.workflow_commands import workflow_commands
from tests.hostile_text.plans import plan_with, view_with
from tests.hostile_text.strings import HARMLESS
from tests.review.compared import view_with_text

_LINKS = PictureLinks(
    head=Commit(url="https://git.example/o/r", sha="a" * 40), base=Commit(url="https://git.example/o/r", sha="b" * 40)
)
_MARKS_OF_DIFFS = {"del", "ins", "s", "strong", "b", "mark", "code", "span"}


class Writer(NamedTuple):
    """document: of the plan that holds a text. structure: of a document, without its texts. texts: what it shows."""

    name: str
    document: Callable[[str], str]
    structure: Callable[[str, str], object]
    texts: Callable[[str], str]


def squeezed(text: str) -> str:
    """Without blanks: where a line ends is the writer's own."""
    return re.sub(r"\s+", "", text)


# -- terminal


def _terminal(*, verbose: bool) -> Callable[[str], str]:
    screen = Screen(width=5_000, verbose=verbose)
    return lambda text: terminal_text(plan_text(view_with(text), screen), color=False)


def _lines(document: str, _text: str) -> object:
    """How many lines, and how each begins."""
    return [re.sub(r"(\s*\S?).*", r"\1", line, flags=re.DOTALL) for line in document.split("\n")]


# -- JSON


def _tree(document: str, text: str) -> object:
    said = text.encode("utf-8", "replace").decode()

    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {f"p{HARMLESS}" if key == f"p{said}" else key: shape(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [shape(inner) for inner in value]
        return "text" if isinstance(value, str) else value

    return shape(json.loads(document))


def _all_texts(document: str) -> str:
    def found(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from found(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from found(inner)
        elif isinstance(value, str):
            yield safe(value)

    return "\n".join(found(json.loads(document)))


# -- HTML


class _Page(HTMLParser):
    """The elements of a page with what acts in them, its texts, and those of them outside of code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[object] = []
        self.texts: list[str] = []
        self.outside: list[str] = []
        self._code = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code += tag in ("code", "pre")
        if tag not in _MARKS_OF_DIFFS:
            acting = [value for name, value in attrs if name in ("style", "id", "rel") or name.startswith("on")]
            self.elements.append((tag, sorted(name for name, _ in attrs), acting))

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in ("code", "pre")
        if tag not in _MARKS_OF_DIFFS:
            self.elements.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.elements.append(f"!{data}")

    def handle_decl(self, decl: str) -> None:
        self.elements.append(f"!{decl}")

    def handle_pi(self, data: str) -> None:
        self.elements.append("?")

    def unknown_decl(self, data: str) -> None:
        self.elements.append("![")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if not self._code:
            self.outside.append(data)


@lru_cache(maxsize=2)
def _page(html: str) -> _Page:
    return _Page(html)


def _html(text: str) -> str:
    view = view_with(text)
    return plan_page(PlanPage(plan=view, cards=cards_of(view, {}), album={}))


# -- Markdown


def _markdown(flavour: Flavour) -> Callable[[str], str]:
    links = PictureLinks(flavour=flavour, head=_LINKS.head, base=_LINKS.base)
    options = MarkdownOptions(flavour=flavour, links=links, max_length=10_000_000)
    return lambda text: plan_markdown(view_with(text), options)


@lru_cache(maxsize=2)
def _read(document: str) -> tuple[list[Token], _Page]:
    """As a host reads it: its tokens, and the page that it makes of them. Bitbucket takes no HTML."""
    parser = MarkdownIt("commonmark", {"html": "[//]: #" not in document}).enable(["table", "strikethrough"])
    tokens = parser.parse(document)
    return tokens, _Page(str(parser.renderer.render(tokens, parser.options, {})))


def _blocks(document: str, _text: str) -> object:
    """The tokens, with their links and HTML; all text outside of code, which is all that hosts look into."""
    tokens, page = _read(document)
    return [*map(_token, tokens)], page.elements, squeezed("".join(page.outside))


def _token(token: Token) -> object:
    kept = ("em_open", "link_open", "image", "html_inline", "softbreak", "hardbreak")
    return token.type, token.tag, token.info, [child.type for child in token.children or [] if child.type in kept]


def _markdown_texts(document: str) -> str:
    return "".join(_read(document)[1].texts)


# -- annotations

_COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:\n\r]*,?)*)::(.*)")


def _annotations(text: str) -> str:
    return terminal_text(workflow_commands(plan_annotations(view_with(text), notes=True)), color=False)


def _commands(document: str, _text: str) -> object:
    found = []
    for line in document.split("\n")[:-1]:
        match = _COMMAND.fullmatch(line)
        assert match is not None, line
        found.append((match[1], re.findall(r"(\w+)=[^,]*", match[2])))
    return found


def _decoded(document: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        document = document.replace(code, character)
    return document


# -- samples side by side


def _compared(flavour: Flavour) -> Callable[[str], str]:
    options = MarkdownOptions(flavour=flavour, max_length=10_000_000)
    where = SampleLinks(links=PictureLinks(flavour=flavour), url="https://example.com/samples")
    return lambda text: comparison_markdown(view_with_text(text), options, where, f"compare {text}")


WRITERS = (
    Writer("json compare", lambda text: json_text(comparison_json(view_with_text(text))), _tree, _all_texts),
    Writer("markdown compare github", _compared("github"), _blocks, _markdown_texts),
    Writer("markdown compare bitbucket", _compared("bitbucket"), _blocks, _markdown_texts),
    Writer("terminal", _terminal(verbose=False), _lines, str),
    Writer("terminal --full", _terminal(verbose=True), _lines, str),
    Writer("json", lambda text: json_text(plan_json(plan_with(text))), _tree, _all_texts),
    Writer("markdown github", _markdown("github"), _blocks, _markdown_texts),
    Writer("markdown bitbucket", _markdown("bitbucket"), _blocks, _markdown_texts),
    Writer("html", _html, lambda page, _text: _page(page).elements, lambda page: "".join(_page(page).texts)),
    Writer("github", _annotations, _commands, _decoded),
)

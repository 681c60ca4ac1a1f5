"""review/graph_views.py: the graph as text, Mermaid and DOT. Names change nothing but themselves."""

from __future__ import annotations

import re

import pytest

from scenario_apply.planning.changes import Action
from scenario_apply.planning.resource_graph import GraphEdge, GraphNode, ResourceGraph
from scenario_apply.review.graph_views import github_notice, graph_dot, graph_mermaid, graph_text
from scenario_apply.review.screen import Screen, columns

HOSTILE = [
    *("end", "1. list", "1) list", "- item", "---", "===", "# head", "> quote", "~~~", "* star", "+ plus"),
    *('"quoted"', "a\nb", "a\\nb", "```\ncode", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>"),
    *("</details>", "@team", "a|b", "`md`", "**bold**", "$$x^2$$", '%%{init: {"theme":"dark"}}%%', "%% comment"),
    *('click model_2e_kael "javascript:alert(1)"', "direction TB", "redirection  LR x", "subgraph x"),
    *("#quot;", "#35;", "&lt;b&gt;", "&amp;", "ﬂ°°60¶ß", "a --> b", '["x"]', "(((x", ");", "\\", '\\N \\l \\"'),
    *("\x1b[31mred", "\u202eevil", "fa:fa-user", "https://evil.example/x", "www.example.com", ":::cls", "x\\"),
]


def graph_of(name: str = "Kael", action: Action | None = None) -> ResourceGraph:
    """A dataset, two children of a matrix, and a composition with a part that was made elsewhere."""
    model = GraphNode(
        key="model.lr/slow", kind="model", title="model.lr/slow", details=(name, "flux.1-lora"), group="model.lr",
        action=action,
    )  # fmt: skip
    other = GraphNode(key="model.lr/fast", kind="model", title="model.lr/fast", group="model.lr")
    found = GraphNode(key=f"find.flux.1-lora/{name}", kind="external", title=name, details=("found by name",))
    ink = GraphNode(key="composition.ink", kind="composition", title="composition.ink")
    return ResourceGraph(
        nodes=(GraphNode(key="dataset.set", kind="dataset", title="dataset.set"), found, model, other, ink),
        edges=(
            GraphEdge(source="dataset.set", target="model.lr/slow"),
            GraphEdge(source="dataset.set", target="model.lr/fast"),
            GraphEdge(source="model.lr/slow", target="composition.ink", label="scale 0.8"),
            GraphEdge(source=found.key, target="composition.ink", label="scale 0.3"),
        ),
    )


# -- text


def test_text_is_a_tree_with_a_line_for_each_matrix() -> None:
    assert graph_text(graph_of(action=Action.REPLACE), Screen()) == (
        "dataset.set\n"
        "└─ model.lr  matrix of 2\n"
        "   ├─ model.lr/slow  Kael, flux.1-lora  ± replace\n"
        "   │  └─ composition.ink  scale 0.8\n"
        "   └─ model.lr/fast\n"
        "Kael  found by name\n"
        "└─ composition.ink  scale 0.3\n"
        "\n"
        "1 dataset, 2 models, 1 composition, 1 model made elsewhere.\n"
    )


def test_an_empty_graph_is_a_sentence() -> None:
    assert graph_text(ResourceGraph(nodes=(), edges=()), Screen()) == "Nothing is declared.\n"


def test_a_terminal_gets_no_line_that_is_wider() -> None:
    lines = graph_text(graph_of("Kael " * 40), Screen(width=60, terminal=True)).splitlines()
    assert max(columns(line) for line in lines if "model.lr" in line) <= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_text_stays_on_its_line(name: str) -> None:
    text = graph_text(graph_of(name), Screen())
    assert len(text.splitlines()) == len(graph_text(graph_of(), Screen()).splitlines())
    assert "\x1b" not in text
    assert "\u202e" not in text


# -- Mermaid

STATEMENT = re.compile(
    r"flowchart LR|end|subgraph \w+\[\"[^\"]*\"\]"
    r"|\w+(\[\(\"[^\"]*\"\)\]|\[\"[^\"]*\"\]|\(\[\"[^\"]*\"\]\)|\{\{\"[^\"]*\"\}\})"
    r"|\w+ -->(\|\"[^\"]*\"\|)? \w+|classDef plan_\w+ stroke:#[0-9a-f]{6},stroke-width:3px|class [\w,]+ plan_\w+"
)
"""Every line that a diagram of ours has. Inside the quotes there is text only, checked below."""
QUOTED = re.compile(r"(?:\w|#\d+;|<br/>|[ .,/+()-])*")


def test_mermaid_groups_a_matrix_and_marks_actions() -> None:
    text = graph_mermaid(graph_of(action=Action.REPLACE))
    assert '  subgraph matrix_2e_model_2e_lr["model.lr"]\n    model_2e_lr_2f_slow["model.lr/slow<br/>Kael' in text
    assert 'composition_2e_ink(["composition.ink"])' in text
    assert '  model_2e_lr_2f_slow -->|"scale 0.8"| composition_2e_ink\n' in text
    assert "  class model_2e_lr_2f_slow plan_replace\n" in text
    assert "± replace" not in text
    assert "#177; replace" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_mermaid_is_no_syntax(name: str) -> None:
    """No quote, Markdown, HTML, directive or formula: each was looked at in Mermaid 11 and 12, in a browser."""
    lines = graph_mermaid(graph_of(name)).splitlines()
    assert len(lines) == len(graph_mermaid(graph_of()).splitlines())
    for line in lines:
        assert STATEMENT.fullmatch(line.strip()), line
        assert all(QUOTED.fullmatch(text.replace("\u0931", "")) for text in re.findall(r"\"([^\"]*)\"", line)), line
        assert not re.search(r"(?i)direction\s+(TB|BT|LR|RL|TD)", line)
        for text in re.findall(r"\"([^\"]*)\"", line):
            assert not any(re.match(r"[-+=(),/.]|\d+[.)]|(?i:www)\.", part) for part in text.split("<br/>")), line


def test_what_mermaid_decodes_first_is_parted() -> None:
    """Formulas, line ends, icons and its own codes are acted upon after numbers were read."""
    text = graph_mermaid(graph_of("x $$ \\n fa:fa-user ﬂ°°60¶ß"))
    assert "#36;#8288;#36; #92;#8288;n fa#58;#8288;fa-user ﬂ#8288;#176;" in text


def test_two_keys_are_never_one_id() -> None:
    keys = ["model.a-b", "model.a_b", "model.a_2d_b", "model.ab", "model.a/b", "model.ä", "model.a.b"]
    nodes = tuple(GraphNode(key=key, kind="model", title="x") for key in keys)
    lines = graph_mermaid(ResourceGraph(nodes=nodes, edges=())).splitlines()[1:]
    assert len(set(lines)) == len(keys)


def test_a_diagram_that_github_does_not_draw_is_announced() -> None:
    assert github_notice("x", 500) is None
    assert "501" in str(github_notice("x", 501))
    assert "50,001" in str(github_notice("x" * 50_001, 1))


# -- DOT

DOT_LINE = re.compile(
    r"digraph scenario \{|\}|rankdir=LR;|(node|edge) \[fontname=\"sans-serif\"\];|subgraph \"cluster [^\"]*\" \{"
    r"|label=\"[^\"]*\";|\"(\\.|[^\"\\])*\" \[label=\"(\\.|[^\"\\])*\", shape=\w+(, \w+=(\w+|\"#?\w+\"))*\];"
    r"|\"(\\.|[^\"\\])*\" -> \"(\\.|[^\"\\])*\"( \[label=\"[^\"]*\"\])?;"
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_dot_is_no_syntax(name: str) -> None:
    lines = graph_dot(graph_of(name, Action.CREATE)).splitlines()
    assert len(lines) == len(graph_dot(graph_of()).splitlines())
    for line in lines:
        assert DOT_LINE.fullmatch(line.strip()), line
        assert not re.search(r"&(?!amp;)", line.split("[label=", 1)[-1] if "[label=" in line else ""), line


def test_dot_escapes_are_doubled() -> None:
    text = graph_dot(graph_of('\\N "&lt;"'))
    assert 'label="\\\\N \\"&amp;lt;\\"\\nfound by name"' in text

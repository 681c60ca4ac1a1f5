"""The sections of report, status and apply --report: hostile texts change nothing, and every plot has its numbers."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.planning.resource_graph import GraphNode, ResourceGraph
from scenario_apply.review.html.graph_section import MOST_DRAWN, graph_section
from scenario_apply.review.html.history_section import NOT_ASKED, history_section
from scenario_apply.review.html.page import page_text, rendered
from scenario_apply.review.html.run_section import run_section
from scenario_apply.review.screen import safe
from scenario_apply.state.state import ConceptRecord, Record, State, Version
from tests.review.html.report_sections import ended_with, sections_with, state_with
from tests.review.html.test_hostile_html import ALL, Elements


def page_with(text: str) -> Elements:
    found = Elements()
    ended = run_section(ended_with(text))._replace(id="end")
    found.feed(page_text(f"Report {text}", [*sections_with(text, {}), ended]))
    found.close()
    return found


HARMLESS = page_with("harmless")


@pytest.mark.parametrize("text", ALL, ids=range(len(ALL)))
def test_a_hostile_text_changes_nothing_but_itself(text: str) -> None:
    found = page_with(text)
    assert found.elements == HARMLESS.elements
    assert found.text.count(safe(text)) >= 30
    assert all(value == safe(value) for value in found.values)


def test_no_id_is_used_twice() -> None:
    ids = re.findall(r' id="([^"]*)"', page_text("Report", sections_with("x", {})))
    assert len(ids) == len(set(ids))


def test_every_picture_drawn_by_us_has_words_and_every_plot_a_table() -> None:
    page = page_text("Report", sections_with("x", {}))
    drawn = re.findall(r"<svg ([^>]*)>", page)
    assert all("aria-label" in attributes for attributes in drawn)
    assert page.count('<figure class="chart') == page.count('<details class="plain-numbers">') - 1  # and the graph


def test_a_section_that_is_drawn_already_looks_the_same() -> None:
    sections = sections_with("<b>", {})
    assert page_text("P", [*map(rendered, sections)]).split() == page_text("P", sections).split()


def test_samples_that_were_not_asked_for_are_said_to_be_missing() -> None:
    assert NOT_ASKED in page_text("P", [history_section(state_with("x"), None)])


def test_a_large_graph_is_a_table_only() -> None:
    nodes = tuple(GraphNode(key=f"m{n}", kind="model", title=f"model.m{n}") for n in range(MOST_DRAWN + 1))
    page = page_text("P", [graph_section(ResourceGraph(nodes=nodes, edges=()))])
    assert "<svg" not in page
    assert "model.m200" in page


def test_parts_are_named_by_the_whole_state_where_the_history_is_of_a_selection() -> None:
    made = Version(number=2, id=ModelId("model_1"), phase="trained", name="Kael", type="flux.1-lora")
    parts = (ConceptRecord(ModelId("model_1"), 0.8), ConceptRecord(ModelId("model_x"), 0.4))
    ink = Record(current=replace(made, id=ModelId("model_2"), concepts=parts))
    selected = {Address("composition", "ink"): ink}
    whole = {**selected, Address("model", "kael"): Record(current=made)}
    page = page_text("P", [history_section(State(records=selected), None, whole)])
    assert "model.kael (version 2) at 0.8; model_x at 0.4" in page

"""planning/dependency_graph.py: order, cycles, dependants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.planning.dependency_graph import ancestors, dependants, ordered

DIAMOND = {"roof": ["left", "right"], "left": ["floor"], "right": ["floor"], "floor": [], "shed": []}


def test_each_node_comes_after_what_it_needs_else_in_the_order_given() -> None:
    assert ordered(DIAMOND) == ["floor", "left", "right", "roof", "shed"]
    assert ordered({"b": [], "a": []}) == ["b", "a"]


def test_needs_that_are_no_nodes_are_left_out() -> None:
    assert ordered({"a": ["elsewhere"]}) == ["a"]


def test_a_cycle_is_told_as_the_way_round() -> None:
    with pytest.raises(ValueError, match=r"^a -> b -> c -> a$"):
        ordered({"a": ["b"], "b": ["c"], "c": ["a"]})
    with pytest.raises(ValueError, match=r"^a -> a$"):
        ordered({"a": ["a"]})


def test_a_chain_of_thousands_needs_no_recursion() -> None:
    chain = {n: [n + 1] for n in range(20_000)} | {20_000: []}
    assert ordered(chain) == list(range(20_000, -1, -1))


def test_dependants_and_ancestors_reach_through_others() -> None:
    assert dependants(DIAMOND, ["floor"]) == {"left", "right", "roof"}
    assert ancestors(DIAMOND, ["roof"]) == {"left", "right", "floor"}
    assert dependants(DIAMOND, ["roof", "shed"]) == set()
    assert dependants(DIAMOND, ["floor", "left"]) == {"right", "roof"}


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_every_graph_without_a_cycle_is_put_in_order(edges: list[tuple[int, int]]) -> None:
    """Edges from a larger to a smaller number make no cycle."""
    needs: dict[int, list[int]] = {n: [] for n in range(13)}
    for a, b in edges:
        if a != b:
            needs[max(a, b)].append(min(a, b))
    order = ordered(needs)
    assert sorted(order) == list(range(13))
    at = {node: n for n, node in enumerate(order)}
    assert all(at[need] < at[node] for node, first in needs.items() for need in first)

"""Order in a directed graph: a topological order, cycles, dependants. Knows no resource."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node")


def ordered(needs: Mapping[Node, Collection[Node]]) -> list[Node]:
    """The nodes, each after all it needs, else in the order given. Raises ValueError on a cycle.

    needs: node -> nodes that come first; nodes that are only named as needs are left out.
    """
    done: dict[Node, bool] = {}  # False: being visited
    order: list[Node] = []
    for root in needs:
        stack: list[tuple[Node, Iterable[Node]]] = []
        if root not in done:
            done[root] = False
            stack.append((root, iter(needs[root])))
        while stack:
            node, rest = stack[-1]
            for need in rest:
                if need not in needs or done.get(need):
                    continue
                if need in done:
                    raise ValueError(" -> ".join(str(n) for n, _ in [*stack, (need, ())]))
                done[need] = False
                stack.append((need, iter(needs[need])))
                break
            else:
                done[node] = True
                order.append(node)
                stack.pop()
    return order


def dependants(needs: Mapping[Node, Collection[Node]], of: Iterable[Node]) -> set[Node]:
    """Every node that needs one of these, directly or through others; without these themselves."""
    reverse: dict[Node, list[Node]] = {}
    for node, first in needs.items():
        for need in first:
            reverse.setdefault(need, []).append(node)
    return _reached(reverse, of)


def ancestors(needs: Mapping[Node, Collection[Node]], of: Iterable[Node]) -> set[Node]:
    """Every node that one of these needs, directly or through others; without these themselves."""
    return _reached(needs, of)


def _reached(edges: Mapping[Node, Collection[Node]], of: Iterable[Node]) -> set[Node]:
    start = list(of)
    found: set[Node] = set()
    queue = list(start)
    while queue:
        for other in edges.get(queue.pop(), ()):
            if other not in found:
                found.add(other)
                queue.append(other)
    return found - set(start)

"""Changes the tree of a template before it runs: refuses statements and adds the cost of loops."""

from __future__ import annotations

from typing import cast

from jinja2 import Environment, nodes

from scenario_apply.manifest.templating.template_text import TemplateError

_REFUSED = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.With: "with",
}


def made_to_pay(tree: nodes.Template, environment: Environment) -> nodes.Template:
    """The tree, changed so that loops, joins and comparisons pay into the budget.

    Raises TemplateError for statements that are not allowed.
    """
    for node in tree.find_all(nodes.Node):
        for kind, name in _REFUSED.items():
            if isinstance(node, kind):
                what = f"{{% {name} %}} is not allowed in a manifest"
                raise TemplateError("template-refused", what, None, node.lineno)
        if isinstance(node, nodes.For) and node.recursive:
            raise TemplateError("template-refused", "{% for ... recursive %} is not allowed", None, node.lineno)
    _pay_in(tree)
    tree.set_environment(environment)
    return tree


def _pay_in(node: nodes.Node) -> None:
    """Wraps joins, loops, comparisons and computed lists below node, children first."""
    for name, value in node.iter_fields():
        if isinstance(value, list):
            setattr(node, name, [_paid(item) if isinstance(item, nodes.Node) else item for item in value])
        elif isinstance(value, nodes.Node):
            setattr(node, name, _paid(value))


def _paid(node: nodes.Node) -> nodes.Node:
    if isinstance(node, nodes.For):
        size = sum(1 for _ in node.find_all(nodes.Node))
        _pay_in(node)
        node.iter = _filter(node.iter, "_paid_rounds", node, [nodes.Const(size, lineno=node.lineno)])
        return node
    computed = isinstance(node, nodes.List | nodes.Dict | nodes.Tuple) and _is_computed(node)
    _pay_in(node)
    if isinstance(node, nodes.Compare):
        node.expr = _filter(node.expr, "_paid_operand", node, [])
        for operand in node.ops:
            operand.expr = _filter(operand.expr, "_paid_operand", node, [])
        return node
    if isinstance(node, nodes.Concat):
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "_joined", node, [])
    if computed and getattr(node, "ctx", "load") == "load":
        return _filter(node, "_without_lists", node, [])
    return node


def _is_computed(node: nodes.Node) -> bool:
    fixed = (nodes.Const, nodes.List, nodes.Dict, nodes.Tuple, nodes.Pair, nodes.TemplateData)
    return any(not isinstance(inner, fixed) for inner in node.find_all(nodes.Node))


def _filter(node: nodes.Node, name: str, at: nodes.Node, args: list[nodes.Expr]) -> nodes.Filter:
    return nodes.Filter(cast(nodes.Expr, node), name, args, [], None, None, lineno=at.lineno)


def alone(tree: nodes.Template) -> nodes.Expr | None:
    """The expression of a template that is nothing but {{ expression }}."""
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output):
        inner = tree.body[0].nodes
        if len(inner) == 1 and not isinstance(inner[0], nodes.TemplateData):
            return inner[0]
    return None


def key_of(node: nodes.Node, holder: str) -> str | None:
    inner = getattr(node, "node", None)
    if not isinstance(inner, nodes.Name) or inner.name != holder:
        return None
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None

"""The forms in which a manifest writes samples, brought into one, so that defaults and extends merge them.

Every `samples:` becomes a map of settings with `prompts:`, a list or a map of named sets. Over those of the defaults,
settings win one by one, sets by their name, and a list replaces all prompts.
"""

from __future__ import annotations

from scenario_apply.manifest.fields import child, is_extension
from scenario_apply.manifest.merge import layered
from scenario_apply.manifest.positions import Map, Mark, Node, Seq

SAMPLE_SETTINGS = ("seed", "scale", "size", "count", "guidance", "steps", "base", "reference")
"""What a sample has besides its prompt and its name; written beside `prompts:`, for all of them."""
_OPTIONS = frozenset({"on", "prompts", *SAMPLE_SETTINGS})


def unify_samples(document: Map) -> None:
    """Brings the samples of the defaults and of every resource into the one form, in place."""
    defaults = child(document, "defaults") or Map(document.start)
    kinds = ("models", "compositions")
    holders: list[Node] = [defaults, *(child(defaults, kind) for kind in kinds)]
    for kind in kinds:
        holders += (child(document, kind) or {}).values()
    for holder in holders:
        if isinstance(holder, Map):
            unify_in(holder)


def unify_in(holder: Map) -> None:
    """The same for one resource."""
    if "samples" in holder:
        holder["samples"] = _unified(holder["samples"], holder.marks["samples"])


def _unified(node: Node, marks: tuple[Mark, Mark]) -> Node:
    if isinstance(node, Map) and (not node or _OPTIONS.intersection(node)):
        return node
    if not isinstance(node, Map | Seq):
        return node
    whole = Map(node.start)
    whole.put("prompts", node, marks)
    return whole


def with_default_samples(defaults: Map, kind: str) -> Map | None:
    """defaults.models or defaults.compositions over `defaults.samples`, of which compositions take less."""
    own, samples = child(defaults, kind), defaults.get("samples")
    if samples is None:
        return own
    if kind == "compositions" and isinstance(samples, Map):
        samples = _for_compositions(samples)
    under = Map(defaults.start)
    under.put("samples", samples, defaults.marks["samples"])
    return layered(under, own) if own is not None else under


def _for_compositions(node: Node) -> Node:
    if isinstance(node, Map):
        twin = node.copied()
        for key, value in node.items():
            if key in ("scale", "reference"):
                del twin[key]
            elif not is_extension(key):
                twin[key] = _for_compositions(value)
        return twin
    if isinstance(node, Seq):
        items = Seq(node.start)
        for value, mark in zip(node, node.marks, strict=True):
            items.add(_for_compositions(value), mark)
        return items
    return node

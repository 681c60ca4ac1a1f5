"""Layers of fields: defaults under a resource, a model under the one that extends it."""

from __future__ import annotations

from scenario_apply.manifest.fields import is_extension, texts
from scenario_apply.manifest.positions import Map, Mark
from scenario_apply.manifest.report import Report
from scenario_apply.model.did_you_mean import did_you_mean

_LONGEST_CHAIN = 50
_NOT_INHERITED = ("name", "matrix", "enabled", "extends", "epoch", "best")


def layered(under: Map | None, over: Map) -> Map:
    """The fields of both; where both have a key, maps are merged and anything else is over's.

    Marks keep the position of each value. A null in over is kept: it removes the value of under.
    """
    if not under:
        return over
    joined = over.copied()
    for key, value in under.items():
        own = over.get(key)
        if key not in over:
            if not is_extension(key):
                joined.put(key, value, under.marks[key])
        elif isinstance(own, Map) and isinstance(value, Map):
            joined[key] = layered(value, own)
    return joined


class Inheritance:
    """Resolves `extends` among the models of a manifest, each at most once."""

    def __init__(self, models: Map, report: Report) -> None:
        self._models = models
        self._report = report
        self._done: dict[str, Map] = {}

    def resolved(self, name: str, path: tuple[str, ...] = ()) -> Map:
        """The model's own fields over those of the models it extends."""
        found = self._done.get(name)
        if found is not None:
            return found
        own = self._models[name]
        assert isinstance(own, Map)
        if "extends" not in own:
            self._done[name] = own
            return own
        result = own
        mark = own.value_mark("extends")
        for parent in reversed(texts(own, "extends")):
            result = self._over_parent(parent, result, mark, (*path, name))
        self._done[name] = result
        return result

    def _over_parent(self, parent: str, own: Map, mark: Mark, path: tuple[str, ...]) -> Map:
        parent = parent.removeprefix("model.")
        if parent in path:
            loop = " -> ".join((*path[path.index(parent) :], parent))
            self._report.error(
                "extends-cycle", f"models extend each other in a circle: {loop}", mark, "break the circle"
            )
            return own
        if len(path) > _LONGEST_CHAIN:
            self._report.error("extends-cycle", f"more than {_LONGEST_CHAIN} models extend one another", mark)
            return own
        if not isinstance(self._models.get(parent), Map):
            what = f"model.{path[-1]} extends {parent}, which no manifest declares"
            self._report.error("unknown-reference", what, mark, did_you_mean(parent, self._models, but=path[-1]))
            return own
        base = self.resolved(parent, path)
        taken = base.copied()
        for key in _NOT_INHERITED:
            taken.pop(key, None)
        return layered(taken, own)

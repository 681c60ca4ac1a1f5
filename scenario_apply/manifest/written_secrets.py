"""Secrets that somebody wrote into a manifest in clear: found first, so that no problem shows them.

That they stand there is reported where they are used (parameters.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.manifest.positions import Map, Node, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.templating.templates import is_template
from scenario_apply.model.training_types import SECRET_PARAMETERS


def hide_written_secrets(document: Map, report: Report) -> None:
    """Tells the report to show no text that stands under the name of a secret parameter, wherever that is."""
    if not any(name in text for text in report.sources.values() for name in SECRET_PARAMETERS):
        return
    for value in _values(document, set(), is_secret=False):
        if not is_template(value):
            report.hide(value)


def _values(node: Node, seen: set[tuple[int, bool]], *, is_secret: bool) -> Iterator[str]:
    if isinstance(node, Map | Seq):
        if (id(node), is_secret) in seen:
            return
        seen.add((id(node), is_secret))
    if isinstance(node, Map):
        for key, value in node.items():
            yield from _values(value, seen, is_secret=is_secret or key in SECRET_PARAMETERS)
    elif isinstance(node, Seq):
        for value in node:
            yield from _values(value, seen, is_secret=is_secret)
    elif is_secret and isinstance(node, str | int | float) and not isinstance(node, bool):
        yield str(node)

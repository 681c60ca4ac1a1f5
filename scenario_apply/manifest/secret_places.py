"""Where in a manifest a secret is allowed: the secret parameters of a model, of its matrix, and of the defaults.
And where the prompts of samples are, which know the dataset's trigger.

A walk through a document starts at Spot.DOCUMENT and asks below() for each key or index on its way down.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from scenario_apply.manifest.positions import Map, Node, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.templating.template_text import is_template
from scenario_apply.model.training_types import SECRET_PARAMETERS


class Spot(Enum):
    """SECRET allows a secret. UNLABELLED, a value of a matrix list, would allow one if it had a label.

    SAMPLES: samples and their prompts, without their settings.
    """

    DOCUMENT = auto()
    MODELS = auto()
    MODEL = auto()
    PARAMETERS = auto()
    MATRIX = auto()
    LABELS = auto()
    INCLUDES = auto()
    INCLUDE = auto()
    DEFAULTS = auto()
    DEFAULT_MODEL = auto()
    COMPOSITIONS = auto()
    COMPOSITION = auto()
    SAMPLES = auto()
    SECRET = auto()
    UNLABELLED = auto()
    OTHER = auto()


_NAMED = {
    (Spot.DOCUMENT, "models"): Spot.MODELS,
    (Spot.DOCUMENT, "defaults"): Spot.DEFAULTS,
    (Spot.DOCUMENT, "compositions"): Spot.COMPOSITIONS,
    (Spot.DEFAULTS, "models"): Spot.DEFAULT_MODEL,
    (Spot.DEFAULTS, "compositions"): Spot.COMPOSITION,
    (Spot.DEFAULTS, "samples"): Spot.SAMPLES,
    (Spot.DEFAULT_MODEL, "samples"): Spot.SAMPLES,
    (Spot.MODEL, "samples"): Spot.SAMPLES,
    (Spot.COMPOSITION, "samples"): Spot.SAMPLES,
    (Spot.INCLUDE, "samples"): Spot.SAMPLES,
    (Spot.MATRIX, "samples"): Spot.SAMPLES,
    (Spot.DEFAULT_MODEL, "parameters"): Spot.PARAMETERS,
    (Spot.MODEL, "parameters"): Spot.PARAMETERS,
    (Spot.MODEL, "matrix"): Spot.MATRIX,
    (Spot.MATRIX, "include"): Spot.INCLUDES,
}
_OF_ITEMS = {Spot.INCLUDES: Spot.INCLUDE, Spot.LABELS: Spot.UNLABELLED, Spot.SAMPLES: Spot.SAMPLES}
_NO_PROMPTS = ("on", "seed", "scale", "size", "count", "guidance", "steps", "base", "reference", "name")
_SECRET = {Spot.PARAMETERS: Spot.SECRET, Spot.MATRIX: Spot.LABELS, Spot.INCLUDE: Spot.SECRET}


def below(spot: Spot, key: str | int) -> Spot:
    """The spot of the value under that key, or of the item of that index."""
    if isinstance(key, int):
        return _OF_ITEMS.get(spot, Spot.OTHER)
    if spot is Spot.SAMPLES:
        return Spot.OTHER if key in _NO_PROMPTS else spot
    if spot is Spot.MODELS:
        return Spot.MODEL
    if spot is Spot.COMPOSITIONS:
        return Spot.COMPOSITION
    if spot is Spot.LABELS:
        return Spot.SECRET
    if key in SECRET_PARAMETERS:
        return _SECRET.get(spot, Spot.OTHER)
    return _NAMED.get((spot, key), Spot.OTHER)


def hide_written_secrets(document: Map, report: Report) -> None:
    """Makes the report hide every text under the name of a secret parameter; parameters.py reports such a text."""
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

"""Where in a manifest a secret may stand: the secret parameters of a model, of its matrix, and of the defaults.

A walk through a document starts at Spot.DOCUMENT and asks below() for each key or index on its way down.
"""

from __future__ import annotations

from enum import Enum, auto

from scenario_apply.model.training_types import SECRET_PARAMETERS


class Spot(Enum):
    """SECRET takes a secret. UNLABELLED would take one if it had a label: the value of a matrix list."""

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
    SECRET = auto()
    UNLABELLED = auto()
    OTHER = auto()


_NAMED = {
    (Spot.DOCUMENT, "models"): Spot.MODELS,
    (Spot.DOCUMENT, "defaults"): Spot.DEFAULTS,
    (Spot.DEFAULTS, "models"): Spot.DEFAULT_MODEL,
    (Spot.DEFAULT_MODEL, "parameters"): Spot.PARAMETERS,
    (Spot.MODEL, "parameters"): Spot.PARAMETERS,
    (Spot.MODEL, "matrix"): Spot.MATRIX,
    (Spot.MATRIX, "include"): Spot.INCLUDES,
}
_SECRET = {Spot.PARAMETERS: Spot.SECRET, Spot.MATRIX: Spot.LABELS, Spot.INCLUDE: Spot.SECRET}


def below(spot: Spot, key: str | int) -> Spot:
    """The spot of the value under that key, or of the item of that index."""
    if isinstance(key, int):
        return {Spot.INCLUDES: Spot.INCLUDE, Spot.LABELS: Spot.UNLABELLED}.get(spot, Spot.OTHER)
    if spot is Spot.MODELS:
        return Spot.MODEL
    if spot is Spot.LABELS:
        return Spot.SECRET
    if key in SECRET_PARAMETERS:
        return _SECRET.get(spot, Spot.OTHER)
    return _NAMED.get((spot, key), Spot.OTHER)

"""What a training was made from, as one short text that a newer release of the tool still understands.

A fingerprint is "<version>:<hex>". A record keeps the fingerprint it was trained with; the desired side is
fingerprinted with the record's own version, so a change of the algorithm never retrains a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from scenario_apply.model.secret import MASK, Secret
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.state.state import FINGERPRINT_VERSION, ConceptRecord


def fingerprint(
    *,
    type: str,
    parameters: Mapping[str, object],
    dataset: str | None,
    concepts: Iterable[ConceptRecord] = (),
    like: str | None = None,
) -> str:
    """The fingerprint of a training. dataset: its digest; like: a recorded one whose version is to be used.

    Raises ValueError for a version this release does not know.
    """
    version = FINGERPRINT_VERSION if like is None else int(like.split(":", 1)[0])
    if version not in (1, 2):
        raise ValueError(f"fingerprint version {version} was written by a newer scenario-apply")
    made_from = {
        "type": type,
        "parameters": _first_form(parameters) if version == 1 else _counted(parameters),
        "dataset": dataset,
        "concepts": sorted([c.model_id, float(c.scale), c.epoch or ""] for c in concepts),
    }
    text = json.dumps(made_from, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{version}:{hashlib.sha256(text.encode()).hexdigest()}"


def _counted(parameters: Mapping[str, object]) -> dict[str, object]:
    """What a training is made of. A secret is no part of it: it changes no result, and its digest could be guessed."""
    return {key: plain_parameter(value) for key, value in parameters.items() if key not in SECRET_PARAMETERS}


def _first_form(parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters of a fingerprint of version 1, which held a secret as its SHA-256. Computed, never stored."""
    return {
        key: {"secret": f"sha256:{hashlib.sha256(value.reveal().encode()).hexdigest()}"}
        if isinstance(value, Secret)
        else plain_parameter(value)
        for key, value in parameters.items()
    }


def plain_parameter(value: object) -> object:
    """A parameter as it may be stored: 10.0 is 10, a secret is masked."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, list | tuple):
        return [plain_parameter(item) for item in value]
    return value

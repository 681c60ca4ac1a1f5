"""What a training was made from, as one short text that a newer release of the tool still understands.

A fingerprint is "<version>:<hex>". A record keeps the fingerprint it was trained with; the desired side is
fingerprinted with the record's own version, so a change of the algorithm never retrains a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from scenario_apply.core.state import FINGERPRINT_VERSION, ConceptRecord


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
    if version != 1:
        raise ValueError(f"fingerprint version {version} was written by a newer scenario-apply")
    made_from = {
        "type": type,
        "parameters": {key: plain_parameter(value) for key, value in parameters.items()},
        "dataset": dataset,
        "concepts": sorted([c.model_id, float(c.scale), c.epoch or ""] for c in concepts),
    }
    text = json.dumps(made_from, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"1:{hashlib.sha256(text.encode()).hexdigest()}"


def plain_parameter(value: object) -> object:
    """A parameter as it may be stored: 10.0 is 10, a secret is its digest."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    digest = getattr(value, "digest", None)
    if isinstance(value, str) and isinstance(digest, str):  # a Secret
        return {"secret": digest}
    if isinstance(value, list | tuple):
        return [plain_parameter(item) for item in value]
    return value

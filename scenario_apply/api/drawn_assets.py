"""What an asset says of the job that drew it."""

from __future__ import annotations

from typing import Any

from scenario_apply.api.answers import AssetMetadataAnswer
from scenario_apply.model.ids import is_id
from scenario_apply.model.remote import JobId


def drawn(metadata: AssetMetadataAnswer | None) -> dict[str, Any]:
    """By the fields of RemoteAsset; nothing where it does not say."""
    if metadata is None:
        return {}
    told = {"prompt": metadata.prompt, "seed": metadata.seed, "modelId": metadata.model_id}
    job = metadata.parent_job_id
    return {
        "drawn_by": JobId(job) if isinstance(job, str) and is_id(job) else None,
        "asked": {name: value for name, value in told.items() if isinstance(value, str | int | float)},
    }

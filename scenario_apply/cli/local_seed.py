"""What the embedded Scenario holds from its start: a file beside the manifest, or the one that the caller names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from scenario_apply.errors import ManifestError, ScenarioApplyError

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings

SEED_FILE = "emulator-seed.json"


def seed_option(settings: Settings, root: str) -> list[str]:
    """--seed of the emulator, where there is one. Raises ScenarioApplyError for a link in the place of the file."""
    seed = os.path.join(settings.cwd, settings.local_seed or os.path.join(root, SEED_FILE))
    if settings.local_seed is None and os.path.islink(seed):
        why = f"{seed} is a link; links are not followed here"
        raise ScenarioApplyError(why, code="unsafe-file", hint=f"delete the link {seed}")
    return ["--seed", seed] if settings.local_seed is not None or _is_seed(root, seed) else []


def _is_seed(root: str, path: str) -> bool:
    """Whether a seed lies beside the manifest. Raises ManifestError for a link to what must not be read."""
    from scenario_apply.dataset.scan.barriers import refusal_finding
    from scenario_apply.errors import Location as FilePlace
    from scenario_apply.manifest.loader.data_guard import DataGuard

    if not os.path.isfile(path):
        return False
    barrier = DataGuard(root).barrier(os.path.realpath(path))
    if barrier is None:
        return True
    found = refusal_finding(barrier, SEED_FILE, link_to=os.path.realpath(path))
    hint = "put the file itself there, or name it with SCENARIO_APPLY_LOCAL_SEED"
    raise ManifestError(found.what, location=FilePlace(file=path), hint=hint, code=found.code)

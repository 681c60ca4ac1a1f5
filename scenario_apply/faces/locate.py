"""Which state file, which cache: paths from what was asked and where the manifest lies."""

from __future__ import annotations

import os

from scenario_apply.core.manifest.spec import Manifest


def state_path(manifest: Manifest, given: str | None, cwd: str) -> str:
    """The state file. given: --state, relative to cwd; else `state:`, relative to the manifest's folder.

    Left out, it is state/NAME.json in the manifest's folder, beside the folder when it is called manifests.
    """
    if given is not None:
        return os.path.abspath(os.path.join(cwd, given))
    if manifest.state is not None:
        return os.path.abspath(os.path.join(manifest.root, manifest.state))
    home = manifest.root
    if manifest.is_folder and os.path.basename(home) == "manifests":
        home = os.path.dirname(home)
    return os.path.join(home, "state", f"{manifest.name}.json")


def cache_path(manifest: Manifest) -> str:
    """The fingerprint cache; deleting it is always safe."""
    return os.path.join(manifest.root, ".scenario", "cache")


def emulator_path(root: str) -> str:
    """Where the embedded Scenario of --local keeps what it holds."""
    return os.path.join(root, ".scenario", "emulator")

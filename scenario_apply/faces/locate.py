"""Which state file, which cache: paths from what was asked and where the manifest lies."""

from __future__ import annotations

import os

from scenario_apply.core.manifest.spec import Manifest
from scenario_apply.errors import StateError


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


def refuse_twin(manifest: Manifest, path: str) -> None:
    """A folder and the file in it are the same manifest with two names for its state. Raises StateError when there is
    no state of this name, but one of the other: everything would be made and paid for a second time.
    """
    if os.path.exists(path):
        return
    home = os.path.dirname(path)
    if manifest.is_folder:
        twins = [os.path.basename(file).split(".")[0] for file in manifest.files]
    else:
        twins = [os.path.basename(manifest.root)]
    for twin in twins:
        other = os.path.join(home, f"{twin}.json")
        if other != path and os.path.exists(other):
            was = "file" if manifest.is_folder else "folder"
            raise StateError(
                f"this manifest was applied as a {was}: its state is {os.path.basename(other)}, "
                f"not {os.path.basename(path)}",
                code="state-twin",
                mend=f"name the {was} again, or say which state is meant with --state",
            )


def cache_path(manifest: Manifest) -> str:
    """The fingerprint cache; deleting it is always safe."""
    return os.path.join(manifest.root, ".scenario", "cache")


def emulator_path(root: str) -> str:
    """Where the embedded Scenario of --local keeps what it holds."""
    return os.path.join(root, ".scenario", "emulator")

"""Where an export goes: a manifest that is there or is made, and the folder that its datasets are in."""

from __future__ import annotations

import os

from msgspec import Struct

from scenario_apply.cli.locate import emulator_path, refuse_root_outside
from scenario_apply.errors import ScenarioApplyError, UsageError
from scenario_apply.manifest.spec import Manifest

_ENDINGS = (".yaml", ".yml")
_DEFAULT = "scenario.yaml"
_DEFAULTS = (_DEFAULT, "scenario.yml")
_FOLDER = "manifests"
_BESIDE_OTHERS = "imported.yaml"


class CannotExport(ScenarioApplyError):
    """Nothing can be exported to that place."""

    code = "export"


class ExportTarget(Struct, frozen=True, kw_only=True):
    """manifest: as the user names it, to plan it. file: the one that is written. Both exist or not.

    root: the folder of the manifest. is_folder: all manifests in it are read as one.
    """

    manifest: str
    file: str
    root: str
    is_folder: bool
    has_manifest: bool

    @property
    def is_one_of_many(self) -> bool:
        """Whether other manifests of the folder are read together with the one that is written."""
        return self.is_folder and any(os.path.join(self.root, name) != self.file for name in _manifests_in(self.root))

    def blank(self, project: str | None) -> Manifest:
        """The manifest that will be there, before it is."""
        name = os.path.basename(self.root if self.is_folder else self.file)
        for ending in _ENDINGS:
            name = name.removesuffix(ending)
        return Manifest(
            path=self.manifest,
            root=self.root,
            name=name,
            is_folder=self.is_folder,
            digest="",
            files=(),
            project=project,
        )


def export_target(written: str | None, cwd: str) -> ExportTarget:
    """written: MANIFEST, a file or a folder that need not exist; None: scenario.yaml, else manifests/, in cwd.

    Raises UsageError, CannotExport for a place that cannot be written to.
    """
    if written is None:
        there = [name for name in (*_DEFAULTS, _FOLDER) if os.path.exists(os.path.join(cwd, name))]
        written = there[0] if there else _DEFAULT
    if written.endswith(".j2"):
        raise UsageError(f"{written} is a template, which is not extended", hint="name another file, or a folder")
    path = os.path.abspath(os.path.join(cwd, written))
    refuse_root_outside(path, cwd)
    is_file = os.path.isfile(path) or (written.endswith(_ENDINGS) and not os.path.isdir(path))
    if is_file:
        has = os.path.exists(path)
        return ExportTarget(manifest=written, file=path, root=os.path.dirname(path), is_folder=False, has_manifest=has)
    if os.path.lexists(path) and not os.path.isdir(path):
        raise CannotExport(f"{written} is neither a file nor a folder")
    others = _manifests_in(path)
    own = next((name for name in _DEFAULTS if name in others), _BESIDE_OTHERS if others else _DEFAULT)
    return ExportTarget(
        manifest=written, file=os.path.join(path, own), root=path, is_folder=True, has_manifest=bool(others)
    )


def _manifests_in(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    endings = (*_ENDINGS, *(f"{ending}.j2" for ending in _ENDINGS))
    return sorted(name for name in os.listdir(folder) if name.endswith(endings) and not name.startswith("."))


def bring_local_data(target: ExportTarget, source: str | None, cwd: str) -> str | None:
    """Copies what an embedded Scenario holds beside a manifest that is elsewhere; where it came from.

    source: the root of a manifest; None: this folder.
    --local keeps its models beside the manifest: without a copy the exported manifest would be planned on an empty one.
    """
    from scenario_apply.cli.local_service import copy_local_data

    there = emulator_path(target.root)
    if os.path.lexists(there):
        return None
    for home in (cwd, os.path.join(cwd, _FOLDER)) if source is None else (source,):
        here = emulator_path(os.path.abspath(home))
        if os.path.isdir(here) and os.path.realpath(home) != os.path.realpath(target.root):
            copy_local_data(here, there, within=target.root)
            return os.path.relpath(here, cwd)
    return None

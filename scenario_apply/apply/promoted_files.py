"""The file of a manifest that says which version or epoch was chosen. Computes the edit; writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from scenario_apply.apply.manifest_edits import FileEdit, Reload, check_meaning, edited_files
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.spec import Json, Manifest
from scenario_apply.manifest.yaml.edits import CannotEdit, YamlEdit
from scenario_apply.planning.promotion import Promotion


def promoted_files(manifest: Manifest, promoted: Promotion, cwd: str, reload: Reload) -> list[FileEdit]:
    """The edits of the manifest. cwd: where paths of its files are seen from. Raises CannotEdit."""
    address = promoted.address
    if address.label:
        raise CannotEdit("it is a child of a matrix, and its entry is that of all of them")
    spec = manifest.models[address]
    entry = ("models", address.name)
    edits = [YamlEdit((*entry, *key.split(".", 1)), value) for key, value in promoted.values.items()]
    edits += [YamlEdit((*entry, *key.split(".", 1)), None, removed=True) for key in promoted.removed]
    if not edits:
        return []
    try:
        found = _edited(manifest, cwd, spec.place.file, edits)
        meant = replace(manifest, models={**manifest.models, address: promoted.spec})
        check_meaning(manifest, found, reload, meant)
    except ManifestError as error:
        raise CannotEdit("the manifest would not be valid with it") from error
    return found


def _edited(manifest: Manifest, cwd: str, file: str, edits: Sequence[YamlEdit]) -> list[FileEdit]:
    """Parameters of an entry that has none of its own are written as one map."""
    try:
        return edited_files(manifest, cwd, [(file, edit) for edit in edits], {})
    except CannotEdit:
        own: dict[str, Json] = {edit.keys[-1]: edit.value for edit in edits if edit.keys[2] == "parameters"}
        if not own or any(edit.removed for edit in edits):
            raise
        others = [edit for edit in edits if edit.keys[2] != "parameters"]
        block = YamlEdit((*edits[0].keys[:2], "parameters"), own)
        return edited_files(manifest, cwd, [(file, edit) for edit in (*others, block)], {})

"""The file of a manifest that says which version or epoch was chosen. Computes the edit; writes nothing."""

from __future__ import annotations

from msgspec.structs import replace

from scenario_apply.apply.manifest_edits import FileEdit, Reload, edited_files
from scenario_apply.manifest.spec import Json, Manifest
from scenario_apply.manifest.yaml.edits import NotThere, YamlEdit
from scenario_apply.manifest.yaml.own_maps import CannotEdit
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
    meant = replace(manifest, models={**manifest.models, address: promoted.spec})
    try:
        return edited_files(manifest, cwd, [(spec.place.file, edit) for edit in edits], {}, reload, meant)
    except NotThere:  # an entry that has no parameters of its own gets a map of them
        own: dict[str, Json] = {edit.keys[-1]: edit.value for edit in edits if edit.keys[2] == "parameters"}
        if not own or any(edit.removed for edit in edits):
            raise
    edits = [edit for edit in edits if edit.keys[2] != "parameters"] + [YamlEdit((*entry, "parameters"), own)]
    return edited_files(manifest, cwd, [(spec.place.file, edit) for edit in edits], {}, reload, meant)

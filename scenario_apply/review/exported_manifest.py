"""Exported resources as pieces of a manifest, in which texts of the service are literal, not templates. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from scenario_apply.planning.export_layout import ExportedDataset, ExportedResource
from scenario_apply.review.yaml_text import yaml_text

Adjustments = Mapping[str, Mapping[str, object]]
"""What the first reading of the manifest showed to be needed: key of a dataset or address -> fields."""

_TEMPLATE = re.compile(r"\{[{%#]")
_ORDER = ("name", "type", "description", "tags", "dataset", "epoch", "parameters", "concepts", "lifecycle")


def literal(value: object) -> object:
    """The value as a manifest has to say it, so that its templates give the same value again."""
    if isinstance(value, str):
        if "{{" not in value and "{%" not in value:
            return value
        return _TEMPLATE.sub(lambda sign: '{{ "' + sign[0] + '" }}', value)
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [literal(item) for item in value]
    return value


def manifest_entries(
    resources: Iterable[ExportedResource],
    datasets: Mapping[str, ExportedDataset],
    adjustments: Adjustments,
    *,
    folder: str,
    imports: Iterable[ExportedResource],
) -> Mapping[str, str]:
    """Blocks -> their entries, as with_entries takes them. datasets: by identity; those of the resources are written.

    folder: from the manifest's root to the folders, "." for the root. imports: those that get an `import:` block.
    """
    resources = list(resources)
    used = {r.dataset for r in resources if r.dataset is not None}
    blocks: dict[str, dict[str, object]] = {"datasets": {}, "models": {}, "compositions": {}}
    for identity, dataset in datasets.items():
        if identity in used:
            blocks["datasets"][dataset.key] = _dataset(dataset, folder, adjustments.get(dataset.key, {}))
    for resource in resources:
        fields = {**resource.fields, **_with_lifecycle(resource.fields, adjustments.get(str(resource.address), {}))}
        ordered = {key: literal(fields[key]) for key in _ORDER if key in fields}
        blocks[f"{resource.address.kind}s"][resource.address.name] = ordered
    entries = {name: _entries(block) for name, block in blocks.items() if block}
    blocks_of_imports = [{"to": str(resource.address), "id": resource.remote.id} for resource in imports]
    if blocks_of_imports:
        text = yaml_text({"import": blocks_of_imports})
        entries["import"] = "".join(line for line in text.splitlines(keepends=True)[1:])
    return entries


def _with_lifecycle(fields: Mapping[str, object], more: Mapping[str, object]) -> Mapping[str, object]:
    held, added = fields.get("lifecycle"), more.get("lifecycle")
    if isinstance(held, Mapping) and isinstance(added, Mapping):
        return {**more, "lifecycle": {**held, **added}}
    return more


def _dataset(dataset: ExportedDataset, folder: str, more: Mapping[str, object]) -> dict[str, object]:
    place = f"./{dataset.key}" if folder == "." else f"./{folder}/{dataset.key}"
    where: dict[str, object] = {"images": place}
    if dataset.is_pairs:
        where = {"before": f"{place}/before", "after": f"{place}/after"}
    return {**where, **{key: literal(value) for key, value in dataset.fields.items()}, **more}


def _entries(block: Mapping[str, object]) -> str:
    return "".join(yaml_text({key: value}) for key, value in block.items())


def new_manifest(head: Sequence[str], entries: Mapping[str, str], project: str | None) -> str:
    """A manifest of nothing else. head: its first lines."""
    blocks = (
        f"\n{name}:\n" + "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))
        for name, text in entries.items()
    )
    scope = {} if project is None else {"project": project}
    return "".join(f"{line}\n" for line in head) + yaml_text({"version": 1, **scope}) + "".join(blocks)

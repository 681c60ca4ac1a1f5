"""Which convention a dataset follows: where its pictures lie, and where each caption was found.

The names are stable codes; review/convention_words.py words them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.types import Convention
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import name_of, stem_of, suffix_of

_FORMS_OF_METADATA = ("csv", "tsv", "jsonl")


def caption_conventions(
    spec: DatasetSpec,
    images: Sequence[FileEntry],
    raws: Mapping[str, Raw],
    forms: Mapping[str, str],
    captioned: Mapping[str, bool],
    *,
    by_service: bool,
) -> tuple[Convention, ...]:
    """Where the captions were found, the most frequent source first.

    raws: as found, by image path. forms: table -> its form. captioned: path -> whether a caption is sent.
    by_service: whether Scenario captions what has no caption, though nothing asks for it: where there is none at all.
    """
    counts: Counter[tuple[str, str | None]] = Counter()
    for image in images:
        raw = raws.get(image.path)
        if raw is not None:
            counts[_source_of(spec, image, raw, forms)] += 1
        elif captioned.get(image.path):
            counts["one-for-all", None] += 1
        elif spec.captions.kind == "auto" or spec.missing == "auto" or by_service:
            counts["by-service", None] += 1
    found = {"one-for-all", "by-service"} if spec.captions.kind != "auto" else {"one-for-all"}
    declared = spec.captions.kind != "recognise"
    return tuple(
        Convention(code, count, file, is_declared=(declared and code not in found) or code == "one-for-all")
        for (code, file), count in sorted(counts.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or ""))
    )


def pair_conventions(spec: DatasetSpec, count: int) -> tuple[Convention, ...]:
    """How the pictures of edit pairs are matched."""
    pairs = spec.pairs
    if pairs is None:
        return (Convention("pair-folders", count, is_declared=True),)
    if pairs.table is not None:
        return (Convention("pair-table", count, pairs.table.removeprefix("./"), is_declared=True),)
    if pairs.entries:
        return (Convention("pair-list", count, is_declared=True),)
    return (Convention("pair-suffixes", count, pairs.folder, is_declared=pairs.suffixes is not None),)


def _source_of(spec: DatasetSpec, image: FileEntry, raw: Raw, forms: Mapping[str, str]) -> tuple[str, str | None]:
    if raw.file is None:
        return ("file-name" if spec.captions.kind == "filename" else "map-in-manifest"), None
    form = forms.get(raw.file)
    if form is not None:
        is_metadata = stem_of(name_of(raw.file)).lower() == "metadata" and form in _FORMS_OF_METADATA
        return ("metadata" if is_metadata else form), raw.file
    name, own = name_of(raw.file).casefold(), name_of(image.file).casefold()
    if name.startswith(own + "."):
        return "sidecar-full-name", name[len(own) :]
    stem = stem_of(own)
    ending = name[len(stem) :] if name.startswith(stem) else suffix_of(name)
    return ("sidecar-json" if ending == ".json" else "sidecar"), ending

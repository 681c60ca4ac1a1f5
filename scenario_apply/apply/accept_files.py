"""Edits of manifest and caption files that say what was changed on Scenario. Computes them; writes nothing.

An edit of the manifest counts only if the manifest, loaded with it, says what is meant and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.apply.manifest_edits import FileEdit, Reload, decoded, edited_files
from scenario_apply.dataset.captions.caption_edits import is_sent_as, to_be_written, with_caption
from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.dataset.scan.caption_places import CaptionPlaces
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import CompositionSpec, DatasetSpec, Manifest, ModelSpec
from scenario_apply.manifest.yaml.edits import YamlEdit
from scenario_apply.manifest.yaml.own_maps import CannotEdit
from scenario_apply.model.file_names import name_of, stem_of
from scenario_apply.model.lint_rules import Finding
from scenario_apply.planning.acceptance import Acceptance, AcceptedCaption, AcceptedValue

if TYPE_CHECKING:
    from scenario_apply.model.address import Address


class AcceptedFiles(Struct, kw_only=True):
    """manifest: as it is now. cwd: where paths of its files are seen from. left: sentences on what is not written.

    recorded: resources of the state. refused: (address, what) that is no part of the edits after all.
    """

    manifest: Manifest
    recorded: frozenset[Address]
    cwd: str
    reload: Reload
    places_of: Callable[[str], CaptionPlaces]
    edits: dict[str, FileEdit] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    refused: set[tuple[Address, str]] = field(default_factory=set)
    _places: dict[str, CaptionPlaces] = field(default_factory=dict)
    _accepted: list[AcceptedValue | AcceptedCaption] = field(default_factory=list)
    _wanted: dict[tuple[str, str], str] = field(default_factory=dict)
    _texts: dict[tuple[str, int | None], str] = field(default_factory=dict)

    def add(self, accepted: Acceptance) -> None:
        """Adds the edits of everything that is accepted; what cannot be written is left."""
        values: list[tuple[AcceptedValue | AcceptedCaption, str, YamlEdit]] = []
        for value in accepted.values:
            spec = self._spec(value.address)
            section = "models" if isinstance(spec, ModelSpec) else "compositions"
            keys = (section, value.address.name, *value.key.split(".", 1))
            edit = YamlEdit(keys, value.value, may_be_new=value.key not in spec.places)
            if value.address.label:
                self._leave(value, "it is a child of a matrix", spec.place)
            else:
                values.append((value, spec.place.file, edit))
        self._wanted = {(one.dataset, one.path): one.caption for one in accepted.captions}
        for caption in accepted.captions:
            found = self._caption(caption)
            if isinstance(found, str):
                self._leave(caption, found, None)
            elif found is not None:
                values.append((caption, *found))
            else:
                self._accepted.append(caption)
        if values and not self._add_to_manifest(values):
            for one in values:
                self._add_to_manifest([one], says_why=True)
        for done in self._accepted:  # a model with one caption that is written has the state of all of them
            if isinstance(done, AcceptedCaption):
                self.refused -= {(address, "caption") for address in done.addresses}

    def _spec(self, address: Address) -> ModelSpec | CompositionSpec:
        found: ModelSpec | CompositionSpec | None = self.manifest.models.get(address)
        return found if found is not None else self.manifest.compositions[address]

    def _leave(self, one: AcceptedValue | AcceptedCaption, why: str, place: Location | None) -> None:
        if isinstance(one, AcceptedValue):
            where = f" (the entry is at {place})" if place is not None else ""
            self.left.append(f"{one.address}: {one.key} is {one.value!r} on Scenario: {why}; edit it by hand{where}")
            self.refused.add((one.address, one.key.partition(".")[0]))
        else:
            named = ", ".join(map(str, one.addresses))
            self.left.append(f"{named}: the caption of {one.path}: {why}; edit it by hand: {one.caption!r}")
            self.refused |= {(address, "caption") for address in one.addresses}

    # -- the manifest

    def _add_to_manifest(
        self, values: Sequence[tuple[AcceptedValue | AcceptedCaption, str, YamlEdit]], *, says_why: bool = False
    ) -> bool:
        """False where the manifest with these values is not exactly what is meant."""
        try:
            edits = [(file, edit) for _, file, edit in values]
            meant = self._meant([one for one, _, _ in values])
            found = edited_files(self.manifest, self.cwd, edits, self.edits, self.reload, meant)
        except CannotEdit as error:
            if says_why:
                one = values[0][0]
                place = self._spec(one.address).place if isinstance(one, AcceptedValue) else None
                where = "" if error.line is None else f" ({error.file}:{error.line})"
                self._leave(one, f"{error}{where}", place)
            return False
        self.edits |= {edit.file: edit for edit in found}
        self._accepted += [one for one, _, _ in values]
        return True

    def _meant(self, values: Sequence[AcceptedValue | AcceptedCaption]) -> Manifest:
        """The manifest with the values that are accepted."""
        models, compositions = dict(self.manifest.models), dict(self.manifest.compositions)
        datasets = dict(self.manifest.datasets)
        for one in (*self._accepted, *values):
            if isinstance(one, AcceptedCaption):
                if datasets[one.dataset].captions.kind != "map":
                    continue  # it is in a file of its own
                datasets[one.dataset] = self._with_caption(datasets[one.dataset], one)
            elif one.address in models:
                models[one.address] = _with_value(models[one.address], one)
            else:
                compositions[one.address] = replace(compositions[one.address], **_label(one))
        return replace(self.manifest, models=models, compositions=compositions, datasets=datasets)

    def _with_caption(self, spec: DatasetSpec, one: AcceptedCaption) -> DatasetSpec:
        key, text = self._map_entry(spec, one)
        entries = {**spec.captions.entries, key: text}
        return replace(spec, captions=replace(spec.captions, entries=entries))

    # -- captions

    def _caption(self, one: AcceptedCaption) -> str | tuple[str, YamlEdit] | None:
        """None once it is added; an edit of the manifest that holds it; or why it cannot be written."""
        spec = self.manifest.datasets[one.dataset]
        places = self._places_of(one.dataset)
        raw = places.gathered.raws.get(one.path)
        if spec.captions.kind == "map" and raw is not None:
            key, _ = self._map_entry(spec, one)
            return spec.place.file, YamlEdit(
                (*_keys_of(self.manifest, spec), "captions", key), self._map_entry(spec, one)[1]
            )
        if raw is None or raw.file is None:
            return "no file has a caption of this image alone"
        text = to_be_written(places.spec, one.path, raw.text, one.caption)
        if text is None:
            return "with what the dataset adds to each caption, no text is sent like that"
        return self._in_file(places, one, raw, text)

    def _in_file(self, places: CaptionPlaces, one: AcceptedCaption, raw: Raw, text: str) -> str | None:
        file = raw.file
        assert file is not None
        if file not in {*places.sidecars, *places.tables}:
            return f"{file} is no text file of this folder"
        if self._texts.get((file, raw.line)) == text:
            return None  # written for another dataset that reads the same file
        if other := self._other_reader(one.dataset, raw, text):
            return f"{other} takes it from {file}, too, and would be trained again"
        known = self.edits.get(file)
        before = known.before if known is not None else places.read(file)
        if isinstance(before, Finding) or before is None:
            return f"{file} cannot be read"
        try:
            mark, held = decoded(before if known is None else known.after)
        except CannotEdit as error:
            return f"{file}: {error}"
        is_table = file in places.gathered.forms
        changed = with_caption(held, file, raw, text, one.path, is_table=is_table)
        if changed is None:
            return f"{file} cannot be changed there byte for byte"
        self.edits[file] = FileEdit(file=file, before=before, after=mark + changed.encode())
        self._texts[file, raw.line] = text
        return None

    def _other_reader(self, dataset: str, raw: Raw, text: str) -> Address | None:
        """A trained model of another dataset with a caption from the same place, which this text would change."""
        for address, spec in sorted(self.manifest.models.items()):
            is_free = not spec.enabled or "captions" in spec.lifecycle.ignore_changes
            if spec.dataset == dataset or is_free or address not in self.recorded:
                continue
            places = self._places_of(spec.dataset)
            for path, held in places.gathered.raws.items():
                if (held.file, held.line) != (raw.file, raw.line):
                    continue
                wanted = self._wanted.get((spec.dataset, path))
                if wanted is None or not is_sent_as(places.spec, path, text, wanted):
                    return address
        return None

    def _places_of(self, dataset: str) -> CaptionPlaces:
        if dataset not in self._places:
            self._places[dataset] = self.places_of(dataset)
        return self._places[dataset]

    def _map_entry(self, spec: DatasetSpec, one: AcceptedCaption) -> tuple[str, str]:
        """The key of an image in a map of the manifest, and the text that is to stand there."""
        keys = [key for key in spec.captions.entries if _is_key_of(key, one.path)]
        key = keys[0] if len(keys) == 1 else one.path
        text = to_be_written(spec, one.path, spec.captions.entries.get(key, ""), one.caption)
        return key, one.caption if text is None else text


def _is_key_of(key: str, path: str) -> bool:
    name = name_of(path)
    return key in (path, name, stem_of(name))


def _keys_of(manifest: Manifest, spec: DatasetSpec) -> tuple[str, ...]:
    """Where a dataset is written: under datasets, or in place at the model that it is named after."""
    for address, model in manifest.models.items():
        written = model.places.get("dataset")
        if model.dataset == spec.name == address.name and written is not None and _same_line(written, spec.place):
            return "models", address.name, "dataset"
    return "datasets", spec.name


def _same_line(one: Location, other: Location) -> bool:
    return (one.file, one.line) == (other.file, other.line)


def _with_value(spec: ModelSpec, one: AcceptedValue) -> ModelSpec:
    section, _, name = one.key.partition(".")
    if section == "parameters":
        return replace(spec, parameters={**spec.parameters, name: one.value})
    return replace(spec, **_label(one))


def _label(one: AcceptedValue) -> dict[str, Any]:
    if one.key == "epoch":
        return {"epoch": str(one.value)}
    return {one.key: tuple(map(str, one.value)) if isinstance(one.value, list) else one.value}

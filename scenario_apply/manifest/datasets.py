"""Datasets as declared -> DatasetSpec: by key, by path, or written in place under a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from msgspec.structs import replace

from scenario_apply.manifest.caption_words import CAPTION_WORDS, captions_hint
from scenario_apply.manifest.dataset_urls import check_urls
from scenario_apply.manifest.expansion import Expansion
from scenario_apply.manifest.fields import child, flag, is_extension, maps, plain, text, texts
from scenario_apply.manifest.merge import layered
from scenario_apply.manifest.picture_keys import picture_options
from scenario_apply.manifest.positions import Map, Mark, Node, Seq
from scenario_apply.manifest.report import Places, Report
from scenario_apply.manifest.spec import (
    CaptionLines,
    CaptionSource,
    DatasetSpec,
    Json,
    MissingCaption,
    ModelSpec,
    PairSpec,
)
from scenario_apply.manifest.yaml.plain_text import cut_message
from scenario_apply.model.address import Address
from scenario_apply.model.did_you_mean import did_you_mean, listed
from scenario_apply.model.globs import alternatives, has_magic

_CAPTION_OPTIONS = frozenset({"suffix", "lines", "file", "map", "missing"})
_TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".json", ".yaml", ".yml", ".parquet")
_MISSING = ("error", "warn", "auto")
_CAPTION_TEXTS = frozenset({"caption", "trigger", "prefix", "suffix", "caption_template", "instruction"})
_LINES = ("join", "comma", "space", "first")
_MOST_OF_PATTERNS = 300_000  # characters; compiling them takes two seconds


class Datasets:
    """Every dataset of a manifest by name; models add theirs as they are built."""

    def __init__(self, document: Map, defaults: Map | None, report: Report, expansion: Expansion) -> None:
        self.specs: dict[str, DatasetSpec] = {}
        self.fields: dict[str, Map] = {}
        self._declared = child(document, "datasets") or Map(document.start)
        self._defaults = defaults
        self._report = report
        self._expansion = expansion
        self._patterns: set[str] = set()
        self._characters = 0  # of the patterns
        for name, value in self._declared.items():
            if not is_extension(name):
                self._add(name, value, self._declared.marks[name])

    def reference(self, model: Map, name: str, own: str, mark: Mark) -> str | None:
        """The name of the dataset that the model's `dataset` means; None when it means none, which is reported.

        name: the model's key; own: what a dataset of this model alone is called.
        """
        value = model.get("dataset")
        if value is None:
            if "dataset" not in model or not self._report.is_wrong(model.value_mark("dataset")):
                hint = (
                    f"add `dataset: {name}`"
                    if name in self.specs
                    else "add `dataset:` with a key of datasets or a path"
                )
                self._report.error("no-dataset", f"model.{name} has no dataset", mark, hint)
            return None
        marks = model.marks["dataset"]
        if isinstance(value, str):
            if value in self._declared:
                return value if value in self.specs else None
            if not _is_path(value):
                self._unknown(name, value, marks[1])
                return None
        elif not isinstance(value, Map):
            return None
        if own in self._declared:
            own = f"{own}.own"  # a key cannot hold a dot, so this name is unique
        if own not in self.specs:
            self._add(own, value, marks)
        return own

    def _unknown(self, model: str, written: str, mark: Mark) -> None:
        guess = did_you_mean(written, self.specs)
        folder = f"write ./{written} if it is a folder"
        hint = f"{guess} {folder}" if guess else folder
        self._report.error(
            "unknown-reference", f"model.{model} uses the dataset {written}, which is not declared", mark, hint
        )

    def _add(self, name: str, value: Node, marks: tuple[Mark, Mark]) -> None:
        if isinstance(value, str):
            fields = Map(marks[1])
            fields.put("images", value, (marks[1], marks[1]))
        elif isinstance(value, Map):
            fields = value
        else:
            return
        merged = layered(self._defaults, fields)
        self._expansion.add(merged, marks[0])
        self._count_patterns(merged, marks[0])
        self.fields[name] = merged
        spec = replace(dataset_spec(name, merged, marks[0], self._report), own=frozenset(fields))
        self.specs[name] = spec
        if spec.images and "instruction" in spec.own:
            what = f"dataset.{name} has single images, which take no instruction: this one is not used"
            hint = "write `caption:` for a caption of all images, or give the dataset before: and after:"
            self._report.warn("dataset-shape", what, fields.key_mark("instruction"), hint)

    def _count_patterns(self, fields: Map, mark: Mark) -> None:
        for pattern in (*texts(fields, "images"), *texts(fields, "exclude")):
            if pattern not in self._patterns and (has_magic(pattern) or "{" in pattern):
                self._patterns.add(pattern)
                self._characters += sum(map(len, alternatives(pattern)))
        if self._characters > _MOST_OF_PATTERNS:
            what = f"more than {_MOST_OF_PATTERNS:,} characters of globs in the datasets"
            self._report.error("too-large", what, mark, "use fewer or shorter globs, or name folders")
            self._report.raise_errors()


def with_repeats(specs: Mapping[str, DatasetSpec], models: Mapping[Address, ModelSpec]) -> dict[str, DatasetSpec]:
    """The datasets, with has_repeats where every model that uses one sets nbRepeats."""
    found: dict[str, bool] = {}
    for model in models.values():
        found[model.dataset] = found.get(model.dataset, True) and model.parameters.get("nbRepeats") is not None
    return {name: replace(spec, has_repeats=True) if found.get(name) else spec for name, spec in specs.items()}


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.startswith((".", "~")) or "*" in text


def dataset_spec(name: str, fields: Map, mark: Mark, report: Report) -> DatasetSpec:
    captions, missing = _captions(fields, report)
    spec = DatasetSpec(
        name=name,
        images=texts(fields, "images"),
        captions=captions,
        caption=text(fields, "caption"),
        trigger=_trigger(fields),
        prefix=text(fields, "prefix"),
        suffix=text(fields, "suffix"),
        caption_template=text(fields, "caption_template"),
        missing=missing,
        recursive=flag(fields, "recursive", False),
        exclude=texts(fields, "exclude"),
        encoding=_encoding(fields, report),
        before=text(fields, "before"),
        after=text(fields, "after"),
        instruction=text(fields, "instruction"),
        pairs=_pairs(fields),
        lint=_lint(child(fields, "lint")),
        pictures=picture_options(fields),
        allow_outside_root=flag(fields, "allow_outside_root", False),
        place=report.place(mark),
        places=Places(report, fields),
    )
    _check_shape(spec, fields, mark, report)
    _check_cut(fields, report)
    check_urls(fields, report)
    return spec


def _check_cut(fields: Map, report: Report) -> None:
    """Reports texts of captions that YAML cut at a #."""
    captions = child(fields, "captions") or Map(fields.start)
    entries = child(captions, "map") or captions
    pairs = [entry for entry, _ in maps(fields, "pairs")] if isinstance(fields.get("pairs"), Seq) else []
    for block in (fields, entries, *pairs):
        for key in block if block is entries else _CAPTION_TEXTS.intersection(block):
            mark = block.value_mark(key)
            lost = report.lost_behind(mark)
            if lost is not None:
                hint = "put the text in quotes; a comment has a blank after its #"
                report.error("text-cut", f"{key}: {cut_message(lost)}", mark, hint)


def _check_shape(spec: DatasetSpec, fields: Map, mark: Mark, report: Report) -> None:
    forms = [key for key in ("images", "pairs") if fields.get(key) is not None]
    folders = [key for key in ("before", "after") if fields.get(key) is not None]
    if folders:
        forms.append("before/after")
    if len(forms) > 1:
        what = f"dataset.{spec.name} has {' and '.join(forms)}"
        report.error("dataset-shape", what, mark, "keep one: images, or before and after, or pairs")
    elif not forms and not any(report.is_wrong(m[0]) for m in fields.marks.values()):
        report.error("dataset-shape", f"dataset.{spec.name} has no images", mark, "add `images: ./folder`")
    elif len(folders) == 2 and fields["before"] == fields["after"]:
        what = f"dataset.{spec.name}: before and after are the same folder"
        report.error("dataset-shape", what, fields.value_mark("after"), "name two, or one as `pairs: ./folder`")
    elif len(folders) == 1:
        other = "after" if folders[0] == "before" else "before"
        report.error(
            "dataset-shape", f"dataset.{spec.name} has {folders[0]} but no {other}", mark, f"add `{other}: ./folder`"
        )


_NOT_FOR_FILES = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"})
"""Encodings of host names and of source code. Decoding a megabyte of some takes minutes."""


def _encoding(fields: Map, report: Report) -> str:
    written = text(fields, "encoding")
    if written is None:
        return "utf-8"
    import codecs

    try:
        is_usable = codecs.lookup(written).name not in _NOT_FOR_FILES
        b"a".decode(written)  # LookupError for codecs of bytes, such as hex and rot13
    except UnicodeError:
        pass
    except (LookupError, ValueError):
        is_usable = False
    if not is_usable:
        report.error(
            "encoding",
            f"{written[:40]!r} is not an encoding of text files that Python knows",
            fields.value_mark("encoding"),
            "utf-8, latin-1, cp1252 ...",
        )
    return written


def _trigger(fields: Map) -> str | None:
    """Without blanks and commas at its ends: it is joined to captions with a comma."""
    written = text(fields, "trigger")
    return written if written is None else written.strip(" ,\t\r\n\u00a0") or None


def _lint(block: Map | None) -> Mapping[str, Json]:
    if not block:
        return {}
    return {
        key: "off" if value is False else cast(Json, plain(value))
        for key, value in block.items()
        if not is_extension(key)
    }


def _captions(fields: Map, report: Report) -> tuple[CaptionSource, MissingCaption]:
    missing = _missing(fields)
    value = fields.get("captions")
    if isinstance(value, str):
        if value not in CAPTION_WORDS and (hint := captions_hint(value)) is not None:
            what = f"captions: {value[:60]} is neither a source of captions nor a file"
            report.error("captions", what, fields.value_mark("captions"), hint)
        return _captions_by_word(value), missing or "error"
    if not isinstance(value, Map):
        return CaptionSource(), missing or "error"
    options = [key for key in value if key in _CAPTION_OPTIONS]
    if not options:
        return CaptionSource(kind="map", entries=_entries(value)), missing or "error"
    for key in value:
        if key not in _CAPTION_OPTIONS and not is_extension(key) and not report.is_wrong(value.key_mark(key)):
            what = f"{key} beside {options[0]}: captions are either options or a map of files"
            report.error("captions", what, value.key_mark(key), "put the captions under `map:`")
    if missing and "missing" in value:
        report.error("captions", "missing is set twice", value.key_mark("missing"), "keep one of them")
    file, inner = text(value, "file"), child(value, "map")
    if file is not None and inner is not None:
        report.error("captions", "captions come from a file and from a map", value.key_mark("map"), "keep one of them")
    suffix, lines = text(value, "suffix"), text(value, "lines")
    for key, words in (("lines", _LINES), ("missing", _MISSING)):
        given = text(value, key)
        if given is not None and given not in words:  # which the schema takes for the caption of a picture
            what = f"{key} must be {listed(words, last='or')}, not {given[:40]!r}"
            report.error("wrong-value", what, value.value_mark(key), did_you_mean(given[:40], words))
    source = CaptionSource(
        kind="file" if file is not None else "map" if inner is not None else "sidecar" if suffix else "recognise",
        path=file,
        entries=_entries(inner) if inner is not None else {},
        suffix=None if suffix is None else _suffix(suffix),
        lines=cast(CaptionLines, lines) if lines in _LINES else "join",
    )
    return source, _missing(value) or missing or "error"


def _suffix(written: str) -> str:
    """An ending such as .cap, with or without its dot; or the end of a name, such as _caption.txt."""
    ending = written.strip().removeprefix("*")
    return ending if ending.startswith((".", "_", "-")) else f".{ending}"


def _captions_by_word(word: str) -> CaptionSource:
    match word:
        case "recognise":
            return CaptionSource()
        case "sidecar":
            return CaptionSource(kind="sidecar")
        case "auto":
            return CaptionSource(kind="auto")
        case "filename":
            return CaptionSource(kind="filename")
        case _:
            return CaptionSource(kind="file", path=word)


def _missing(fields: Map) -> MissingCaption | None:
    value = text(fields, "missing")
    return cast(MissingCaption, value) if value in _MISSING else None


def _entries(block: Map) -> dict[str, str]:
    return {key: value for key, value in block.items() if isinstance(value, str)}


def _pairs(fields: Map) -> PairSpec | None:
    value = fields.get("pairs")
    if isinstance(value, str):
        return PairSpec(table=value) if value.lower().endswith(_TABLE_SUFFIXES) else PairSpec(folder=value)
    if isinstance(value, Seq):
        keys = ("before", "after", "instruction")
        listed = [entry for entry, _ in maps(fields, "pairs")]
        return PairSpec(entries=tuple({k: v for k in keys if (v := text(entry, k)) is not None} for entry in listed))
    if not isinstance(value, Map):
        return None
    suffixes = texts(value, "suffixes")
    return PairSpec(
        folder=text(value, "folder"),
        suffixes=(suffixes[0], suffixes[1]) if len(suffixes) == 2 else None,
        table=text(value, "table"),
    )

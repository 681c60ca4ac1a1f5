"""Words for the conventions of a dataset: what was recognised, and why."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.dataset.types import Convention
from scenario_apply.review.screen import counted

_WORDS = {
    "repeat-folders": "in the numbered folders {file} of sd-scripts and kohya_ss; the numbers are not applied",
    "split-folder": "of the split {file}, as Hugging Face datasets have it; other splits are left out",
    "split-prefix": "whose names begin with {file}, as those of Hugging Face splits do; other splits are left out",
    "sidecar": "with captions in {file} files of the same names beside them",
    "sidecar-full-name": "with captions in {file} files beside them, named like 01.png{file}",
    "sidecar-json": "with captions in .json files of the same names beside them: caption, text or tags",
    "metadata": "with captions in {file}, a table as Hugging Face's imagefolder reads it",
    "csv": "with captions in {file}, a CSV table",
    "tsv": "with captions in {file}, a table with tabs",
    "jsonl": "with captions in {file}, a record a line",
    "parquet": "with captions in {file}, a Parquet table",
    "trainer-jsonl": "with captions in {file}, with image_path as sd-scripts and musubi-tuner have it",
    "kohya": "with captions in {file}, metadata as kohya's sd-scripts write them: caption and tags",
    "ai-toolkit": "with captions in {file}, a map as ai-toolkit writes it",
    "caption-lists": "with captions in {file}, lists as diffusion-pipe reads them, of which the first is used",
    "captions-map": "with captions in {file}, a map from image to caption",
    "records": "with captions in {file}, a list of records",
    "table": "with captions in {file}",
    "map-in-manifest": "with captions in the manifest",
    "file-name": "with their file names as captions",
    "one-for-all": "with the one `caption:` of the dataset",
    "by-service": "without captions, which Scenario writes",
    "pair-folders": "in two folders, matched by their names",
    "pair-suffixes": "in one folder, matched by the endings of their names",
    "pair-table": "listed in {file}",
    "pair-list": "listed in the manifest",
}
_BY_NAME = "recognised by name"
_DECLARED = "named in the manifest"
_FOUND_NOTHING = "nothing else was found"


def convention_sentence(convention: Convention) -> str:
    """One convention: its code, how many images it holds for, what it is, and why it was chosen."""
    noun = "pair" if convention.kind.startswith("pair-") else "image"
    text = _WORDS[convention.kind].format(file=convention.file or "")
    return f"{convention.kind}: {counted(convention.number, noun)} {text} ({_reason(convention)})"


def _reason(convention: Convention) -> str:
    if convention.is_declared:
        return _DECLARED
    return _FOUND_NOTHING if convention.kind == "by-service" else _BY_NAME


def convention_json(conventions: Sequence[Convention]) -> dict[str, object] | None:
    """code and text of the whole, and each source: code, text, count, file, recognised. None without any."""
    if not conventions:
        return None
    return {
        "code": conventions[0].kind,
        "text": "; ".join(map(convention_sentence, conventions)),
        "sources": [
            {
                "code": convention.kind,
                "text": convention_sentence(convention),
                "count": convention.number,
                "file": convention.file,
                "recognised": not convention.is_declared,
            }
            for convention in conventions
        ],
    }

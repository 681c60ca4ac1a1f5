"""Words for the conventions of a dataset: what was recognised, and why."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.dataset.types import Convention
from scenario_apply.review.screen import counted

_WORDS = {
    "repeat-folders": "{n} in numbered folders, as sd-scripts and kohya_ss have them; the numbers are not applied",
    "split-folder": "{n} of the split {file}, as Hugging Face datasets have them; other splits are left out",
    "split-prefix": "{n} whose names begin with {file}, as Hugging Face splits do; other splits are left out",
    "sidecar": "{n} with a {file} file beside it",
    "sidecar-full-name": "{n} with a {file} file beside it that repeats the whole name, as in 01.png{file}",
    "sidecar-json": "{n} with a .json file beside it",
    "metadata": "{n} in {file}, a table of Hugging Face's imagefolder",
    "csv": "{n} in {file}, a CSV table",
    "tsv": "{n} in {file}, a table with tabs",
    "jsonl": "{n} in {file}, a record per line",
    "trainer-jsonl": "{n} in {file}, with image_path as sd-scripts and musubi-tuner write it",
    "kohya": "{n} in {file}, metadata of kohya's sd-scripts: caption and tags by image",
    "ai-toolkit": "{n} in {file}, captions of ai-toolkit by image",
    "caption-lists": "{n} in {file}, lists of captions of diffusion-pipe; the first is used",
    "captions-map": "{n} in {file}, a map from image to caption",
    "records": "{n} in {file}, a list of records",
    "table": "{n} in {file}",
    "map-in-manifest": "{n} with a caption in the manifest",
    "file-name": "{n} captioned by its file name",
    "one-for-all": "{n} with the one caption of the dataset",
    "by-service": "{n} without a caption, which Scenario writes",
    "pair-folders": "{n} in two folders, matched by file name",
    "pair-suffixes": "{n} in one folder, matched by the endings of their names",
    "pair-table": "{n} listed in {file}",
    "pair-list": "{n} listed in the manifest",
}
_RECOGNISED = "recognised"
_DECLARED = "named in the manifest"


def convention_sentence(convention: Convention) -> str:
    """One convention: how many images it holds for, what it is, and whether it was recognised or named."""
    noun = "pair" if convention.kind.startswith("pair-") else "image"
    text = _WORDS[convention.kind].format(n=counted(convention.number, noun), file=convention.file or "")
    return f"{text} ({_DECLARED if convention.is_declared else _RECOGNISED})"


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

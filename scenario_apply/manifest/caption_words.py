"""Words that people write after `captions:` and that are neither a source of captions nor a file."""

from __future__ import annotations

from scenario_apply.manifest.other_trainers import ONE_TEXT
from scenario_apply.model.did_you_mean import did_you_mean

CAPTION_WORDS = ("recognise", "sidecar", "auto", "filename")
_SIDECARS = frozenset({"txt", "text", "caption", "captions", "sidecars", "files", "textfile", "txtfiles", "image.txt"})
_LEAVE_OUT = frozenset({"yes", "true", "on", "default", "recognize", "detect"})
_NONE = frozenset({"none", "no", "false", "off", "null", "nothing", "empty", "~"})
_BY_SCENARIO = frozenset({"automatic", "autocaption", "blip", "scenario", "generate", "generated", "ai", "florence"})
_TABLES = frozenset({"csv", "tsv", "json", "jsonl", "ndjson", "yaml", "yml", "metadata", "parquet", "table", "map"})
_AT_RANDOM = frozenset({"random", "shuffle", "shuffled", "wildcard", "wildcards", "prompts", "list"})
_LONGEST_ENDING = 16


def captions_hint(word: str) -> str | None:
    """What to write in place of a word; None for what may be the path of a file."""
    plain = word.strip().lower().removeprefix("*").removeprefix(".")
    if plain in _SIDECARS:
        return "write `captions: sidecar`, or leave it out"
    if plain in _LEAVE_OUT:
        return "leave it out: captions that lie beside the images are found, or write `captions: sidecar`"
    if plain in _NONE or plain in _BY_SCENARIO:
        return "write `captions: auto` to let Scenario write them, `captions: sidecar` to read them, or leave it out"
    if plain in _AT_RANDOM:
        return f"{ONE_TEXT[len('remove it: ') :]}: write sidecar, filename, or the path of a table"
    if plain in _TABLES:
        return f"write the path of the file, as in `captions: ./captions.{plain if plain in _ENDINGS else 'csv'}`"
    if "/" in word or "\\" in word or "{{" in word:
        return None
    if word.startswith((".", "*.")) and plain.isalnum() and len(plain) <= _LONGEST_ENDING:
        return f"write `captions: {{ suffix: .{plain} }}`"
    if "." in word:
        return None
    return did_you_mean(word[:200], CAPTION_WORDS) or "write sidecar, auto, filename, or the path of a file"


_ENDINGS = frozenset({"csv", "tsv", "json", "jsonl", "ndjson", "yaml", "yml", "parquet"})

"""File names in datasets: what is a picture, what is junk, natural order, the nearest of several names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from scenario_apply.model.did_you_mean import Nearest

# What the service takes, and what people put beside it by mistake: F04 tells them apart by content.
_TAKEN_FOR_IMAGES = """
.jpg .jpeg .jpe .jfif .png .apng .webp .avif .tif .tiff .gif .bmp .heic .heif
.svg .psd .cr2 .cr3 .nef .arw .dng .orf .rw2 .jxl .jp2 .ico .tga .exr .hdr
"""
IMAGE_SUFFIXES = frozenset(_TAKEN_FOR_IMAGES.split())
SIDECAR_SUFFIXES = (".txt", ".caption")
CAPTION_SUFFIXES = frozenset(SIDECAR_SUFFIXES)
METADATA_FILES = ("metadata.jsonl", "metadata.csv")
"""Tables of captions that are always read. Others of usual names are read where there are no other captions."""
METADATA_TSV = "metadata.tsv"
METADATA_PARQUET = "metadata.parquet"
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".parquet"})
"""Endings of tables and maps of captions that can be read."""
UNREADABLE_TABLE_SUFFIXES = frozenset({".arrow", ".xlsx", ".xls", ".ods"})
_TEXTS = """
.md .rst .log .ini .cfg .toml .xml .xmp .html .htm .py .sh .ipynb .cap .tag .tags .prompt .prompts .desc .description
.text .doc .docx .odt .rtf .pdf .zip .tar .gz .7z .rar .npz .npy .safetensors .db .lock .aae .mp4 .mov .avi .mkv .webm
.wav .mp3 .blend .kra .xcf .afphoto .clip .procreate
"""
TEXT_SUFFIXES = CAPTION_SUFFIXES | TABLE_SUFFIXES | UNREADABLE_TABLE_SUFFIXES | frozenset(_TEXTS.split())
"""Endings of files that are no pictures whatever they hold; what has another ending is recognised by content."""

CAPTION_FOLDERS = frozenset(
    {"caption", "captions", "label", "labels", "text", "texts", "txt", "prompt", "prompts", "tags", "descriptions"}
)
"""Folders beside one of pictures that may hold their caption files."""
_JUNK_FOLDERS = frozenset(
    {
        *("__macosx", "cache", "_controls", "@eadir", "__pycache__", "$recycle.bin"),
        *("_latent_cache", "latent_cache", "_t_e_cache", "_clip_vision_cache", "vae_cache", "te_cache", "text_cache"),
    }
)
_HIDDEN_JUNK = ("._", ".ds_store", ".aitk", ".ipynb_checkpoints", ".thumbs", ".picasa", ".directory", ".localized")
_JUNK_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
_JUNK_ENDINGS = ("-masklabel.png", "-condlabel.png", ".npz", ".safetensors")
_PROSE = r"(?i)(read_?me|licen[cs]e|credits|notes?|changelog|copying|attribution)\b.*"
_DIGITS = re.compile(r"(\d+)")
_MOST_PROPOSALS = 40


def is_image_name(name: str) -> bool:
    return name[name.rfind(".") :].lower() in IMAGE_SUFFIXES


MAP_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
CAPTION_FILES = frozenset(f"captions{ending}" for ending in TABLE_SUFFIXES)
CAPTION_TABLE_STEMS = frozenset({"metadata", "caption", "captions", "prompts", "labels", "descriptions"})


def is_table_name(name: str) -> bool:
    """Whether the ending is that of a table or a map of captions, also of one that cannot be read."""
    ending = name[name.rfind(".") :].lower()
    return ending in TABLE_SUFFIXES or ending in UNREADABLE_TABLE_SUFFIXES


def may_caption_folders(name: str) -> bool:
    """Whether a table above the folder of the images may hold their captions.

    JSON and YAML files lie there for many reasons, the manifest itself among them: only usual names count.
    """
    ending = name[name.rfind(".") :].lower()
    return is_table_name(name) and (ending not in MAP_SUFFIXES or stem_of(name).lower() in CAPTION_TABLE_STEMS)


def is_junk_file(name: str) -> bool:
    """Hidden files, thumbnails, masks and caches of other trainers."""
    folded = name.lower()
    return folded[0] in ".~" or folded in _JUNK_FILES or folded.endswith(_JUNK_ENDINGS)


def is_junk_folder(name: str) -> bool:
    return name[0] == "." or name.lower() in _JUNK_FOLDERS


def is_hidden_junk(name: str) -> bool:
    """Hidden files that other programs leave among pictures, as opposed to those of Git and of this tool."""
    return name.lower().startswith(_HIDDEN_JUNK)


def is_prose(name: str) -> bool:
    """README.txt, LICENSE.txt: text that lies beside pictures and is not a caption."""
    return re.fullmatch(_PROSE, name) is not None


def is_unicode(name: str) -> bool:
    """False for a name whose bytes on the disk are not UTF-8: no JSON, no state and no service can hold it."""
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def spelled(name: str) -> str:
    """The name with \\xe9 for a byte that is not UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def nfc(text: str) -> str:
    return text if text.isascii() else normalize("NFC", text)


def stem_of(path: str) -> str:
    """a/b.c.png -> a/b.c"""
    dot = path.rfind(".")
    return path[:dot] if dot > path.rfind("/") + 1 else path


def name_of(path: str) -> str:
    return path[path.rfind("/") + 1 :]


def suffix_of(path: str) -> str:
    """In lower case, with the dot; empty where there is none."""
    dot = path.rfind(".")
    return path[dot:].lower() if dot > path.rfind("/") + 1 else ""


def natural_key(path: str) -> tuple[tuple[int, int, str], ...]:
    """2.png before 10.png; digit runs as numbers, the rest without case. Equal keys keep their order."""
    parts = _DIGITS.split(path.casefold())
    return tuple((0, int(part), part) if index % 2 else (1, 0, part) for index, part in enumerate(parts) if part)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of names: a match without regard to case first. None when nothing is near."""
    return NearestName(names).of(name)


class NearestName:
    """The same for many names in turn. Only the first of them get an answer: a thousand proposals are of no use."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = names
        self._index: Nearest | None = None
        self._left = _MOST_PROPOSALS

    def of(self, name: str) -> str | None:
        """None when nothing is near, or when it was asked too often."""
        if not self._left:
            return None
        self._left -= 1
        if self._index is None:
            from scenario_apply.model.did_you_mean import Nearest

            self._index = Nearest(self._names)
        return next(iter(self._index.find(name, 1)), None)

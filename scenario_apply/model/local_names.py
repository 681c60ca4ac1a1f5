"""Names of the service as names of files and as keys of a manifest: safe on every system, and each one unique.

A name of the service is any text: empty, a path, reserved on Windows, equal to another but for case or Unicode form.
The same names in the same order always give the same result, so that a file is found again by its picture.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from scenario_apply.model.file_names import (
    CAPTION_TABLE_STEMS,
    IMAGE_SUFFIXES,
    SIDECAR_SUFFIXES,
    is_junk_file,
    is_junk_folder,
    is_prose,
    nfc,
    stem_of,
    suffix_of,
)
from scenario_apply.model.folder_names import OTHER_SPLITS, TRAIN_SPLITS, repeats_of

LONGEST_STEM_BYTES = 120
"""File systems take 255 bytes, of which an ending, a number and a temporary name need some."""
LONGEST_KEY = 48

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')  # on Windows, and what no name should hold
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_]+")
_NO_WORD = ".-_ "


def file_stem(name: str, otherwise: str) -> str:
    """The name without folders and without the ending of a picture. otherwise: an id, for a name without a letter.

    "../../etc/Kael 01.PNG" gives "Kael 01", "nul.png" gives "image-nul".
    """
    last = nfc(name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join("-" if _is_unfit(sign) else sign for sign in last)
    if suffix_of(kept) in IMAGE_SUFFIXES:
        kept = stem_of(kept)
    kept = _cut(kept).strip(". ~")
    if suffix_of(kept) in IMAGE_SUFFIXES or suffix_of(kept) in SIDECAR_SUFFIXES:
        kept = kept.replace(".", "-")  # a.png.txt would be the caption of a.png, too
    if not any(map(str.isalnum, kept)):
        return otherwise.strip(_NO_WORD) or "image"
    return f"image-{kept}" if _means_something(kept) else kept


def unique_stems(stems: Iterable[str]) -> list[str]:
    """The same, each one another file on systems that know no case and compose characters: "a", "A-2", "a-3"."""
    taken: set[str] = set()
    return [_unique(stem, taken) for stem in stems]


def resource_key(name: str, otherwise: str, taken: set[str]) -> str:
    """A key for a model of that name, which is also the name of a folder; added to taken, which has no case.

    otherwise: an id, for a name without Latin letters or digits.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    key = _NOT_IN_A_KEY.sub("-", plain).lower()[:LONGEST_KEY].strip("-_")
    if not key:
        key = _NOT_IN_A_KEY.sub("-", otherwise)[-LONGEST_KEY:].strip("-_").lower() or "model"
    if key.startswith("x-") or _RESERVED.fullmatch(key) or _is_read_otherwise(key):
        key = f"model-{key}"
    return _unique(key, taken)


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while _folded(candidate) in taken:
        candidate, number = f"{name}-{number}", number + 1
    taken.add(_folded(candidate))
    return candidate


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _is_unfit(sign: str) -> bool:
    return bool(_FORBIDDEN.match(sign)) or unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _cut(stem: str) -> str:
    return stem.encode()[:LONGEST_STEM_BYTES].decode(errors="ignore")


def _means_something(stem: str) -> bool:
    """Whether a picture or a caption of that name would be taken for something else."""
    return bool(
        _RESERVED.fullmatch(stem)
        or is_junk_file(f"{stem}.png")
        or is_prose(f"{stem}.txt")
        or stem.lower() in CAPTION_TABLE_STEMS
    )


def _is_read_otherwise(folder: str) -> bool:
    """Whether datasets give a folder of that name a meaning of its own."""
    names = TRAIN_SPLITS | OTHER_SPLITS | {"state", "manifests", "images"}
    return folder in names or is_junk_folder(folder) or repeats_of(folder) is not None

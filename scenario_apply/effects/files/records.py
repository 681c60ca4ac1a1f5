"""A dataset's contents as bytes for the cache, and back: facts of its files, captions, pairs."""

from __future__ import annotations

import orjson

from scenario_apply.core.dataset.assemble import Assembled
from scenario_apply.core.dataset.facts import Facts
from scenario_apply.core.dataset.types import Contents, Image, Pair
from scenario_apply.effects.files.cache import Damaged


def pack(assembled: Assembled, scanned_ns: int) -> bytes:
    """scanned_ns: the wall clock before the files were listed; what is younger is not trusted later."""
    facts = {picture.facts.file: tuple(picture.facts) for picture in assembled.pictures}
    return orjson.dumps(
        {
            "scanned_ns": scanned_ns,
            "facts": list(facts.values()),
            "images": [(picture.path, picture.facts.file, picture.caption) for picture in assembled.pictures],
            "pairs": [(pair.before, pair.after, pair.instruction) for pair in assembled.pairs],
        }
    )


def contents_of(packed: bytes) -> Contents:
    held = orjson.loads(packed)
    by_file = {row[0]: Facts(*row) for row in held["facts"]}
    images = tuple([_image(path, by_file[file], caption) for path, file, caption in held["images"]])
    pairs = tuple([Pair(before=before, after=after, instruction=text) for before, after, text in held["pairs"]])
    return Contents(images=images, pairs=pairs)


def _image(path: str, facts: Facts, caption: str | None) -> Image:
    return Image(
        path=path,
        file=facts.file,
        sha256=facts.sha256,
        size_bytes=facts.size,
        mime=facts.mime,
        width=facts.width,
        height=facts.height,
        caption=caption,
        is_lfs_pointer=facts.is_lfs_pointer,
    )


def known_facts(packed: bytes, *, racy_ns: int) -> dict[str, Facts]:
    """Facts by file of those that may be trusted while their stat is the same: sound ones, older than the scan."""
    try:
        held = orjson.loads(packed)
        scanned_ns = held["scanned_ns"]
        facts = [Facts(*row) for row in held["facts"]]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Damaged from error
    return {f.file: f for f in facts if not f.fault and abs(scanned_ns - f.mtime_ns) >= racy_ns}

"""A dataset's contents as bytes for the cache, and back: facts of its files, captions, pairs."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from scenario_apply.dataset.assemble import Assembled
from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.scan.fingerprint_cache import Damaged
from scenario_apply.dataset.types import Contents, Image, Pair


def pack(assembled: Assembled, is_racy: Callable[[int], bool]) -> bytes:
    """is_racy: was a file of that mtime_ns too young to be trusted? Its facts are kept with an mtime of 0."""
    facts = {picture.facts.file: picture.facts for picture in assembled.pictures}
    return orjson.dumps(
        {
            "facts": [tuple(f._replace(mtime_ns=0) if is_racy(f.mtime_ns) else f) for f in facts.values()],
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


def sound_facts(packed: bytes) -> list[Facts]:
    """Facts of the files that could be used; those with a fault are read again. Raises Damaged."""
    try:
        return [facts for row in orjson.loads(packed)["facts"] if not (facts := Facts(*row)).fault]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise Damaged from error

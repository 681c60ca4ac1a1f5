"""Packs a dataset's contents for the cache, and unpacks them: facts of its files, captions, pairs."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from scenario_apply.dataset.assemble import Assembled
from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.recipes import most_bytes, recipe_of, sent_mime, sent_size
from scenario_apply.dataset.scan.fingerprint_cache import Damaged
from scenario_apply.dataset.types import Contents, Image, Pair
from scenario_apply.model.picture_options import PictureOptions


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    facts: list[Facts]
    images: list[tuple[str, str, str | None]]  # path, file, caption
    options: PictureOptions
    pairs: list[tuple[str, str, str]]  # before, after, instruction


_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(assembled: Assembled, options: PictureOptions, is_racy: Callable[[int], bool]) -> bytes:
    """Facts of a file that is_racy says is too young to be trusted are kept with an mtime of 0.

    options: of the dataset. is_racy: by mtime_ns.
    """
    facts = {picture.facts.file: picture.facts for picture in assembled.pictures}
    return msgspec.msgpack.encode(
        _Packed(
            facts=[f._replace(mtime_ns=0) if is_racy(f.mtime_ns) else f for f in facts.values()],
            images=[(picture.path, picture.facts.file, picture.caption) for picture in assembled.pictures],
            pairs=[(pair.before, pair.after, pair.instruction) for pair in assembled.pairs],
            options=options,
        )
    )


def contents_of(packed: bytes) -> Contents:
    """Raises Damaged."""
    held = _unpacked(packed)
    by_file = {facts.file: facts for facts in held.facts}
    try:
        images = tuple([_image(path, by_file[file], caption, held.options) for path, file, caption in held.images])
    except KeyError as error:
        raise Damaged from error
    pairs = tuple([Pair(before=before, after=after, instruction=text) for before, after, text in held.pairs])
    return Contents(images=images, pairs=pairs)


def _image(path: str, facts: Facts, caption: str | None, options: PictureOptions) -> Image:
    recipe, size = recipe_of(facts, options), sent_size(facts, options)
    return Image(
        path=path,
        file=facts.file,
        sha256=facts.sha256,
        size_bytes=facts.size,
        mime=sent_mime(facts, recipe),
        width=size[0],
        height=size[1],
        caption=caption,
        is_lfs_pointer=facts.is_lfs_pointer,
        recipe=recipe,
        most_bytes=most_bytes(facts, recipe, size),
        hashes=facts.hashes,
    )


def sound_facts(packed: bytes) -> list[Facts]:
    """Facts of the usable files; files with a fault are read again. Raises Damaged."""
    return [facts for facts in _unpacked(packed).facts if not facts.fault]


def _unpacked(packed: bytes) -> _Packed:
    try:
        return _decoder.decode(packed)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Damaged from error

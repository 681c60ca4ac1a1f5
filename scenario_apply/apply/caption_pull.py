"""Writes the service's automatic captions into the caption files of a dataset, where an image has none."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.apply.held_captions import HeldModel
from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.table_additions import with_captions
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.scan.caption_places import CaptionPlaces
from scenario_apply.dataset.scan.caption_writing import NotWritten, create_caption_file, replace_caption_file
from scenario_apply.dataset.types import Image
from scenario_apply.model.file_names import suffix_of
from scenario_apply.model.lint_rules import Finding
from scenario_apply.planning.own_captions import as_one_line, own_caption, own_captions, says_the_same


class WrittenCaption(Struct, frozen=True):
    """A caption that is in a file now. path: of the image; file: of the caption; both relative to the root."""

    path: str
    file: str
    caption: str


class Pulled(Struct, kw_only=True):
    """The result for one dataset. left: images that got no caption, and why. notes: what else there is to say."""

    dataset: str
    written: list[WrittenCaption] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def leave(self, images: Iterable[str], why: str) -> None:
        self.left.update(dict.fromkeys(images, why))


def pull_captions(places: CaptionPlaces, images: Sequence[Image], models: Collection[HeldModel]) -> Pulled:
    """images: of the dataset, with their digests. models: those that are made of it, as the service shows them."""
    out = Pulled(dataset=places.spec.name)
    lacking = places.lacking
    if why := places.why_not():
        out.notes.append(f"nothing can be written: {why}")
        out.leave((image.path for image in lacking), why)
        return out
    digests = {image.path: image.sha256 for image in images}
    found: dict[str, str] = {}
    for image in lacking:
        held = _held(digests.get(image.path, ""), models)
        if isinstance(held, str):
            found[image.path] = held
        else:
            out.left[image.path] = held.why
    wanted = [image for image in lacking if image.path in found]
    if places.table is not None:
        _into_table(places, wanted, found, out)
    else:
        for image in wanted:
            _into_sidecar(places, image, found[image.path], out)
    return out


class _Nothing(Struct, frozen=True):
    why: str


def _held(sha256: str, models: Iterable[HeldModel]) -> str | _Nothing:
    """The service's own caption of an image, on one line; or why there is none to be written."""
    nothing = _Nothing("it has not been uploaded yet")
    for model in models:
        own = own_captions(model.version, model.remote)
        if sha256 in own and (caption := as_one_line(own[sha256])):
            return caption
        shown = {image.id: image for image in (model.remote.images if model.remote is not None else None) or ()}
        for record in model.version.images:
            image = shown.get(record.asset_id)
            if record.source != sha256 or image is None:
                continue
            if record.caption or not image.has_own_caption:
                text = record.caption or image.description
                nothing = _Nothing(
                    f"{model.address} has a caption written by a person: {json.dumps(text, ensure_ascii=False)}"
                )
            elif not own_caption(image):
                nothing = _Nothing(f"Scenario has no caption of it yet ({model.address})")
    return nothing


def _into_sidecar(places: CaptionPlaces, image: FileEntry, caption: str, out: Pulled) -> None:
    file = places.new_sidecar(image)
    content = caption + "\n"
    if suffix_of(file) == ".json":
        content = json.dumps({"caption": caption}, ensure_ascii=False) + "\n"
    if places.exists(file):
        out.left[image.path] = f"{file} exists already"
        return
    try:
        create_caption_file(places.root, file, content.encode())
    except NotWritten as error:
        out.left[image.path] = f"{file}: {error}"
        return
    out.written.append(WrittenCaption(image.path, file, caption))


def _into_table(places: CaptionPlaces, images: Sequence[FileEntry], found: Mapping[str, str], out: Pulled) -> None:
    file = places.table
    assert file is not None
    if not images:
        return
    paths = [image.path for image in images]
    folder = os.path.dirname(file)
    added = {os.path.relpath(image.file, folder or "."): found[image.path] for image in images}
    data = places.read(file)
    text = data if isinstance(data, Finding) else decode(data, file=file, encoding="utf-8")
    if isinstance(data, Finding) or isinstance(text, Finding):
        out.leave(paths, f"{file} cannot be read")
        return
    if text.strip() and all(raw.file != file for raw in places.gathered.raws.values()):
        out.leave(paths, f"{file} has a caption of no image of the dataset, so that it may be another file")
        return
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    longer = with_captions(text, added, file=file) if data == mark + text.encode() else None
    if longer is None:
        out.leave(paths, f"{file} cannot be extended without rewriting it")
        return
    try:
        replace_caption_file(places.root, file, mark + longer.encode(), before=data)
    except NotWritten as error:
        out.leave(paths, f"{file}: {error}")
        return
    out.written += [WrittenCaption(path, file, found[path]) for path in paths]


def note_what_follows(
    out: Pulled, images: Iterable[Image], places: CaptionPlaces, models: Collection[HeldModel]
) -> None:
    """Adds notes on what the written captions mean for the next plan. images: of a scan after writing."""
    if not out.written:
        return
    as_sent = {image.path: image.caption for image in images}
    ending = suffix_of(out.written[0].file)
    unread = [one.path for one in out.written if as_sent.get(one.path) is None]
    if unread:
        line = "`captions: auto`" if places.spec.captions.kind == "auto" else "the dataset"
        out.notes.append(
            f"{line} does not read {'them' if len(unread) > 1 else 'it'} yet: "
            f"write `captions: {{ suffix: {ending} }}` in the dataset to use what was written"
        )
    read = [(one, sent) for one in out.written if (sent := as_sent.get(one.path)) is not None]
    changed = [(one.path, sent) for one, sent in read if not says_the_same(sent, one.caption)]
    trained = [str(model.address) for model in models if model.version.phase in ("trained", "training")]
    if changed:
        spec = places.spec
        keys = {"trigger": spec.trigger, "prefix": spec.prefix, "suffix": spec.suffix}
        parts = [name for name, value in {**keys, "caption_template": spec.caption_template}.items() if value]
        path, sent = changed[0]
        paid = f"; so the next plan proposes to train {', '.join(trained)} with the new captions" if trained else ""
        out.notes.append(
            f"with the dataset's {' and '.join(parts) or 'settings'}, {path} is sent with "
            f"{json.dumps(sent, ensure_ascii=False)}, which is not what Scenario holds{paid}"
        )
    elif trained and not unread:
        out.notes.append(f"they match what the training of {', '.join(trained)} used, so no training follows from them")

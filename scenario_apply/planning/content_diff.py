"""What a version is made of, compared: images, captions, pairs, parameters, concepts. Desired against recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.types import Contents, Image
from scenario_apply.model.kept_text import is_same_value
from scenario_apply.model.training_types import SECRET_PARAMETERS
from scenario_apply.planning.changes import CaptionChange, CaptionDiff, ImageChange, ImageDiff, PairDiff
from scenario_apply.planning.pair_diff import compare_pairs
from scenario_apply.planning.reasons import CaptionsChanged, ImagesChanged, PairsChanged, ParameterChanged, Reason
from scenario_apply.state.fingerprint import plain_parameter
from scenario_apply.state.state import ImageRecord, Version


class ContentDiff(Struct, frozen=True, kw_only=True):
    images: ImageDiff
    captions: CaptionDiff
    pairs: PairDiff = PairDiff()

    def __bool__(self) -> bool:
        return bool(self.images) or bool(self.captions) or bool(self.pairs)


def compare_contents(contents: Contents, version: Version | None) -> ContentDiff:
    """How the images, captions and pairs of a dataset differ from those of a version. A rename is no difference.

    The same content with the same caption under two names is one image, as it is one asset.
    """
    first = {(image.content, image.caption or ""): image for image in reversed(contents.images)}
    desired = [image for image in contents.images if first[image.content, image.caption or ""] is image]
    recorded = version.images if version is not None else ()
    before, remove = matched_images(desired, recorded)
    add, change = [], []
    captions: dict[str, list[CaptionChange]] = {"add": [], "change": [], "remove": []}
    for image in desired:
        old = before.get(image.path)
        if old is None:
            add.append(_image_change(image))
        elif old.content != image.content:
            same_file = old.source == image.sha256
            change.append(replace(_image_change(image), same_file=same_file, previous_sha256=old.source))
        if old is not None and old.caption != (image.caption or ""):
            kind = "add" if not old.caption else "change" if image.caption else "remove"
            captions[kind].append(CaptionChange(path=image.path, before=old.caption or None, after=image.caption))
    return ContentDiff(
        images=ImageDiff(add=tuple(add), change=tuple(change), remove=tuple(remove)),
        captions=CaptionDiff(
            add=tuple(captions["add"]), change=tuple(captions["change"]), remove=tuple(captions["remove"])
        ),
        pairs=compare_pairs(contents, version),
    )


def matched_images(
    desired: Sequence[Image], recorded: Sequence[ImageRecord]
) -> tuple[dict[str, ImageRecord], list[ImageChange]]:
    """Which recorded image each image was, by path; and those that are removed.

    Best fits first: a path says less than bytes, for an image kept in place keeps the path it was first sent under.
    """
    before: dict[str, ImageRecord] = {}
    left = list(recorded)
    for one, other in _LIKENESSES:
        by_key: dict[object, list[ImageRecord]] = {}
        for record in reversed(left):
            by_key.setdefault(other(record), []).append(record)
        for image in desired:
            if image.path not in before and (found := by_key.get(one(image))):
                before[image.path] = found.pop()
        taken = {id(record) for record in before.values()}
        left = [record for record in left if id(record) not in taken]
    return before, [ImageChange(path=r.path, caption=r.caption or None, sha256=r.source) for r in left]


_LIKENESSES: tuple[tuple[Callable[[Image], object], Callable[[ImageRecord], object]], ...] = (
    (
        lambda image: (image.path, image.content, image.caption or ""),
        lambda record: (record.path, record.content, record.caption),
    ),
    (lambda image: (image.content, image.caption or ""), lambda record: (record.content, record.caption)),
    (lambda image: (image.path, image.content), lambda record: (record.path, record.content)),
    (lambda image: image.content, lambda record: record.content),
    (lambda image: image.sha256, lambda record: record.source),
    (lambda image: image.path, lambda record: record.path),
)


def _image_change(image: Image) -> ImageChange:
    return ImageChange(
        path=image.path, caption=image.caption, sha256=image.sha256, file=image.file, recipe=image.recipe
    )


def content_reasons(diff: ContentDiff) -> list[Reason]:
    """At most one reason each for images, captions and pairs."""
    reasons: list[Reason] = []
    if diff.images:
        reasons.append(ImagesChanged(len(diff.images.add), len(diff.images.change), len(diff.images.remove)))
    if diff.captions:
        reasons.append(CaptionsChanged(len(diff.captions.add), len(diff.captions.change), len(diff.captions.remove)))
    if diff.pairs:
        reasons.append(PairsChanged(len(diff.pairs.add), len(diff.pairs.change), len(diff.pairs.remove)))
    return reasons


def parameter_reasons(
    desired: Mapping[str, object], recorded: Mapping[str, object], *, as_shown: bool = False
) -> list[Reason]:
    """One for each parameter that differs; secrets are not compared. as_shown: the service wrote what is recorded."""
    reasons: list[Reason] = []
    for key in sorted({*desired, *recorded} - SECRET_PARAMETERS):
        before, after = plain_parameter(recorded.get(key)), plain_parameter(desired.get(key))
        if before != after and not (as_shown and is_same_value(after, before)):
            reasons.append(ParameterChanged(key, before, after))
    return reasons


def ignoring_captions(images: Iterable[Image], version: Version) -> tuple[Image, ...]:
    """The same images, with the captions that were recorded for that content; new ones keep their own."""
    images = tuple(images)
    as_before = {(image.content, image.caption or "") for image in images}
    recorded = {(image.content, image.caption) for image in version.images}
    others: dict[str, list[str]] = {}  # recorded captions that no image asks for any more, by content
    for content, caption in sorted(recorded - as_before, reverse=True):
        others.setdefault(content, []).append(caption)
    kept: dict[tuple[str, str], str] = {}  # the same bytes with the same caption stay one image
    for key in sorted(as_before - recorded):
        if others.get(key[0]):
            kept[key] = others[key[0]].pop()
    return tuple(
        replace(image, caption=kept[image.content, image.caption or ""] or None)
        if (image.content, image.caption or "") in kept
        else image
        for image in images
    )

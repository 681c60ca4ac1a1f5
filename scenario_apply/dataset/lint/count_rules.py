"""N rules: how many pictures and pairs, and what was left aside."""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.model.lint_rules import BARRED_CODES, Finding

# Families whose guide gives 50 pictures as the maximum; the older ones were documented up to 100.
STRICT_FAMILIES = ("flux.2-", "qwen-", "zimage")
_WHY_NOTHING = BARRED_CODES | {"N01"}
_WHY_FEW_PAIRS = _WHY_NOTHING | {"P01", "P02", "C18"}


def counts(subject: Subject) -> Iterator[Finding]:
    count = len(subject.pictures)
    if subject.spec.is_pairs:
        yield from _pair_counts(subject)
    elif not count:
        if not subject.told & _WHY_NOTHING:
            yield from _nothing(subject)
    elif not subject.sound and not any(p.facts.is_lfs_pointer for p in subject.pictures):
        yield Finding("N01", f"none of its {count} images can be read", hint="see the findings on each of them")
    elif count < subject.number("min-images"):
        yield Finding("N02", f"{count} images: the service advises at least {subject.number('min-images'):g}")
    elif count > subject.number("many-images"):
        yield from _many(subject, count)


def _nothing(subject: Subject) -> Iterator[Finding]:
    where = ", ".join(subject.spec.images) or "it"
    hint = "name a folder that holds .png, .jpg or .webp files"
    if subject.skipped_folders:
        hint = "its sub-folders do: write `recursive: true`"
    yield Finding("N01", f"no images in {where}", hint=hint)


def _many(subject: Subject, count: int) -> Iterator[Finding]:
    strict = sorted(t for t in subject.types if t.startswith(STRICT_FAMILIES))
    most, absolute = subject.number("max-images"), subject.number("absolute-max-images")
    hint = "take the best of them, or split the dataset"
    if count > absolute:
        yield Finding("N04", f"{count} images: the service takes at most {absolute:g}", hint=hint)
    elif count > most and strict:
        yield Finding("N04", f"{count} images: {strict[0]} takes at most {most:g}", hint=hint)
    elif count > most:
        yield Finding("N04", f"{count} images: above {most:g} the service may refuse", None, None, hint, "warning")
    else:
        yield Finding("N03", f"{count} images: 5 to 25 usually train best")


def _pair_counts(subject: Subject) -> Iterator[Finding]:
    count = len(subject.pairs)
    if subject.told & _WHY_FEW_PAIRS:
        return
    if count < subject.number("min-pairs"):
        least = subject.number("min-pairs")
        yield Finding("N05", f"{count} complete pairs: an edit training takes at least {least:g}")
    elif count < subject.number("few-pairs"):
        few = subject.number("few-pairs")
        yield Finding("N05", f"{count} pairs: {few:g} to 15 are advised", severity="warning")
    strict = [t for t in subject.types if t.startswith(STRICT_FAMILIES)]
    if count > subject.number("max-images") and (strict or count > subject.number("absolute-max-images")):
        yield Finding("N04", f"{count} pairs: the service takes at most {subject.number('max-images'):g}")


def left_aside(subject: Subject) -> Iterator[Finding]:
    """N08, F12: sub-folders with pictures that were not entered; junk."""
    for folder, count in sorted((subject.skipped_folders or {}).items()):
        if subject.pictures:
            what = f"{count} images in the sub-folder {folder} are not part of the dataset"
            yield Finding("N08", what, folder, hint="write `recursive: true`, or `lint: { N08: off }`")
    if subject.junk:
        some = ", ".join(subject.junk[:3]) + (", ..." if len(subject.junk) > 3 else "")
        yield Finding("F12", f"{len(subject.junk)} hidden, cache or mask files skipped: {some}")

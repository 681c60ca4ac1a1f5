"""N rules: the number of pictures and pairs."""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.model.lint_rules import REFUSED_CODES, Finding

# Families whose guide gives 50 pictures as the maximum; the older ones were documented up to 100.
STRICT_FAMILIES = ("flux.2-", "qwen-", "zimage")
_WHY_NOTHING = REFUSED_CODES | {"N01"}
_WHY_FEW_PAIRS = _WHY_NOTHING | {"P01", "P02", "C18"}


def counts(subject: Subject) -> Iterator[Finding]:
    count = len(subject.pictures)
    if subject.spec.is_pairs:
        yield from _pair_counts(subject)
    elif not count:
        if not subject.reported & _WHY_NOTHING:
            yield from _nothing(subject)
    elif not subject.sound and not any(p.facts.is_lfs_pointer for p in subject.pictures):
        yield Finding("N01", f"none of its {count} images can be read", hint="see the finding for each of them")
    elif count < subject.number("min-images"):
        noun = "image" if count == 1 else "images"
        yield Finding("N02", f"{count} {noun}: Scenario recommends at least {subject.number('min-images'):g}")
    elif count > subject.number("many-images-of-style" if subject.is_style else "many-images"):
        yield from _many(subject, count)


_ARCHIVES = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".rar", ".7z")


def _nothing(subject: Subject) -> Iterator[Finding]:
    where = ", ".join(subject.spec.images) or "it"
    hint = "name a folder that holds .png, .jpg or .webp files"
    if subject.skipped_folders:
        hint = "its sub-folders hold some: write `recursive: true`, or name two folders: `before:` and `after:`"
    elif any(source.lower().endswith(".parquet") for source in subject.spec.images):
        hint = "pictures within parquet files are not read: export them as files"
    elif any(source.lower().endswith(_ARCHIVES) for source in subject.spec.images):
        hint = "of archives, zip files are read: unpack it, or make a zip file of it"
    yield Finding("N01", f"no images in {where}", hint=hint, key="images")


def _many(subject: Subject, count: int) -> Iterator[Finding]:
    strict = sorted(t for t in subject.types if t.startswith(STRICT_FAMILIES))
    most, absolute = subject.number("max-images"), subject.number("absolute-max-images")
    hint = "keep the best images, or split the dataset"
    if count > absolute:
        yield Finding("N04", f"{count} images: Scenario accepts at most {absolute:g}", hint=hint)
    elif count > most and strict:
        yield Finding("N04", f"{count} images: {strict[0]} accepts at most {most:g}", hint=hint)
    elif count > most:
        yield Finding("N04", f"{count} images: Scenario may reject more than {most:g}", None, None, hint, "warning")
    else:
        yield Finding("N03", f"{count} images: 5 to 20 usually train best, for a style up to 25")


def _pair_counts(subject: Subject) -> Iterator[Finding]:
    count = len(subject.pairs)
    if subject.reported & _WHY_FEW_PAIRS:
        return
    if count < subject.number("min-pairs"):
        least = subject.number("min-pairs")
        folders = sorted(subject.skipped_folders or {})
        hint = (
            f"its sub-folders hold pictures, too ({', '.join(folders[:3])}): write `recursive: true`"
            if folders
            else None
        )
        yield Finding("N05", f"{count} complete pairs: an edit training needs at least {least:g}", hint=hint)
    elif count < subject.number("few-pairs"):
        few = subject.number("few-pairs")
        yield Finding("N05", f"{count} pairs: {few:g} to 15 are recommended", severity="warning")
    yield from _many_pairs(subject, count)


def _many_pairs(subject: Subject, count: int) -> Iterator[Finding]:
    """N04: as many pairs are accepted as single images."""
    strict = sorted(t for t in subject.types if t.startswith(STRICT_FAMILIES))
    most, absolute = subject.number("max-images"), subject.number("absolute-max-images")
    hint = "keep the best pairs, or split the dataset"
    if count > absolute:
        yield Finding("N04", f"{count} pairs: Scenario accepts at most {absolute:g}", hint=hint)
    elif count > most and strict:
        yield Finding("N04", f"{count} pairs: {strict[0]} accepts at most {most:g}", hint=hint)
    elif count > most:
        yield Finding("N04", f"{count} pairs: Scenario may reject more than {most:g}", None, None, hint, "warning")
